/**
 * How the write-ahead log lies on disk: frames in groups, one group for each write that was synced.
 *
 * A frame is `length u32 || crc32 of the length || crc32 of the payload || payload`, a group
 * `length of its frames u32 || its sector u32 || crc32 of these two || frames || zeros up to the next sector`. A group
 * without frames ends a segment; what lies after it is nothing. Segments of before there were groups are frames alone.
 *
 * A group begins only after the one before it is on disk, and on a sector of its own. So a crash tears nothing but the
 * last group, and where it does, whole sectors are still the zeros that were there before or lie beyond the end of the
 * file. Everything else is damage: a bad group with another after it, or without a sector of zeros. For the latter,
 * payloads must not hold so many zeros in a row themselves.
 */

import { crc32 } from 'node:zlib'

/** What a disk writes whole or not at all. */
export const SECTOR_BYTES = 512
const FRAME_HEAD_BYTES = 12
const GROUP_HEAD_BYTES = 12

export interface DecodedSegment {
  payloads: Uint8Array[]
  /** where they end, in bytes */
  size: number
  /** nothing can have come after them */
  isEnded: boolean
  /** in bytes; undefined when there is nothing but what a crash leaves */
  damagedAt: number | undefined
  /** false in segments of before there were groups */
  isGrouped: boolean
}

/** What comes before a payload, given in parts, in its frame. */
export function encodeFrameHead(...payload: readonly Uint8Array[]): Uint8Array {
  const head = Buffer.alloc(FRAME_HEAD_BYTES)
  head.writeUInt32BE(payload.reduce((sum, part) => sum + part.length, 0))
  head.writeUInt32BE(crc32(head.subarray(0, 4)), 4)
  head.writeUInt32BE(
    payload.reduce((sum, part) => crc32(part, sum), 0),
    8,
  )
  return head
}

/**
 * @param frames the parts of whole frames
 * @param offset of the group in its segment, a multiple of a sector
 * @returns the parts of the group, together whole sectors
 */
export function encodeGroup(frames: readonly Uint8Array[], offset: number): Uint8Array[] {
  const length = frames.reduce((sum, part) => sum + part.length, 0)
  const end = offset + GROUP_HEAD_BYTES + length
  return [encodeGroupHead(length, offset), ...frames, new Uint8Array(toSector(end) - end)]
}

/** What ends a segment at `offset`, a multiple of a sector. */
export const encodeEnd = (offset: number): Uint8Array => encodeGroupHead(0, offset)

function encodeGroupHead(length: number, offset: number): Uint8Array {
  const head = Buffer.alloc(GROUP_HEAD_BYTES)
  head.writeUInt32BE(length)
  head.writeUInt32BE(offset / SECTOR_BYTES, 4)
  head.writeUInt32BE(crc32(head.subarray(0, 8)), 8)
  return head
}

export function decodeSegment(bytes: Buffer): DecodedSegment {
  if (isFrameHead(bytes, 0)) return decodeUngrouped(bytes)
  const payloads: Uint8Array[] = []
  for (let offset = 0; ; ) {
    const found = { payloads, size: offset, isGrouped: true }
    const length = groupLength(bytes, offset)
    if (length === 0) return { ...found, isEnded: true, damagedAt: undefined }
    const start = offset + GROUP_HEAD_BYTES
    const end = start + (length ?? 0)
    const frames = decodeFrames(bytes, start, end)
    if (length === undefined || frames.stop < end) {
      const isTorn = isUnwritten(bytes, offset, end) && !hasGroupAfter(bytes, offset)
      const place = length === undefined ? offset : frames.stop
      return { ...found, isEnded: false, damagedAt: isTorn ? undefined : place }
    }
    for (const payload of frames.payloads) payloads.push(payload)
    offset = toSector(end)
  }
}

/** There, what a crash may tear is a frame that the file ends with or within, and zeros. */
function decodeUngrouped(bytes: Buffer): DecodedSegment {
  const { payloads, stop } = decodeFrames(bytes, 0, bytes.length)
  const end = isFrameHead(bytes, stop) ? frameEnd(bytes, stop) : stop + FRAME_HEAD_BYTES - 1
  const isTorn = end >= bytes.length || isZero(bytes.subarray(stop))
  return {
    payloads,
    size: stop,
    isEnded: stop === bytes.length,
    damagedAt: isTorn ? undefined : stop,
    isGrouped: false,
  }
}

/** @returns the payloads of the whole frames, and where they stop: at `to`, or before one that is not whole */
function decodeFrames(bytes: Buffer, from: number, to: number) {
  const payloads: Uint8Array[] = []
  let stop = from
  while (isFrameHead(bytes, stop)) {
    const end = frameEnd(bytes, stop)
    if (end > Math.min(to, bytes.length)) break
    const payload = bytes.subarray(stop + FRAME_HEAD_BYTES, end)
    if (crc32(payload) !== bytes.readUInt32BE(stop + 8)) break
    payloads.push(payload)
    stop = end
  }
  return { payloads, stop }
}

/** A length that cannot be believed leads nowhere. */
const isFrameHead = (bytes: Buffer, at: number): boolean =>
  at + FRAME_HEAD_BYTES <= bytes.length && crc32(bytes.subarray(at, at + 4)) === bytes.readUInt32BE(at + 4)

const frameEnd = (bytes: Buffer, at: number): number => at + FRAME_HEAD_BYTES + bytes.readUInt32BE(at)

/** @returns undefined when there is no group's head */
function groupLength(bytes: Buffer, at: number): number | undefined {
  if (at + GROUP_HEAD_BYTES > bytes.length || bytes.readUInt32BE(at + 4) !== at / SECTOR_BYTES)
    return undefined
  return crc32(bytes.subarray(at, at + 8)) === bytes.readUInt32BE(at + 8) ? bytes.readUInt32BE(at) : undefined
}

/** Whether some of the group from `offset` to `end` did not reach the disk. */
function isUnwritten(bytes: Buffer, offset: number, end: number): boolean {
  if (end > bytes.length) return true
  for (let at = offset; at < end; at += SECTOR_BYTES) {
    if (isZero(bytes.subarray(at, at + SECTOR_BYTES))) return true
  }
  return false
}

function hasGroupAfter(bytes: Buffer, offset: number): boolean {
  for (let at = offset + SECTOR_BYTES; at < bytes.length; at += SECTOR_BYTES) {
    if (groupLength(bytes, at) !== undefined) return true
  }
  return false
}

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0)

const toSector = (offset: number): number => Math.ceil(offset / SECTOR_BYTES) * SECTOR_BYTES
