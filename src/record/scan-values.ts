import { utf8 } from '../bytes/bytes.ts'
import type { RecordScan } from './scan.ts'

/** How the values of a record are read from their canonical bytes, each kind of docs/format.md, section 4.2. */

/**
 * Tells where a value that begins at `at` ends; -1 where it is not one, or not one that is known here.
 *
 * @param scan is told what it means
 */
export type Scanner = (bytes: Uint8Array, at: number, scan: RecordScan) => number

const [QUOTE, COMMA, OPEN, CLOSE, BACKSLASH] = [0x22, 0x2c, 0x5b, 0x5d, 0x5c]
/** Characters of base64url of 32 bytes. */
export const DIGEST_CHARACTERS = 43
/** More digits may exceed 2^53. */
const MOST_DIGITS = 15

/** What characters a byte may be, as bits. */
const [HEX, BASE64URL, BASE64URL_END, WORD, PRINTABLE, DIGIT] = [1, 2, 4, 8, 16, 32]
const CLASSES = new Uint8Array(256)
for (const [bit, pattern] of [
  [HEX, /[0-9a-f]/],
  [BASE64URL, /[A-Za-z0-9_-]/],
  // The last character of 32 bytes holds four bits.
  [BASE64URL_END, /[AEIMQUYcgkosw048]/],
  [WORD, /[a-z0-9]/],
  [PRINTABLE, /[!-~]/],
  [DIGIT, /[0-9]/],
] as const) {
  for (let code = 0; code < 128; code++) {
    if (pattern.test(String.fromCharCode(code))) CLASSES[code] = (CLASSES[code] as number) | bit
  }
}

/** Whether the bytes of `part` stand at `at`. */
export function stands(part: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < part.length; i++) if (bytes[at + i] !== part[i]) return false
  return true
}

/** A text of any characters that need no escape: what JCS writes as they are. */
export const scanText =
  (most: number): Scanner =>
  (bytes, at) => {
    if (bytes[at] !== QUOTE) return -1
    let isWide = false
    let end = at + 1
    for (; bytes[end] !== QUOTE; end++) {
      const byte = bytes[end]
      if (byte === undefined || byte < 0x20 || byte === BACKSLASH) return -1
      if (byte >= 0x80) isWide = true
    }
    const length = isWide ? lengthOf(bytes.subarray(at + 1, end)) : end - at - 1
    return length > 0 && length <= most ? end + 1 : -1
  }

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** UTF-16 code units, which are no fewer than code points; 0 for what is not UTF-8. */
function lengthOf(bytes: Uint8Array): number {
  try {
    return decoder.decode(bytes).length
  } catch {
    return 0
  }
}

/** As many characters of a class, between quotation marks. */
function scanRun(bytes: Uint8Array, at: number, length: number, characters: number): boolean {
  for (let i = at; i < at + length; i++) {
    if (((CLASSES[bytes[i] as number] as number) & characters) === 0) return false
  }
  return true
}

export const scanHex =
  (characters: number): Scanner =>
  (bytes, at) => {
    const end = at + 3 + characters
    const isHex = bytes[at] === QUOTE && bytes[at + 1] === 0x30 && bytes[at + 2] === 0x78
    return isHex && scanRun(bytes, at + 3, characters, HEX) && bytes[end] === QUOTE ? end + 1 : -1
  }

/** base64url of 32 bytes between quotation marks. */
export const scanDigest: Scanner = (bytes, at) => {
  const last = at + DIGEST_CHARACTERS
  const isDigest =
    bytes[at] === QUOTE &&
    scanRun(bytes, at + 1, DIGEST_CHARACTERS - 1, BASE64URL) &&
    scanRun(bytes, last, 1, BASE64URL_END)
  return isDigest && bytes[last + 1] === QUOTE ? last + 2 : -1
}

