import { fromHex, type Hex, isHex } from '../bytes/hex.ts'
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

/**
 * Decodes the topics and data of an `Appended` event by their fixed layout.
 *
 * @returns undefined when the topics are another event's
 * @throws {VerificationError} `MALFORMED_HEADER` when the event's parts contradict each other
 */
export function decodeAppended(topics: readonly string[], data: string): Appended | undefined {
  if (topics[0] !== APPENDED_TOPIC) return undefined
  const [, index, publisher] = topics
  if (topics.length !== 3 || !isHex(index, 32) || !isHex(publisher, 32) || !isHex(data, HEADER_BYTES + 32)) {
    throw new VerificationError('MALFORMED_HEADER', 'the Appended event does not have its fixed layout')
  }
  const bytes = fromHex(data)
  const header = decodeHeader(bytes.subarray(0, HEADER_BYTES))
  if (publisher !== `0x${'00'.repeat(12)}${header.publisher.slice(2)}`) {
    throw new VerificationError('MALFORMED_HEADER', 'the Appended event names two publishers')
  }
  return { index: BigInt(index), header, node: bytes.slice(HEADER_BYTES) }
}
