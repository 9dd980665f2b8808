import { compareBytes, concatBytes, utf8 } from './bytes.ts'

/** What this program writes as CBOR; integers of 64 bits with their sign apart. */
export type Cbor = number | bigint | string | Uint8Array | null | readonly Cbor[] | CborMap | CborTag
type CborMap = ReadonlyMap<number, Cbor>

interface CborTag {
  tag: number
  value: Cbor
}

/** The major types of RFC 8949, section 3.1. */
const UNSIGNED = 0
const NEGATIVE = 1
const BYTES = 2
const TEXT = 3
const LIST = 4
const MAP = 5
const TAG = 6
const NULL = Uint8Array.of(0xf6)

/** RFC 8949 in its deterministic encoding, section 4.2.1: shortest lengths, and maps in the order of their encoded keys. */
export function encodeCbor(value: Cbor): Uint8Array {
  if (value === null) return NULL
  if (typeof value === 'number' || typeof value === 'bigint') return encodeInteger(BigInt(value))
  if (typeof value === 'string') return withLength(TEXT, utf8(value))
  if (value instanceof Uint8Array) return withLength(BYTES, value)
  if (value instanceof Map) {
    const pairs = [...value].map(([key, inner]) => concatBytes(encodeCbor(key), encodeCbor(inner)))
    return concatBytes(head(MAP, pairs.length), ...pairs.sort(compareBytes))
  }
  if ('tag' in value) return concatBytes(head(TAG, value.tag), encodeCbor(value.value))
  const list = value as readonly Cbor[] // nothing else is left, which Array.isArray does not say of a readonly one
  return concatBytes(head(LIST, list.length), ...list.map(encodeCbor))
}

const encodeInteger = (value: bigint): Uint8Array =>
  value < 0n ? head(NEGATIVE, -1n - value) : head(UNSIGNED, value)

const withLength = (type: number, bytes: Uint8Array) => concatBytes(head(type, bytes.length), bytes)

/** The initial byte and the argument, below 2^64. */
function head(type: number, argument: number | bigint): Uint8Array {
  const number = BigInt(argument)
  if (number < 24n) return Uint8Array.of((type << 5) | Number(number))
  const [info, size] =
    number < 1n << 8n ? [24, 1] : number < 1n << 16n ? [25, 2] : number < 1n << 32n ? [26, 4] : [27, 8]
  const bytes = new Uint8Array(1 + size)
  bytes[0] = (type << 5) | info
  for (let i = 0; i < size; i++) bytes[size - i] = Number((number >> BigInt(8 * i)) & 0xffn)
  return bytes
}
