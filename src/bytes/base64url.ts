import { InputError } from '../errors.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const VALUES = new Map([...ALPHABET].map((character, value) => [character, value]))

/** RFC 4648, section 5, without padding. */
export function toBase64url(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i
    const group = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    for (let k = 0; k < Math.min(left + 1, 4); k++) text += ALPHABET[(group >> (18 - 6 * k)) & 63]
  }
  return text
}

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
  for (const character of text) {
    const value = VALUES.get(character)
    if (value === undefined)
      throw new InputError('BAD_ARGUMENT', `not base64url: ${JSON.stringify(character)}`)
    held = (held << 6) | value
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes[length++] = (held >> bits) & 0xff
      held &= (1 << bits) - 1
    }
  }
  if (bits === 6 || held !== 0)
    throw new InputError('BAD_ARGUMENT', 'not canonical base64url: spare bits at the end')
  return bytes
}
