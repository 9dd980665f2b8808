import { InvalidArgumentError, Option } from 'commander'

export const DEFAULT_PORT = 7300
export const DEFAULT_CHAIN_PORT = 7301
export const DEFAULT_API = `http://127.0.0.1:${DEFAULT_PORT}`
export const DEFAULT_RPC = `http://127.0.0.1:${DEFAULT_CHAIN_PORT}`

export const apiOption = () =>
  new Option('--api <url>', 'the gateway').env('TIDEMARK_API').default(DEFAULT_API)

export const jsonOption = () => new Option('--json', 'print JSON for machines')

/** A whole number from `least` to `most`. */
export const parseWhole =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= least && value <= most) return value
    throw new InvalidArgumentError(`must be a whole number from ${least} to ${most}`)
  }
