import * as Type from 'typebox'

/** The kinds of value that records are made of (docs/format.md, "Records"). */

export const text = (maxLength: number) => Type.String({ minLength: 1, maxLength })

/** Name of a party, a service or a resource: what a catalogue lists. */
export const name = text(256)

/** A word of a fixed list that the publisher documents: lowercase, with `.`, `_` or `-` between its parts. */
export const word = Type.String({ maxLength: 64, pattern: '^[a-z0-9]+(?:[._-][a-z0-9]+)*$' })

/** RFC 3339 in UTC with milliseconds, as `Date.prototype.toISOString` writes it. */
export const time = Type.String({
  pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$',
})

/** A URI reference, of which only the characters are checked. */
export const sourceName = Type.String({ minLength: 1, maxLength: 256, pattern: '^[!-~]+$' })

/** W3C Trace Context. */
export const traceParent = Type.String({ pattern: '^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$' })

export const count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

/** Unsigned integer that may exceed 2^53, as a decimal string without leading zeros. */
export const decimal = Type.String({ maxLength: 78, pattern: '^(?:0|[1-9][0-9]*)$' })

export const hex = (sizeBytes: number) => Type.String({ pattern: `^0x[0-9a-f]{${2 * sizeBytes}}$` })

export const bytes = (maxBytes: number) =>
  Type.String({ maxLength: 2 + 2 * maxBytes, pattern: '^0x(?:[0-9a-f]{2})+$' })

/** base64url of 32 bytes: an HMAC-SHA256 tag, a SHA-256 digest. */
export const digest = Type.String({ pattern: '^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$' })

export const oneOf = <const Words extends [string, ...string[]]>(...words: Words) => Type.Enum(words)

export const optional = Type.Optional
