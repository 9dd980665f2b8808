import { InvalidArgumentError, Option } from 'commander'
import { READING_MODES, type ReadingMode } from '../api/access.ts'
import { type Hex, isHex } from '../bytes/hex.ts'
import type { Finality } from '../chain/facts.ts'

export const DEFAULT_PORT = 7300
export const DEFAULT_CHAIN_PORT = 7301
export const DEFAULT_API = `http://127.0.0.1:${DEFAULT_PORT}`
export const DEFAULT_RPC = `http://127.0.0.1:${DEFAULT_CHAIN_PORT}`

/** A receipt promises the chain within this time. */
export const PROMISE_MS = 10 * 60_000

export const apiOption = () =>
  new Option('--api <url>', 'the gateway').env('TIDEMARK_API').default(DEFAULT_API)

export const tokenOption = (of: string) => new Option('--token <token>', of).env('TIDEMARK_TOKEN')

/** For questions whose answers are not for everybody. */
export const viewerTokenOption = () =>
  tokenOption('of "tidemark token create --auditor" or "--subject", to see whom records are about')

export const readingOption = () =>
  new Option(
    '--reading <by>',
    'who is shown whom records are about: open is everybody, tokens the holders of "tidemark token create --auditor" or "--subject"',
  )
    .choices(READING_MODES)
    .default('tokens' satisfies ReadingMode)

export const rpcOption = () =>
  new Option('--rpc <url>', 'a node of the chain that you trust').env('TIDEMARK_RPC').default(DEFAULT_RPC)

export const finalityOption = () =>
  new Option('--finality <rule>', '"finalized", or a number of confirmations')
    .argParser(parseFinality)
    .default({ kind: 'tag' } satisfies Finality, 'finalized')

export const portOption = (flags: string, description: string) =>
  new Option(flags, `${description}; 0 for any free one`).argParser(parseWhole(0, 65_535))

export const jsonOption = () => new Option('--json', 'print JSON for machines')

/** A whole number from `least` to `most`. */
export const parseWhole =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= least && value <= most) return value
    throw new InvalidArgumentError(`must be a whole number from ${least} to ${most}`)
  }

export function parseAddress(text: string): Hex {
  const address = text.toLowerCase()
  if (!isHex(address, 20)) throw new InvalidArgumentError('must be 0x and 40 hex digits')
  return address
}

/** What a catalogue lists, and what a call states as its purpose (docs/format.md, section 4.2). */
export function parseName(text: string): string {
  if (isName(text)) return text
  throw new InvalidArgumentError('must be 1 to 256 characters')
}

export const isName = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= 256

export const isSource = (value: unknown): value is string =>
  typeof value === 'string' && /^[!-~]{1,256}$/.test(value)

/** RFC 3339. */
export function parseTime(text: string): Date {
  const time = new Date(text)
  if (Number.isNaN(time.getTime()))
    throw new InvalidArgumentError('must be a time such as 2026-01-05T00:00:00Z')
  return time
}

/** @returns seconds since 1970 */
export function parseSeconds(text: string): bigint {
  const seconds = Math.floor(parseTime(text).getTime() / 1_000)
  if (seconds >= 0) return BigInt(seconds)
  throw new InvalidArgumentError('must not be before 1970')
}

export function parseHash(text: string): Hex {
  const hash = text.toLowerCase()
  if (!isHex(hash, 32)) throw new InvalidArgumentError('must be 0x and 64 hex digits')
  return hash
}

/** The name of a source, as docs/format.md, section 4.1, has it. */
export function parseSource(text: string): string {
  if (isSource(text)) return text
  throw new InvalidArgumentError('must be 1 to 256 printable ASCII characters, no blanks')
}

/** Names with commas between them. */
export function parseNames(text: string): string[] {
  const names = text.split(',')
  if (!names.includes('')) return [...new Set(names)]
  throw new InvalidArgumentError('must be names with commas between them')
}

/** A person's tag: base64url of 32 bytes. */
export function parseTag(text: string): string {
  if (/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/.test(text)) return text
  throw new InvalidArgumentError("must be a person's tag: 43 characters of base64url")
}

export function parseFinality(text: string): Finality {
  if (text === 'finalized') return { kind: 'tag' }
  if (/^[1-9]\d{0,5}$/.test(text)) return { kind: 'depth', confirmations: Number(text) }
  throw new InvalidArgumentError('must be "finalized" or a number of confirmations')
}

/** A node's endpoint. No default, and not the variable of `verify`: here a key is at work. */
export const chainRpcOption = () =>
  new Option('--rpc <url>', 'a node of the chain').argParser(parseUrl).env('TIDEMARK_CHAIN_RPC')

export const ledgerOption = () =>
  new Option('--ledger <address>', 'the ledger contract').argParser(parseAddress)

export const authorizationsOption = () =>
  new Option('--authorizations <address>', 'the contract that decides on grants').argParser(parseAddress)

export const keystoreOption = () => new Option('--keystore <file>', 'the encrypted key')

export const passwordOption = () =>
  new Option(
    '--password-file <file>',
    "the keystore's password; otherwise TIDEMARK_KEYSTORE_PASSWORD, or the terminal is asked",
  )

export const maxFeeOption = () =>
  new Option('--max-fee-gwei <gwei>', 'the most to pay for a unit of gas').argParser(parseGwei)

function parseUrl(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text
  throw new InvalidArgumentError('must be a URL that begins with http:// or https://')
}

/** @returns wei */
function parseGwei(text: string): bigint {
  const [, whole = '', fraction = ''] = /^(\d{1,9})(?:\.(\d{1,9}))?$/.exec(text) ?? []
  const wei = BigInt(`${whole}${fraction.padEnd(9, '0')}`)
  if (whole !== '' && wei > 0n) return wei
  throw new InvalidArgumentError('must be a number of gwei above 0, with at most nine decimals')
}
