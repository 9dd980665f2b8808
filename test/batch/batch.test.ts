import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeItem,
  encodeItem,
  frameLines,
  type Header,
  type Item,
  parseItem,
  parseJsonHeader,
  parseSubmissions,
  readFrame,
  readFrameTable,
  type SealedBatch,
  sealBatch,
  verifyBatch,
  verifySubmissions,
} from '../../src/batch/index.ts'
import {
  buildIndex,
  IndexReader,
  indexKey,
  indexValues,
  recordValue,
  verifyLookup,
} from '../../src/lookup/index.ts'
import { readInclusionPath, verifyInclusion } from '../../src/merkle/index.ts'
import { canonicalText, leafHash, openRecord, parseRecord, sealRecord } from '../../src/record/index.ts'
import { runs } from '../bytes/runs.ts'
import { exampleOf } from '../record/examples.ts'
import { batchOf, compress, decompress, PUBLISHER, readerOf, submissionOf } from './items.ts'

const mismatch = (message: unknown = expect.any(String)) =>
  expect.objectContaining({ name: 'VerificationError', code: 'BATCH_MISMATCH', message })
const badRecord = expect.objectContaining({ name: 'VerificationError', code: 'MALFORMED_RECORD' })

const jsonOf = (file: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(file))

async function linesOf(file: Uint8Array): Promise<string[]> {
  const lines: string[] = []
  for (const frame of await readFrameTable(readerOf(file), file.length)) {
    lines.push(...frameLines(await readFrame(readerOf(file), frame, decompress)))
  }
  return lines
}

const itemsOf = async ({ files }: SealedBatch) => (await linesOf(files['records.ndjson.zst'])).map(decodeItem)

describe('an item', () => {
  const { record, disclosures } = sealRecord(parseRecord(exampleOf('tidemark.call.v1')))
  const bare = parseRecord(exampleOf('tidemark.heartbeat.v1'))

  test('is the canonical text of its record, or of record and disclosures where it has some', () => {
    expect(encodeItem({ record: bare, disclosures: [] })).toBe(canonicalText(bare))
    expect(encodeItem({ record, disclosures })).toBe(
      `{"disclosures":${JSON.stringify(disclosures)},"record":${canonicalText(record)}}`,
    )
  })

  test('is read back from its line', () => {
    for (const item of [
      { record: bare, disclosures: [] },
      { record, disclosures },
    ]) {
      expect(decodeItem(encodeItem(item))).toEqual(item)
    }
  })

  test.each([
    ['a blank behind', (line: string) => `${line} `],
    ['a blank within', (line: string) => line.replace(':', ': ')],
    ['a byte order mark', (line: string) => `\ufeff${line}`],
    [
      'its members in another order',
      (line: string) => JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(line)).reverse())),
    ],
    ['a member twice', (line: string) => line.replace('{', '{"disclosures":[],')],
    ['an escape that is not needed', (line: string) => line.replace('tidemark', String.raw`\u0074idemark`)],
    ['a member more', (line: string) => line.replace(/}$/, ',"z":1}')],
    ['half of it', (line: string) => line.slice(0, line.length / 2)],
    ['nothing', () => ''],
    ['null', () => 'null'],
    ['a list', (line: string) => `[${line}]`],
  ])('is refused with %s', (_, change) => {
    for (const item of [
      { record: bare, disclosures: [] },
      { record, disclosures },
    ]) {
      expect(() => decodeItem(change(encodeItem(item)))).toThrow(badRecord)
    }
  })

  test('has no empty list of disclosures on its line', () => {
    expect(() => decodeItem(`{"disclosures":[],"record":${canonicalText(bare)}}`)).toThrow(badRecord)
    expect(parseItem({ record: bare, disclosures: [] })).toEqual({ record: bare, disclosures: [] })
  })

  test.each([
    ['BAD_RECORD', '/extra', { record, disclosures, extra: 1 }],
    ['BAD_DISCLOSURE', '/disclosures', { record, disclosures: 'x' }],
    ['BAD_DISCLOSURE', '/disclosures', { record, disclosures: [1] }],
    ['BAD_DISCLOSURE', '/disclosures', { record, disclosures: null }],
    ['BAD_RECORD', '/type', { record: {}, disclosures }],
    ['BAD_RECORD', '', { record: null, disclosures }],
    ['BAD_RECORD', '/type', { record }],
    ['BAD_RECORD', '', null],
    ['BAD_RECORD', '', 'record'],
  ])('is refused as input with %s at %j', (code, pointer, value) => {
    expect(() => parseItem(value)).toThrow(
      expect.objectContaining({ name: 'InputError', code, place: { pointer } }),
    )
  })

  test('any changed character of its line gives another line or is refused', () => {
    const line = encodeItem({ record, disclosures })
    fc.assert(
      fc.property(fc.nat(line.length - 1), fc.constantFrom(...'a0Z{}[]",:\\ .\u00e9'), (at, character) => {
        fc.pre(line[at] !== character)
        const changed = line.slice(0, at) + character + line.slice(at + 1)
        try {
          expect(encodeItem(decodeItem(changed))).toBe(changed)
        } catch (error) {
          expect(error).toEqual(badRecord)
        }
      }),
      runs(300),
    )
  })
})

