import { readFile } from 'node:fs/promises'
import { InvalidArgumentError, Option } from 'commander'
import type { Hex } from '../bytes/hex.ts'
import { InputError } from '../errors.ts'
import type { PublisherAddress } from '../indexer/fetcher.ts'
import { parseAddress } from './options.ts'

/** Where publishers give out their batches, as commands are told. */
export interface PublisherOptions {
  publisher: [Hex, string][]
  publisherToken: [Hex, string][]
}

export const publisherOption = () =>
  new Option('--publisher <address=url>', 'where a publisher gives out its batches; for each one')
    .argParser(collectPair)
    .default([], 'none')

export const publisherTokenOption = () =>
  new Option('--publisher-token <address=file>', 'a file with the token that this publisher asks for')
    .argParser(collectPair)
    .default([], 'none')

function collectPair(text: string, before: [Hex, string][]): [Hex, string][] {
  const at = text.indexOf('=')
  if (at < 0) throw new InvalidArgumentError('must be an address, =, and what belongs to it')
  return [...before, [parseAddress(text.slice(0, at)), text.slice(at + 1)]]
}

/** @throws {InputError} `BAD_ARGUMENT` */
export async function readPublishers(options: PublisherOptions): Promise<Map<Hex, PublisherAddress>> {
  const publishers = new Map<Hex, PublisherAddress>()
  for (const [address, url] of options.publisher) {
    if (!/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : '')) {
      throw new InputError('BAD_ARGUMENT', `--publisher ${address}: ${url} is no address of HTTP`)
    }
    publishers.set(address, { url })
  }
  for (const [address, path] of options.publisherToken) {
    const known = publishers.get(address)
    if (known === undefined) {
      throw new InputError('BAD_ARGUMENT', `--publisher-token ${address}: name its --publisher too`)
    }
    publishers.set(address, { ...known, token: await readToken(path) })
  }
  return publishers
}

async function readToken(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: Error) => {
    throw new InputError('BAD_ARGUMENT', `--publisher-token: ${cause.message}`, {}, { cause })
  })
  // A header can hold no more than this.
  if (!/^[!-~]+$/.test(text.trim())) throw new InputError('BAD_ARGUMENT', `${path} does not hold a token`)
  return text.trim()
}
