import { InputError } from '../errors.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** The characters of twelve bits at a time: two for each. */
const PAIRS = Array.from({ length: 4_096 }, (_, bits) => `${ALPHABET[bits >> 6]}${ALPHABET[bits & 63]}`)
const NONE = 0xff
/** The value of each ASCII character. */
const VALUES = new Uint8Array(128).fill(NONE)
for (let value = 0; value < ALPHABET.length; value++) VALUES[ALPHABET.charCodeAt(value)] = value

/** RFC 4648, section 5, without padding. */
export function toBase64url(bytes: Uint8Array): string {
  let text = ''
  const whole = bytes.length - (bytes.length % 3)
  for (let i = 0; i < whole; i += 3) {
    const group = (at(bytes, i) << 16) | (at(bytes, i + 1) << 8) | at(bytes, i + 2)
    text += `${PAIRS[group >> 12]}${PAIRS[group & 0xfff]}`
  }
  const left = bytes.length - whole
  if (left === 1) text += PAIRS[at(bytes, whole) << 4]
  if (left === 2) {
    const group = (at(bytes, whole) << 8) | at(bytes, whole + 1)
    text += `${PAIRS[group >> 4]}${ALPHABET[(group & 15) << 2]}`
  }
  return text
}

/** RFC 4648, section 4, with padding. */
export const toBase64 = (bytes: Uint8Array): string =>
  toBase64url(bytes)
    .replaceAll('-', '+')
    .replaceAll('_', '/')
    .padEnd(4 * Math.ceil(bytes.length / 3), '=')

/**
 * RFC 4648, section 5, without padding; only the canonical spelling is accepted (spare bits are zero).
 *
 * @throws {InputError} `BAD_ARGUMENT`
 */
export function fromBase64url(text: string): Uint8Array {
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4))
  let bits = 0
  let held = 0
  let length = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    const value = code < 128 ? at(VALUES, code) : NONE
    if (value === NONE) {
      const character = String.fromCodePoint(text.codePointAt(i) ?? code)
      throw new InputError('BAD_ARGUMENT', `not base64url: ${JSON.stringify(character)}`)
    }
    held = (held << 6) | value
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes[length++] = held >> bits
      held &= (1 << bits) - 1
    }
  }
  if (bits === 6 || held !== 0)
    throw new InputError('BAD_ARGUMENT', 'not canonical base64url: spare bits at the end')
  return bytes
}

/**
 * The same of text that stands in bytes; its length MUST NOT leave a single character over.
 *
 * @param text from `start` up to `end`
 * @param out gets the bytes, from its beginning
 * @returns whether it is base64url in its canonical spelling
 */
export function readBase64url(text: Uint8Array, start: number, end: number, out: Uint8Array): boolean {
  let [bits, held, length] = [0, 0, 0]
  for (let i = start; i < end; i++) {
    const code = at(text, i)
    const value = code < 128 ? at(VALUES, code) : NONE
    if (value === NONE) return false
    held = (held << 6) | value
    bits += 6
    if (bits < 8) continue
    bits -= 8
    out[length++] = held >> bits
    held &= (1 << bits) - 1
  }
  return held === 0
}

const at = (bytes: Uint8Array, i: number): number => bytes[i] as number
