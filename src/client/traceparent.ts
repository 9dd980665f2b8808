import { randomBytes } from 'node:crypto'

const VALID = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/**
 * Reads a traceparent as W3C Trace Context, section 3.2, says; one of a later version is read as version 00.
 *
 * @returns undefined for one that is not valid, which is to be treated as none
 */
export function readTraceparent(header: string | undefined): string | undefined {
  const [, version, trace = '', parent = '', flags = '', more] = VALID.exec(header ?? '') ?? []
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined
  if (/^0+$/.test(trace) || /^0+$/.test(parent)) return undefined
  if (version === '00') return `00-${trace}-${parent}-${flags}`
  // Of the flags of a later version only the first bit is known.
  return `00-${trace}-${parent}-0${Number.parseInt(flags, 16) & 1}`
}

/** A trace that begins here, and is not sampled. */
export const newTraceparent = (random: (sizeBytes: number) => Buffer = randomBytes): string =>
  `00-${nonZeroHex(random(16))}-${nonZeroHex(random(8))}-00`

/** All zeros would be invalid. */
function nonZeroHex(bytes: Buffer): string {
  const hex = bytes.toString('hex')
  return /^0+$/.test(hex) ? hex.replace(/0$/, '1') : hex
}