describe('a sealed batch', () => {
  test('holds what a stranger needs to make its header again', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 }),
        async (counts) => {
          const waiting = counts.map((count, i) => submissionOf(`urn:source:${i % 2}`, i, count))
          const batch = batchOf(...waiting)
          const header = parseJsonHeader(jsonOf(batch.files['header.json']))
          expect(header).toEqual(batch.header)
          expect(header).toMatchObject({ publisher: PUBLISHER, sequence: 7n })
          const items = await itemsOf(batch)
          expect(items).toEqual(waiting.flatMap((submission) => submission.items))
          expect(verifyBatch(header, items).indexFile).toEqual(batch.files['index.bin'])
          const submissions = parseSubmissions(jsonOf(batch.files['submissions.json']), header.recordCount)
          verifySubmissions(submissions, items)
          expect(submissions.map(({ count }) => count)).toEqual(counts)
          expect(submissions.map(({ source }) => source)).toEqual(waiting.map(({ source }) => source))
        },
      ),
      runs(20),
    )
  })

  test('proves each of its records, by its tree file and by its index', async () => {
    const batch = batchOf(submissionOf('urn:source:a', 0, 300), submissionOf('urn:source:b', 4, 41))
    const { header, files } = batch
    const items = await itemsOf(batch)
    const reader = await IndexReader.open(readerOf(files['index.bin']))
    for (const [index, { record }] of items.entries()) {
      const path = await readInclusionPath(readerOf(files['tree.bin']), header.recordCount, index)
      verifyInclusion({
        leafHash: leafHash(record),
        index,
        size: header.recordCount,
        path,
        root: header.recordsRoot,
      })
      const key = indexKey('record', recordValue(record.source, record.id))
      expect([...verifyLookup(key, await reader.prove(key), header)]).toEqual([index])
    }
    const person = indexKey('person', String(exampleOf('tidemark.call.v1').data.person))
    const calls = items.flatMap(({ record }, i) => (record.type === 'tidemark.call.v1' ? [i] : []))
    expect([...verifyLookup(person, await reader.prove(person), header)]).toEqual(calls)
  })

  test('keeps private disclosures in its vault alone', async () => {
    const waiting = submissionOf('urn:source:a', 0, 600)
    const { files } = batchOf(waiting)
    const opened = (await linesOf(files['vault.ndjson.zst'])).map(
      (line) => JSON.parse(line) as { position: number; disclosures: string[] },
    )
    expect(opened.map(({ position }) => position)).toEqual(
      waiting.vault.flatMap((disclosures, i) => (disclosures.length > 0 ? [i] : [])),
    )
    for (const { position, disclosures } of opened) {
      const item = waiting.items[position] as Item
      const { data } = openRecord(item.record, [...item.disclosures, ...disclosures])
      expect(data.note).toBe(exampleOf(item.record.type).data.note)
    }
    const records = (await linesOf(files['records.ndjson.zst'])).join('\n')
    for (const disclosure of waiting.vault.flat()) expect(records).not.toContain(disclosure)
  })

  test('covers the times of its records, in whatever order they come', () => {
    const waiting = submissionOf('urn:source:a', 0, 10)
    waiting.items.reverse()
    const { header } = batchOf(waiting)
    const start = BigInt(Date.UTC(2026, 2, 1, 9, 30))
    expect([header.firstTime, header.lastTime]).toEqual([start, start + 9000n])
  })

  test('is the same at every sealing', () => {
    expect(batchOf(submissionOf('urn:source:a', 0, 30))).toEqual(batchOf(submissionOf('urn:source:a', 0, 30)))
  })

  test('needs a record', () => {
    const empty = expect.objectContaining({ name: 'InputError', code: 'EMPTY_SUBMISSION' })
    expect(() => sealBatch(PUBLISHER, 0n, [], compress)).toThrow(empty)
    expect(() => batchOf({ ...submissionOf('urn:source:a', 0, 1), items: [] })).toThrow(empty)
  })

  test('does not take a record that no reader would take', () => {
    const names = Array.from({ length: 256 }, () => 'n'.repeat(256))
    const transfer = exampleOf('tidemark.transfer.v1')
    const record = parseRecord({ ...transfer, data: { inputs: names, outputs: ['o'], mode: 'raw' } })
    expect(() =>
      batchOf({ ...submissionOf('urn:source:a', 0, 1), items: [{ record, disclosures: [] }] }),
    ).toThrow(expect.objectContaining({ name: 'InputError', code: 'TOO_LARGE' }))
  })
})

