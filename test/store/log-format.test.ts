import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concatBytes, utf8 } from '../../src/bytes/bytes.ts'
import { decodeSegment, encodeEnd, encodeFrameHead, encodeGroup } from '../../src/store/log-format.ts'
import { runs } from '../bytes/runs.ts'

const SECTOR = 512

interface Group {
  texts: string[]
  /** in the file: the first byte, the end of what was written, the next group */
  from: number
  to: number
  next: number
}

/** A segment that grew ahead of what is in it, and where its groups are. */
function segmentOf(groups: readonly string[][]): { bytes: Buffer; written: Group[] } {
  const parts: Uint8Array[] = []
  const written: Group[] = []
  let from = 0
  for (const texts of groups) {
    const frames = texts.flatMap((text) => [encodeFrameHead(utf8(text)), utf8(text)])
    const group = concatBytes(...encodeGroup(frames, from))
    const to = from + texts.reduce((sum, text) => sum + 12 + text.length, 12)
    parts.push(group)
    written.push({ texts, from, to, next: from + group.length })
    from += group.length
  }
  return { bytes: Buffer.from(concatBytes(...parts, new Uint8Array(3 * SECTOR))), written }
}

const textsOf = (groups: readonly Group[]) => groups.flatMap(({ texts }) => texts)
const found = (bytes: Buffer) => {
  const { payloads, damagedAt, isEnded } = decodeSegment(bytes)
  return { texts: payloads.map((payload) => new TextDecoder().decode(payload)), damagedAt, isEnded }
}
const whole = (groups: readonly Group[]) => ({ texts: textsOf(groups), damagedAt: undefined, isEnded: false })

function changed(bytes: Buffer, change: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(bytes)
  change(copy)
  return copy
}

/** Each text says which it is, so that no two are alike. */
const groupsArbitrary = fc
  .array(fc.array(fc.nat(1_200), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 })
  .map((groups) => groups.map((sizes, i) => sizes.map((size, j) => `${i}.${j}${'x'.repeat(size)}`)))

/** Any segment, and places in it. */
const property = (check: (bytes: Buffer, written: Group[], place: (below: number) => number) => void) =>
  fc.assert(
    fc.property(groupsArbitrary, fc.infiniteStream(fc.nat()), (groups, numbers) => {
      const { bytes, written } = segmentOf(groups)
      expect(found(bytes)).toEqual(whole(written))
      for (let i = 0; i < 20; i++) check(bytes, written, (below) => Number(numbers.next().value) % below)
    }),
    runs(100),
  )

const endOf = (written: readonly Group[]) => written.at(-1)?.next ?? 0

describe('a segment that a crash left', () => {
  test('cut off anywhere holds the groups that are whole', () =>
    property((bytes, written, place) => {
      const size = place(endOf(written) + 20)
      expect(found(bytes.subarray(0, size))).toEqual(whole(written.filter(({ to }) => to <= size)))
    }))

  test('zero from any sector on holds the groups before it', () =>
    property((bytes, written, place) => {
      const from = place(endOf(written) / SECTOR + 1) * SECTOR
      const zeroed = changed(bytes, (copy) => copy.fill(0, from))
      expect(found(zeroed)).toEqual(whole(written.filter(({ to }) => to <= from)))
    }))

  test('whose last write reached the disk in any sectors but all of them ends before it', () =>
    property((bytes, written, place) => {
      const last = written.at(-1) as Group // a segment has one at least
      const torn = changed(bytes, (copy) => {
        for (let at = last.from; at < last.to; at += SECTOR) {
          if (place(2) === 0) copy.fill(0, at, at + SECTOR)
        }
        const missing = last.from + place((last.next - last.from) / SECTOR) * SECTOR
        copy.fill(0, missing, missing + SECTOR)
      })
      expect(found(torn)).toEqual(whole(written.slice(0, -1)))
    }))
})

