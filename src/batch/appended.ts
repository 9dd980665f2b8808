import { type Hex, isHex } from '../bytes/hex.ts'
import { VerificationError } from '../errors.ts'
import { decodeHeader, HEADER_BYTES, type Header } from './header.ts'

/** keccak256 of the signature of the ledger's `Appended` event (contracts/interfaces/ILedger.sol). */
export const APPENDED_TOPIC: Hex = '0x790fe0c9cd9df3e37863bbd33374f5e3888738de689f9ee4cffb24c4d5e98a74'

/** A header as the ledger announced it. */
export interface Appended {
  /** position in the ledger's log, from 0 */
  index: bigint
  header: Header
  /** root of the largest perfect subtree that this header completes, 32 bytes */
  node: Uint8Array
}

/** What stands before a uint64 and before an address in a topic. */
const UINT64_PADDING = `0x${'0'.repeat(48)}`
const ADDRESS_PADDING = `0x${'0'.repeat(24)}`

const EVENT_BYTES = HEADER_BYTES + 32

/**
 * Decodes the topics and data of an `Appended` event by their fixed layout.
 *
 * @returns undefined when the topics are another event's
 * @throws {VerificationError} `MALFORMED_HEADER` when the event's parts contradict each other
 */
export function decodeAppended(topics: readonly string[], data: string): Appended | undefined {
  if (topics[0] !== APPENDED_TOPIC) return undefined
  const [, index = '', publisher = ''] = topics
  const bytes = data.length === 2 + 2 * EVENT_BYTES ? decodeData(data) : undefined
  if (topics.length !== 3 || bytes === undefined || !isHex(index, 32) || !index.startsWith(UINT64_PADDING)) {
    throw new VerificationError('MALFORMED_HEADER', 'the Appended event does not have its fixed layout')
  }
  const header = decodeHeader(bytes.subarray(0, HEADER_BYTES))
  if (
    publisher.length !== 66 ||
    !publisher.startsWith(ADDRESS_PADDING) ||
    publisher.slice(26) !== header.publisher.slice(2)
  ) {
    throw new VerificationError('MALFORMED_HEADER', 'the Appended event names two publishers')
  }
  return { index: BigInt(`0x${index.slice(50)}`), header, node: bytes.slice(HEADER_BYTES) }
}

/** Value of each lowercase hexadecimal digit by its code; -1 for what is none. */
const DIGITS = new Int8Array(65_536).fill(-1)
for (const digit of '0123456789abcdef') DIGITS[digit.charCodeAt(0)] = Number.parseInt(digit, 16)

/**
 * The bytes of the event's data, which is of the right length; undefined when it is no hex.
 *
 * Every event of the ledger goes this way: reading the digits once costs a fraction of testing and then reading them.
 */
function decodeData(data: string): Uint8Array | undefined {
  if (!data.startsWith('0x')) return undefined
  const bytes = new Uint8Array(EVENT_BYTES)
  let found = 0
  for (let i = 0; i < EVENT_BYTES; i++) {
    const high = DIGITS[data.charCodeAt(2 + 2 * i)] as number // every code has its place
    const low = DIGITS[data.charCodeAt(3 + 2 * i)] as number
    // One that is no digit makes it negative, and it stays so.
    found |= high | low
    bytes[i] = (high << 4) | low
  }
  return found < 0 ? undefined : bytes
}
