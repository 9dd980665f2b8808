import { VerificationError } from '../errors.ts'
import { concatBytes } from './bytes.ts'

/** What RLP spells: bytes, or a list of such (Ethereum Yellow Paper, appendix B). */
export type Rlp = Uint8Array | readonly Rlp[]

/** Payloads up to this length have it in their first byte. */
const SHORT = 55
const TEXT = 0x80
const LIST = 0xc0
/** What a block holds is nested less than half as deep; so many levels keep a forger from exhausting the stack. */
const MOST_LEVELS = 16

export function encodeRlp(item: Rlp): Uint8Array {
  if (isBytes(item)) {
    const [first = TEXT] = item
    return item.length === 1 && first < TEXT ? item : withLength(TEXT, item)
  }
  return withLength(LIST, concatBytes(...item.map(encodeRlp)))
}

function withLength(kind: number, payload: Uint8Array): Uint8Array {
  if (payload.length <= SHORT) return concatBytes(Uint8Array.of(kind + payload.length), payload)
  const length = rlpNumber(payload.length)
  return concatBytes(Uint8Array.of(kind + SHORT + length.length), length, payload)
}

/** A number as RLP spells it: big-endian, without leading zeros; zero is no byte. */
export function rlpNumber(value: number | bigint): Uint8Array {
  const bytes: number[] = []
  for (let rest = BigInt(value); rest > 0n; rest >>= 8n) bytes.unshift(Number(rest & 0xffn))
  return Uint8Array.from(bytes)
}

/**
 * Decodes the one item that the bytes are.
 *
 * Takes the canonical spelling only, so that `encodeRlp` gives the same bytes again.
 *
 * @throws {VerificationError} `BAD_EVIDENCE`, since nothing but evidence is in RLP
 */
export function decodeRlp(bytes: Uint8Array): Rlp {
  const { item, end } = decodeAt(bytes, 0, 0)
  if (end < bytes.length) throw malformed('bytes follow its end')
  return item
}

function decodeAt(bytes: Uint8Array, start: number, level: number): { item: Rlp; end: number } {
  const first = bytes[start]
  if (first === undefined) throw malformed('it ends too early')
  if (first < TEXT) return { item: bytes.subarray(start, start + 1), end: start + 1 }
  const isList = first >= LIST
  const { from, end } = payloadAt(bytes, start, first - (isList ? LIST : TEXT))
  if (!isList) {
    const item = bytes.subarray(from, end)
    if (item.length === 1 && (item[0] ?? 0) < TEXT) throw malformed('a byte has a length that it needs not')
    return { item, end }
  }
  if (level === MOST_LEVELS) throw malformed(`lists are nested more than ${MOST_LEVELS} deep`)
  const items: Rlp[] = []
  for (let next = from; next < end; ) {
    const decoded = decodeAt(bytes.subarray(0, end), next, level + 1)
    items.push(decoded.item)
    next = decoded.end
  }
  return { item: items, end }
}

/** Where the payload of an item begins and ends. */
function payloadAt(bytes: Uint8Array, start: number, kind: number): { from: number; end: number } {
  const lengthBytes = Math.max(0, kind - SHORT)
  const from = start + 1 + lengthBytes
  // Longer ones than 2^48 are longer than any bytes, and no number would be exact.
  if (lengthBytes > 6 || from > bytes.length) throw malformed('it ends too early')
  let length = lengthBytes === 0 ? kind : 0
  for (const byte of bytes.subarray(start + 1, from)) length = length * 256 + byte
  if (lengthBytes > 0 && (bytes[start + 1] === 0 || length <= SHORT)) {
    throw malformed('a length is spelt in more bytes than it needs')
  }
  if (from + length > bytes.length) throw malformed('it ends too early')
  return { from, end: from + length }
}

/** `Array.isArray` does not tell a read-only list from bytes for the compiler. */
export const isBytes = (item: Rlp | undefined): item is Uint8Array =>
  item !== undefined && !Array.isArray(item)

const malformed = (fault: string) => new VerificationError('BAD_EVIDENCE', `not RLP: ${fault}`)
