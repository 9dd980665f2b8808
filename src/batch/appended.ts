import type { Hex } from '../bytes/hex.ts'
import { VerificationError } from '../errors.ts'
import { HEADER_BYTES, type Header } from './header.ts'

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

/** Of a word in hexadecimal digits. */
const WORD = 64
const TOPIC_LENGTH = 2 + WORD
const DATA_LENGTH = 2 + 2 * HEADER_BYTES + WORD

/** What stands before an address, a uint64 and a uint32 in their words. */
const ADDRESS_PADDING = '0'.repeat(24)
const UINT64_PADDING = '0'.repeat(48)
const UINT32_PADDING = '0'.repeat(56)

/**
 * Decodes the topics and data of an `Appended` event by their fixed layout.
 *
 * Every event of the ledger goes this way, so each member is read straight from its digits.
 *
 * @returns undefined when the topics are another event's
 * @throws {VerificationError} `MALFORMED_HEADER` when the event's parts contradict each other
 */
export function decodeAppended(topics: readonly string[], data: string): Appended | undefined {
  if (topics[0] !== APPENDED_TOPIC) return undefined
  const index = topics[1] ?? ''
  const publisher = topics[2] ?? ''
  if (
    topics.length !== 3 ||
    index.length !== TOPIC_LENGTH ||
    publisher.length !== TOPIC_LENGTH ||
    data.length !== DATA_LENGTH ||
    !(index.startsWith('0x') && publisher.startsWith('0x') && data.startsWith('0x'))
  ) {
    throw malformed('the Appended event does not have its fixed layout')
  }
  const header: Header = {
    publisher: readAddress(data, 2),
    sequence: readUint64(data, 2 + WORD),
    recordsRoot: readHash(data, 2 + 2 * WORD),
    recordCount: readUint32(data, 2 + 3 * WORD),
    indexRoot: readHash(data, 2 + 4 * WORD),
    indexSize: readUint32(data, 2 + 5 * WORD),
    firstTime: readUint64(data, 2 + 6 * WORD),
    lastTime: readUint64(data, 2 + 7 * WORD),
  }
  if (publisher.slice(2) !== data.slice(2, 2 + WORD))
    throw malformed('the Appended event names two publishers')
  return { index: readUint64(index, 2), header, node: readHash(data, 2 + 8 * WORD) }
}

/** Value of each lowercase hexadecimal digit by its code; -1 for what is none. */
const DIGITS = new Int8Array(65_536).fill(-1)
for (const digit of '0123456789abcdef') DIGITS[digit.charCodeAt(0)] = Number.parseInt(digit, 16)

function readHash(text: string, start: number): Uint8Array {
  const bytes = new Uint8Array(WORD / 2)
  let found = 0
  for (let i = 0; i < WORD / 2; i++) {
    const high = DIGITS[text.charCodeAt(start + 2 * i)] as number // every code has its place
    const low = DIGITS[text.charCodeAt(start + 2 * i + 1)] as number
    // One that is no digit makes it negative, and it stays so.
    found |= high | low
    bytes[i] = (high << 4) | low
  }
  if (found < 0) throw malformed('the Appended event is not in hexadecimal digits')
  return bytes
}

function readAddress(text: string, start: number): Hex {
  expectPadding(text, start, ADDRESS_PADDING)
  let found = 0
  for (let i = start + ADDRESS_PADDING.length; i < start + WORD; i++) {
    found |= DIGITS[text.charCodeAt(i)] as number // as above
  }
  if (found < 0) throw malformed('the Appended event is not in hexadecimal digits')
  return `0x${text.slice(start + ADDRESS_PADDING.length, start + WORD)}`
}

function readUint64(text: string, start: number): bigint {
  expectPadding(text, start, UINT64_PADDING)
  const high = readDigits(text, start + 48)
  const low = readDigits(text, start + 56)
  // Nearly all are exact as numbers, of which a bigint is made faster.
  return high < 2 ** 21 ? BigInt(high * 2 ** 32 + low) : (BigInt(high) << 32n) | BigInt(low)
}

function readUint32(text: string, start: number): number {
  expectPadding(text, start, UINT32_PADDING)
  return readDigits(text, start + 56)
}

/** Eight digits. */
function readDigits(text: string, start: number): number {
  let value = 0
  let found = 0
  for (let i = start; i < start + 8; i++) {
    const digit = DIGITS[text.charCodeAt(i)] as number // as above
    found |= digit
    value = (value << 4) | digit
  }
  if (found < 0) throw malformed('the Appended event is not in hexadecimal digits')
  return value >>> 0
}

function expectPadding(text: string, start: number, padding: string): void {
  // Comparing a slice takes less than half of what `startsWith` takes here.
  if (text.slice(start, start + padding.length) !== padding)
    throw malformed('a padding of the Appended event is not zero')
}

const malformed = (message: string) => new VerificationError('MALFORMED_HEADER', message)
