import fc from 'fast-check'
import { expect, test } from 'vitest'
import { growingPauses } from '../../src/client/pauses.ts'

test('pauses double from 100 ms to 30 s, and chance shortens each by up to half', () => {
  const longest = growingPauses(() => 0)
  expect([1, 2, 3, 9, 10, 2_000].map((failures) => longest(failures, 0))).toEqual([
    100, 200, 400, 25_600, 30_000, 30_000,
  ])
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (n, chance) => {
        const full = longest(n, 0) ?? 0
        const pause = growingPauses(() => chance)(n, 0) ?? 0
        expect(pause).toBeLessThanOrEqual(full)
        expect(pause).toBeGreaterThanOrEqual(full / 2)
      },
    ),
  )
})

test('nobody gives up before the time, and everybody after it', () => {
  const pauses = growingPauses(() => 0, 1_000)
  expect([pauses(1, 999), pauses(1, 1_000), pauses(50, 1e9)]).toEqual([100, undefined, undefined])
  expect(growingPauses(() => 0)(50, 1e12)).toBe(30_000)
})