describe('a segment that was damaged', () => {
  test('by any one bit is damaged in that group, or holds all the same', () =>
    property((bytes, written, place) => {
      const at = place(endOf(written))
      const { damagedAt, ...rest } = found(changed(bytes, (copy) => flip(copy, at, place(8))))
      const group = written.find(({ next }) => at < next) as Group // since at is below the end
      // Nothing reads the zeros between groups.
      if (at >= group.to) return expect({ damagedAt, ...rest }).toEqual(whole(written))
      expect(damagedAt).toBeGreaterThanOrEqual(group.from)
      expect(damagedAt).toBeLessThanOrEqual(at)
      expect(textsOf(written).slice(0, rest.texts.length)).toEqual(rest.texts)
    }))

  test('by the loss of any sector before the last group is damaged there', () =>
    property((bytes, written, place) => {
      const last = written.at(-1) as Group // a segment has one at least
      if (last.from === 0) return
      const at = place(last.from / SECTOR) * SECTOR
      const { damagedAt } = found(changed(bytes, (copy) => copy.fill(0, at, at + SECTOR)))
      const group = written.find(({ next }) => at < next)
      expect(damagedAt).toBeGreaterThanOrEqual(group?.from ?? Infinity)
      expect(damagedAt).toBeLessThanOrEqual(at)
    }))

  test('by a group that lies in the wrong place is damaged there', () => {
    const { bytes, written } = segmentOf([['first'], ['second']])
    const [first, second] = written as [Group, Group]
    const repeated = changed(bytes, (copy) => copy.copy(copy, second.from, first.from, first.next))
    expect(found(repeated)).toMatchObject({ texts: ['first'], damagedAt: second.from })
  })
})

describe('a segment that was ended', () => {
  const ended = (bytes: Buffer, written: readonly Group[]) =>
    Buffer.concat([bytes.subarray(0, endOf(written)), encodeEnd(endOf(written))])

  test('is known to be whole, whatever follows', () => {
    const { bytes, written } = segmentOf([['a', 'b'], ['c']])
    const segment = ended(bytes, written)
    const expected = { texts: ['a', 'b', 'c'], damagedAt: undefined, isEnded: true }
    expect(found(segment)).toEqual(expected)
    expect(found(Buffer.concat([segment, Buffer.alloc(3_000, 7)]))).toEqual(expected)
  })

  test('is not ended any more when anything of its end is lost or changed, or damaged', () =>
    property((bytes, written, place) => {
      const segment = ended(bytes, written)
      const at = place(segment.length)
      const cut = found(segment.subarray(0, at))
      expect(cut.isEnded).toBe(false)
      const flipped = found(changed(segment, (copy) => flip(copy, at, place(8))))
      if (flipped.isEnded) expect(flipped).toEqual({ ...whole(written), isEnded: true })
      else expect(flipped.damagedAt).toBeLessThanOrEqual(at)
      const sector = Math.floor(at / SECTOR) * SECTOR
      const lost = found(
        changed(segment, (copy) => copy.fill(0, sector, Math.min(sector + SECTOR, copy.length))),
      )
      expect(lost.isEnded).toBe(false)
      if (sector < endOf(written)) expect(lost.damagedAt).toBeLessThanOrEqual(sector)
    }))
})

describe('a segment of before there were groups', () => {
  const texts = ['first', 'the second payload', 'third']
  const frames = texts.map((text) => concatBytes(encodeFrameHead(utf8(text)), utf8(text)))
  const old = Buffer.from(concatBytes(...frames))
  const starts = [0, 17, 47]

  test('is ended where its last frame ends', () => {
    expect(found(old)).toEqual({ texts, damagedAt: undefined, isEnded: true })
    expect(decodeSegment(old)).toMatchObject({ size: old.length, isGrouped: false })
  })

  test('cut off anywhere, or followed by zeros, holds the frames that are whole', () => {
    for (let size = 0; size < old.length; size++) {
      const count = starts.filter((_, i) => (starts[i + 1] ?? old.length) <= size).length
      const expected = { texts: texts.slice(0, count), damagedAt: undefined }
      expect(found(old.subarray(0, size)), `cut at ${size}`).toMatchObject(expected)
    }
    const expected = { texts, damagedAt: undefined, isEnded: false }
    for (const zeros of [1, 12, 4_096]) {
      expect(found(Buffer.concat([old, Buffer.alloc(zeros)]))).toEqual(expected)
    }
  })

  test('damaged before its last frame is damaged there', () => {
    for (let at = 0; at < 47; at++) {
      const { damagedAt } = found(changed(old, (copy) => flip(copy, at, 0)))
      expect(damagedAt, `byte ${at}`).toBe(starts.findLast((start) => start <= at))
    }
  })
})

test('a group is whole sectors, and knows its place', () => {
  const group = concatBytes(...encodeGroup([encodeFrameHead(utf8('a')), utf8('a')], 3 * SECTOR))
  expect(group).toHaveLength(SECTOR)
  expect([...group.subarray(0, 8)]).toEqual([0, 0, 0, 13, 0, 0, 0, 3])
})

function flip(bytes: Buffer, at: number, bit: number): void {
  bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
}
