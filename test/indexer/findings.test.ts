import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeItem, type Header } from '../../src/batch/index.ts'
import { utf8 } from '../../src/bytes/bytes.ts'
import { findBadRecords } from '../../src/indexer/findings.ts'
import { hashLeaves, treeRoot } from '../../src/merkle/index.ts'
import { canonicalText } from '../../src/record/index.ts'
import { submissionOf } from '../batch/items.ts'
import { runs } from '../bytes/runs.ts'
import { makeHeader } from '../chain/fixture.ts'

const { items } = submissionOf('urn:a', 0, 300)
const LINES = items.map(encodeItem)

/** Lines that a publisher can put under a root, and that are no records: none may name one of these positions wrongly. */
const BAD = [
  '{}',
  '[]',
  'null',
  '"a text"',
  '{"id":"1","source":"urn:a","specversion":"1.0"}',
  '{"disclosures":["bm9uZQ"],"record":{}}',
  '{"disclosures":[],"more":1,"record":{"id":"1"}}',
]

/** What a line puts into the records tree: the record alone, without its disclosures. */
function leafOf(line: string): Uint8Array {
  const value: unknown = JSON.parse(line)
  return utf8(canonicalText(Object(value).record ?? value))
}

/** A header that commits to these lines. */
const headerOf = (lines: readonly string[]): Header => ({
  ...makeHeader(0),
  recordCount: lines.length,
  recordsRoot: treeRoot(hashLeaves(lines.map(leafOf))),
})

async function* framesOf(lines: readonly string[]): AsyncGenerator<string[]> {
  for (let first = 0; first < lines.length; first += 256) yield lines.slice(first, first + 256)
}

test('of lines that the header commits to, exactly those that are no records are named', async () => {
  const places = fc.uniqueArray(fc.nat({ max: LINES.length - 1 }), { minLength: 1, maxLength: 90 })
  await fc.assert(
    fc.asyncProperty(
      places,
      fc.array(fc.nat(), { minLength: 90, maxLength: 90 }),
      async (positions, kinds) => {
        const lines = [...LINES]
        for (const [i, position] of positions.entries()) {
          lines[position] = BAD[(kinds[i] ?? 0) % BAD.length] as string // below its length
        }
        const expected = positions.toSorted((a, b) => a - b)
        expect(await findBadRecords(framesOf(lines), headerOf(lines))).toEqual(expected)
      },
    ),
    runs(20),
  )
})

test('of many, the first hundred are named', async () => {
  const lines = LINES.map((line, i) => (i % 2 === 1 ? '{}' : line))
  const found = await findBadRecords(framesOf(lines), headerOf(lines))
  expect(found).toEqual(Array.from({ length: 100 }, (_, i) => 2 * i + 1))
})

test('where every line is a record, none is named', async () => {
  expect(await findBadRecords(framesOf(LINES), headerOf(LINES))).toEqual([])
})

test.each([
  ['a line was changed', LINES.with(7, '{}')],
  ['a line is missing', LINES.slice(1)],
  ['there is a line more', [...LINES, '{}']],
  ['a line is no JSON', LINES.with(7, '{')],
  ['two lines have changed places', LINES.with(0, LINES[3] ?? '').with(3, LINES[0] ?? '')],
  ['there are no lines', []],
])('nobody is accused when the header does not commit to the lines: %s', async (_, lines) => {
  expect(await findBadRecords(framesOf(lines), headerOf(LINES))).toBeUndefined()
})