describe('a batch is refused', () => {
  const batch = batchOf(submissionOf('urn:source:a', 0, 20), submissionOf('urn:source:b', 1, 21))
  const good = {
    header: batch.header,
    items: [...submissionOf('urn:source:a', 0, 20).items, ...submissionOf('urn:source:b', 1, 21).items],
  }

  const changed = (change: (item: Item) => Item, at: number) =>
    good.items.map((item, i) => (i === at ? change(structuredClone(item)) : item))

  test('never when nothing is wrong with it', () => {
    verifyBatch(good.header, good.items)
  })

  test.each([0, 1, 20, 40])('when any member of record %d was changed', (at) => {
    for (const [member, value] of [
      ['id', 'another'],
      ['source', 'urn:source:c'],
      ['subject', 'civil-registry/deaths'],
      ['time', '2026-03-01T09:30:05.001Z'],
    ] as const) {
      const items = changed((item) => ({ ...item, record: { ...item.record, [member]: value } }), at)
      expect(() => verifyBatch(good.header, items)).toThrow(mismatch(expect.stringContaining('recordsRoot')))
    }
  })

  test('when a record was left out, added, doubled or moved', () => {
    const [first, second, ...rest] = good.items as [Item, Item, ...Item[]]
    const records = mismatch(expect.stringMatching(/record(?:sRoot|Count)/))
    for (const items of [
      [second, ...rest],
      [first, ...good.items],
      [second, first, ...rest],
      [second, second, ...rest],
      [],
    ]) {
      expect(() => verifyBatch(good.header, items)).toThrow(records)
      // An honest count does not help.
      if (items.length > 0) {
        expect(() => verifyBatch({ ...good.header, recordCount: items.length }, items)).toThrow(
          mismatch(expect.stringContaining('recordsRoot')),
        )
      }
    }
  })

  test('when an index entry was left out or added', () => {
    const values = good.items.map(({ record, disclosures }) => indexValues(record, disclosures))
    const without = values.map((found, i) => (i === 3 ? new Map([...found].slice(1)) : found))
    const withMore = values.map((found, i) =>
      i === 1 ? new Map([...found, ['person', 'nobody'] as const]) : found,
    )
    const misplaced = values.map((_, i) => values[(i + 1) % values.length] as (typeof values)[number])
    for (const forged of [without, withMore, misplaced]) {
      const { indexRoot, indexSize } = buildIndex(forged)
      expect(() => verifyBatch({ ...good.header, indexRoot, indexSize }, good.items)).toThrow(
        mismatch(expect.stringContaining('indexRoot')),
      )
    }
  })

  test('when the disclosure of a pseudonym was held back, forged or added', () => {
    const at = good.items.findIndex(({ disclosures }) => disclosures.length > 0)
    const other = good.items.findLast(({ disclosures }) => disclosures.length > 0)?.disclosures ?? []
    expect(() =>
      verifyBatch(
        good.header,
        changed((item) => ({ ...item, disclosures: [] }), at),
      ),
    ).toThrow(expect.objectContaining({ name: 'VerificationError', code: 'BAD_DISCLOSURE' }))
    for (const disclosures of [other, ['forged'], [...(good.items[at]?.disclosures ?? []), ...other]]) {
      expect(() =>
        verifyBatch(
          good.header,
          changed((item) => ({ ...item, disclosures }), at),
        ),
      ).toThrow(expect.objectContaining({ name: 'VerificationError', code: 'BAD_DISCLOSURE' }))
    }
  })

  test.each<[keyof Header, (header: Header) => Partial<Header>]>([
    ['recordCount', ({ recordCount }) => ({ recordCount: recordCount + 1 })],
    ['recordCount', ({ recordCount }) => ({ recordCount: recordCount - 1 })],
    ['recordCount', () => ({ recordCount: 0 })],
    ['recordsRoot', ({ indexRoot }) => ({ recordsRoot: indexRoot })],
    ['indexRoot', ({ recordsRoot }) => ({ indexRoot: recordsRoot })],
    ['indexSize', ({ indexSize }) => ({ indexSize: indexSize + 1 })],
    ['firstTime', ({ firstTime }) => ({ firstTime: firstTime - 1n })],
    ['firstTime', ({ firstTime }) => ({ firstTime: firstTime + 1n })],
    ['lastTime', ({ lastTime }) => ({ lastTime: lastTime + 1n })],
    ['lastTime', ({ lastTime }) => ({ lastTime: lastTime - 1n })],
  ])('when the header lies about %s', (member, lie) => {
    expect(() => verifyBatch({ ...good.header, ...lie(good.header) }, good.items)).toThrow(
      mismatch(expect.stringContaining(member)),
    )
  })

  test('when a submission holds a record of another source', () => {
    const submissions = parseSubmissions(jsonOf(batch.files['submissions.json']), good.items.length)
    verifySubmissions(submissions, good.items)
    const shifted = [
      { ...submissions[0], count: 21 },
      { ...submissions[1], first: 21, count: 20 },
    ] as typeof submissions
    expect(() => verifySubmissions(shifted, good.items)).toThrow(mismatch())
    expect(() =>
      verifySubmissions(
        submissions.map((submission) => ({ ...submission, source: 'urn:source:x' })),
        good.items,
      ),
    ).toThrow(mismatch())
  })
})

