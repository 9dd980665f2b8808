import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareBytes, concatBytes } from '../../src/bytes/bytes.ts'
import { indexKey } from '../../src/lookup/keys.ts'
import { IndexSketch, ROW_BYTES } from '../../src/lookup/sketch.ts'
import { runs } from '../bytes/runs.ts'

/** Uniform ones as they are in truth, and ones that crowd together. */
const key = fc.oneof(
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
  fc
    .tuple(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(3))
    .map(([fill, last]) => Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? last : fill))),
)

const tableOf = (keys: readonly Uint8Array[]) =>
  concatBytes(...keys.flatMap((each) => [each, new Uint8Array(ROW_BYTES - each.length)]))

test('a sketch names the row of every key that the index has', () => {
  fc.assert(
    fc.property(fc.uniqueArray(key, { minLength: 1, maxLength: 300, selector: String }), (keys) => {
      const sorted = keys.toSorted(compareBytes)
      const sketch = new IndexSketch(tableOf(sorted))
      sorted.forEach((each, row) => {
        const rows = sketch.rowsOf(each)
        expect(rows).toBeDefined()
        expect(rows?.start).toBeLessThanOrEqual(row)
        expect(rows?.end).toBeGreaterThan(row)
      })
    }),
    runs(100),
  )
})

test('a sketch tells most keys that the index lacks from those that it has', () => {
  const keyOf = (i: number) => indexKey('request', `r-${i}`)
  const sketch = new IndexSketch(
    tableOf(Array.from({ length: 1_000 }, (_, i) => keyOf(i)).sort(compareBytes)),
  )
  const passed = Array.from({ length: 1_000 }, (_, i) => sketch.rowsOf(keyOf(1_000 + i))).filter(Boolean)
  expect(passed.length).toBeLessThan(20)
})