export const scanDigests =
  (most: number): Scanner =>
  (bytes, at, scan) => {
    if (bytes[at] !== OPEN) return -1
    let end = at + 1
    for (let count = 1; ; count++) {
      const next = scanDigest(bytes, end, scan)
      if (next === -1 || count > most) return -1
      if (count > 1 && !isAscending(bytes, end - DIGEST_CHARACTERS - 3, end)) return -1
      if (bytes[next] === CLOSE) return next + 1
      if (bytes[next] !== COMMA) return -1
      end = next + 1
    }
  }

function isAscending(bytes: Uint8Array, a: number, b: number): boolean {
  for (let i = 1; i <= DIGEST_CHARACTERS; i++) {
    const difference = (bytes[a + i] as number) - (bytes[b + i] as number)
    if (difference !== 0) return difference < 0
  }
  return false
}

export const scanCount =
  (most: number): Scanner =>
  (bytes, at) => {
    let value = 0
    let end = at
    for (; ((CLASSES[bytes[end] as number] as number) & DIGIT) !== 0; end++) {
      value = 10 * value + (bytes[end] as number) - 0x30
    }
    const digits = end - at
    if (digits === 0 || digits > MOST_DIGITS || value > most) return -1
    return digits > 1 && bytes[at] === 0x30 ? -1 : end
  }

export const scanSource =
  (most: number): Scanner =>
  (bytes, at) => {
    if (bytes[at] !== QUOTE) return -1
    let end = at + 1
    for (; bytes[end] !== QUOTE; end++) {
      if (bytes[end] === BACKSLASH || !scanRun(bytes, end, 1, PRINTABLE)) return -1
    }
    return end > at + 1 && end - at - 1 <= most ? end + 1 : -1
  }

export const scanWord =
  (most: number): Scanner =>
  (bytes, at) => {
    if (bytes[at] !== QUOTE) return -1
    let end = at + 1
    for (let isBetween = true; ; end++) {
      const byte = bytes[end] as number
      if (scanRun(bytes, end, 1, WORD)) isBetween = false
      else if (isBetween) return -1
      else if (byte === QUOTE) return end - at - 1 <= most ? end + 1 : -1
      // . _ -
      else if (byte === 0x2e || byte === 0x5f || byte === 0x2d) isBetween = true
      else return -1
    }
  }

/** Characters of each part of a W3C `traceparent`. */
const TRACE_PARTS = [2, 32, 16, 2]

export const scanTraceParent: Scanner = (bytes, at) => {
  if (bytes[at] !== QUOTE) return -1
  let end = at + 1
  for (const [i, characters] of TRACE_PARTS.entries()) {
    if (i > 0 && bytes[end++] !== 0x2d) return -1
    if (!scanRun(bytes, end, characters, HEX)) return -1
    end += characters
  }
  return bytes[end] === QUOTE ? end + 1 : -1
}

export const scanOneOf =
  (words: readonly Uint8Array[]): Scanner =>
  (bytes, at) => {
    for (const word of words) if (stands(word, bytes, at)) return at + word.length
    return -1
  }

/** `"YYYY-MM-DDThh:mm:ss.sssZ"`, digits being 0. */
const TIME_FORM = utf8('"0000-00-00T00:00:00.000Z"')

export const scanTime: Scanner = (bytes, at, scan) => {
  for (let i = 0; i < TIME_FORM.length; i++) {
    const byte = bytes[at + i] as number
    if (TIME_FORM[i] === 0x30 ? !scanRun(bytes, at + i, 1, DIGIT) : byte !== TIME_FORM[i]) return -1
  }
  const number = (first: number, digits: number) => {
    let value = 0
    for (let i = at + first; i < at + first + digits; i++) value = 10 * value + (bytes[i] as number) - 0x30
    return value
  }
  const [year, month, day] = [number(1, 4), number(6, 2), number(9, 2)]
  const [hour, minute, second] = [number(12, 2), number(15, 2), number(18, 2)]
  if (year < 1970 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return -1
  if (hour > 23 || minute > 59 || second > 59) return -1
  scan.timeMs = Date.UTC(year, month - 1, day, hour, minute, second, number(21, 3))
  return at + TIME_FORM.length
}

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

function daysIn(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return isLeap && month === 2 ? 29 : (MONTH_DAYS[month - 1] as number)
}