describe('submissions.json is refused', () => {
  const entry = (first: number, count: number, change: object = {}) => ({
    source: 'urn:source:a',
    sequence: '3',
    first,
    count,
    signature: null,
    receivedAt: '1790000000000',
    ...change,
  })

  test('never when the submissions fill the batch', () => {
    const signature = `0x${'12'.repeat(65)}`
    expect(parseSubmissions([entry(0, 2), entry(2, 3, { signature })], 5)).toEqual([
      {
        source: 'urn:source:a',
        sequence: 3n,
        first: 0,
        count: 2,
        signature: null,
        receivedAt: 1_790_000_000_000n,
      },
      { source: 'urn:source:a', sequence: 3n, first: 2, count: 3, signature, receivedAt: 1_790_000_000_000n },
    ])
  })

  test.each([
    ['that overlap', [entry(0, 3), entry(2, 3)]],
    ['that leave a gap', [entry(0, 2), entry(3, 2)]],
    ['in another order', [entry(2, 3), entry(0, 2)]],
    ['that start late', [entry(1, 4)]],
    ['that end early', [entry(0, 4)]],
    ['that go beyond the batch', [entry(0, 6)]],
    ['without records', [entry(0, 0), entry(0, 5)]],
    ['of less than nothing', [entry(0, 6), entry(6, -1)]],
    ['of half a record', [entry(0, 2.5), entry(2.5, 2.5)]],
    ['with a count as text', [entry(0, 5, { count: '5' })]],
    ['with a place as text', [entry(0, 5, { first: '0' })]],
    ['without a source', [entry(0, 5, { source: undefined })]],
    ['with a sequence as a number', [entry(0, 5, { sequence: 3 })]],
    ['with leading zeros', [entry(0, 5, { sequence: '03' })]],
    ['without a time', [entry(0, 5, { receivedAt: undefined })]],
    ['with a signature that is no hex', [entry(0, 5, { signature: 'signed' })]],
    ['with a signature of 64 bytes', [entry(0, 5, { signature: `0x${'12'.repeat(64)}` })]],
    ['with a signature of 66 bytes', [entry(0, 5, { signature: `0x${'12'.repeat(66)}` })]],
    ['without a word on the signature', [entry(0, 5, { signature: undefined })]],
    ['that are null', [null]],
    ['that are lists', [[]]],
    ['that are none', []],
    ['that are no list', { 0: entry(0, 5) }],
    ['that are nothing', null],
  ])('with submissions %s', (_, value) => {
    expect(() => parseSubmissions(value, 5)).toThrow(mismatch())
  })
})
