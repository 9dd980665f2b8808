import { concatBytes, utf8 } from '../bytes/bytes.ts'
import { fromHex, type Hex, toHex } from '../bytes/hex.ts'
import { addressWord, uintWord } from '../bytes/typed-data.ts'
import { type Grant, grantWords, nameId } from './grant.ts'
import { SHARINGS, type Sharing } from './rights.ts'

/** keccak256 of the signature of the registry's event (docs/format.md, "Events"). */
export const RESOURCE_SET_TOPIC: Hex = '0x60d967b091322c58619790ea7292ac78aef9172ab861c9c8851a259c98d4443f'
/** The same of the authorisations'. */
export const GRANTED_TOPIC: Hex = '0x61878ed7b1923970c4bfd605dd30e8bfe33749138aacf4e61972e16774ad3201'

interface RegisteredResource {
  /** its catalogue id */
  name: string
  version: number
  owner: Hex
  sharing: Sharing
  level: number
  digest: Hex
}

/** The topics that find the event of one version of a resource: any owner may stand behind them. */
export const resourceSetTopics = (resource: Hex, version: number): [Hex, Hex, Hex] => [
  RESOURCE_SET_TOPIC,
  resource,
  toHex(uintWord(BigInt(version))),
]

/** A `ResourceSet` event as a registry writes it. */
export function encodeResourceSet({ name, version, owner, sharing, level, digest }: RegisteredResource) {
  const text = utf8(name)
  const padded = new Uint8Array(WORD * Math.ceil(text.length / WORD))
  padded.set(text)
  return {
    topics: [...resourceSetTopics(nameId(name), version), owner],
    data: toHex(
      concatBytes(
        uintWord(BigInt(SHARINGS.indexOf(sharing))),
        uintWord(BigInt(level)),
        fromHex(digest),
        // Where the name begins: behind these four words.
        uintWord(4n * BigInt(WORD)),
        uintWord(BigInt(text.length)),
        padded,
      ),
    ),
  }
}

/** A `Granted` event as the authorisations write it. */
export const encodeGranted = (id: Hex, grant: Grant) => ({
  topics: [GRANTED_TOPIC, id, toHex(addressWord(grant.subject))],
  data: toHex(concatBytes(...grantWords(grant))),
})

const WORD = 32
