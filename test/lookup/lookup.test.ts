import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { MerkleTree } from 'merkletreejs'
import { describe, expect, test } from 'vitest'
import { compareBytes } from '../../src/bytes/bytes.ts'
import {
  type BatchIndex,
  buildIndex,
  decodeBucket,
  INDEX_NAMES,
  type IndexName,
  IndexReader,
  indexKey,
  indexValues,
  type LookupProof,
  recordValue,
  verifyLookup,
} from '../../src/lookup/index.ts'
import { hashLeaf } from '../../src/merkle/index.ts'
import { parseRecord, sealRecord } from '../../src/record/index.ts'
import { runs } from '../bytes/runs.ts'
import { exampleOf } from '../record/examples.ts'

const sha256 = (...parts: (string | Uint8Array)[]) => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

const open = ({ file }: BatchIndex) =>
  IndexReader.open(async (offset, length) => file.slice(offset, offset + length))

/** An index over one value for each list of positions: list i stands under `request` value `${i}`. */
const indexOf = (postings: number[][]) => {
  const size = 1 + Math.max(...postings.flat())
  const values = Array.from({ length: size }, () => new Map<IndexName, string>())
  // One record has one value of a name, so that every list takes a name of its own until they run out.
  postings.forEach((positions, i) => {
    for (const position of positions) values[position]?.set(nameOf(i), valueAt(i))
  })
  return buildIndex(values)
}
const nameOf = (i: number) => INDEX_NAMES[i % INDEX_NAMES.length] as IndexName
const valueAt = (i: number) => `value ${i}`

/** As many entries as asked for, each under the name `record` of one record. */
const indexOfEntries = (count: number) =>
  buildIndex(Array.from({ length: count }, (_, i) => new Map([['record', valueAt(i)]])))

const refused = expect.objectContaining({
  name: 'VerificationError',
  code: expect.stringMatching(/^(?:MALFORMED_INDEX|MALFORMED_PATH|INDEX_OUT_OF_RANGE|ROOT_MISMATCH)$/),
})

/** Some records, each found under some values out of a few, so that many values have many records. */
const values = fc
  .array(fc.array(fc.tuple(fc.constantFrom(...INDEX_NAMES), fc.nat(12)), { maxLength: 7 }), {
    minLength: 1,
    maxLength: 60,
  })
  .map((records) =>
    records.map(
      (found, position) =>
        new Map<IndexName, string>([
          ...found.map(([name, value]) => [name, `v${value}`] as const),
          ['record', recordValue('source', `id ${position}`)],
        ]),
    ),
  )

describe('properties', () => {
  test('every value is found at exactly its positions, and so it is proven', async () => {
    await fc.assert(
      fc.asyncProperty(values, async (records) => {
        const index = buildIndex(records)
        const reader = await open(index)
        for (const name of INDEX_NAMES) {
          for (const value of new Set(records.flatMap((found) => found.get(name) ?? []))) {
            const positions = records.flatMap((found, i) => (found.get(name) === value ? [i] : []))
            const key = indexKey(name, value)
            expect([...(await reader.find(key))]).toEqual(positions)
            expect([...verifyLookup(key, await reader.prove(key), index)]).toEqual(positions)
          }
        }
      }),
      runs(30),
    )
  })

  test('every other key is proven to be absent', async () => {
    await fc.assert(
      fc.asyncProperty(values, fc.uint8Array({ minLength: 16, maxLength: 16 }), async (records, key) => {
        const index = buildIndex(records)
        const reader = await open(index)
        const edges = [new Uint8Array(16), new Uint8Array(16).fill(0xff)]
        const neighbours = (await entriesOf(index)).flatMap((entry) => [
          step(entry.key, -1),
          step(entry.key, 1),
        ])
        for (const absent of [key, ...edges, ...neighbours]) {
          expect([...(await reader.find(absent))]).toEqual([])
          expect([...verifyLookup(absent, await reader.prove(absent), index)]).toEqual([])
        }
      }),
      runs(20),
    )
  })

  test('the root is that of merkletreejs over the buckets, whose entries ascend through all of them', async () => {
    await fc.assert(
      fc.asyncProperty(values, async (records) => {
        const index = buildIndex(records)
        const reader = await open(index)
        const buckets = await bucketsOf(index)
        const tree = new MerkleTree(
          buckets.map((bucket) => sha256(Uint8Array.of(0), bucket)),
          (data: Buffer) => sha256(Uint8Array.of(1), data),
        )
        expect(hex(index.indexRoot)).toBe(tree.getRoot().toString('hex'))
        const entries = buckets.flatMap((bucket) => decodeBucket(bucket).entries)
        expect(entries).toHaveLength(reader.entryCount)
        expect(entries.map(({ key }) => hex(key))).toEqual(entries.map(({ key }) => hex(key)).sort())
        expect(new Set(entries.map(({ key }) => hex(key))).size).toBe(entries.length)
        const decoded = buckets.map(decodeBucket)
        decoded.forEach(({ low, next, entries: held }, i) => {
          expect(hex(low)).toBe(i === 0 ? '00'.repeat(16) : hex(held[0]?.key ?? new Uint8Array()))
          expect(hex(next)).toBe(hex(decoded[i + 1]?.low ?? new Uint8Array(16).fill(0xff)))
          expect(held).toHaveLength(i < decoded.length - 1 ? 16 : entries.length - 16 * i)
        })
      }),
      runs(30),
    )
  })

  test('any flipped bit refuses', async () => {
    const index = indexOf([
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
      ...Array.from({ length: 60 }, (_, i) => [i]),
    ])
    const reader = await open(index)
    const keys = await Promise.all((await entriesOf(index)).map(async ({ key }) => key))
    const absent = sha256('absent').subarray(0, 16)
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...keys, absent), fc.nat(), fc.nat(), async (key, where, bit) => {
        const proof = await reader.prove(key)
        const parts = [
          proof.bucket,
          ...proof.path,
          ...(proof.positions === undefined ? [] : [positionBytes(proof.positions)]),
        ]
        const part = where % parts.length
        const flipped = flip(parts[part] ?? new Uint8Array(), bit)
        const forged: LookupProof =
          part === 0
            ? { ...proof, bucket: flipped }
            : part <= proof.path.length
              ? { ...proof, path: proof.path.map((hash, i) => (i === part - 1 ? flipped : hash)) }
              : { ...proof, positions: new Uint32Array(flipped.buffer) }
        expect(() => verifyLookup(key, forged, index)).toThrow(refused)
        expect(() => verifyLookup(key, { ...proof, index: proof.index ^ (1 << (bit % 31)) }, index)).toThrow(
          refused,
        )
        expect(() => verifyLookup(key, proof, { ...index, indexRoot: flip(index.indexRoot, bit) })).toThrow(
          refused,
        )
        const size = index.indexSize ^ (1 << (bit % 31))
        // A size may change and give the same root only where the tree keeps its shape around the bucket.
        if (proof.path.length !== depth(size, proof.index)) {
          expect(() => verifyLookup(key, proof, { ...index, indexSize: size })).toThrow(refused)
        }
      }),
      runs(200),
    )
  })

  test('the bucket of another place refuses', async () => {
    const index = indexOfEntries(100)
    const reader = await open(index)
    const entries = await entriesOf(index)
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...entries), fc.constantFrom(...entries), async (a, b) => {
        const proof = await reader.prove(b.key)
        fc.pre((await reader.prove(a.key)).index !== proof.index)
        expect(() => verifyLookup(a.key, proof, index)).toThrow(refused)
        expect(() => verifyLookup(step(a.key, 1), proof, index)).toThrow(refused)
      }),
      runs(100),
    )
  })
})

describe('how many positions an entry has', () => {
  const positions = (count: number) => Array.from({ length: count }, (_, i) => 3 * i)

  test.each([1, 2, 7, 8])('%d positions stand in the bucket itself', async (count) => {
    const index = indexOf([positions(count)])
    const key = indexKey(nameOf(0), valueAt(0))
    const proof = await (await open(index)).prove(key)
    expect(proof).not.toHaveProperty('positions')
    expect(proof.bucket).toHaveLength(32 + 16 + 4 + 4 * count)
    expect([...verifyLookup(key, proof, index)]).toEqual(positions(count))
    expect(() =>
      verifyLookup(key, { ...proof, positions: Uint32Array.from(positions(count)) }, index),
    ).toThrow(refused)
  })

  test.each([9, 10, 300, 5000])(
    'of %d positions the bucket holds the SHA-256, and the proof brings them',
    async (count) => {
      const index = indexOf([positions(count)])
      const key = indexKey(nameOf(0), valueAt(0))
      const proof = await (await open(index)).prove(key)
      expect([...(proof.positions ?? [])]).toEqual(positions(count))
      expect(hex(proof.bucket.slice(-32))).toBe(
        hex(sha256(positionBytes(Uint32Array.from(positions(count))))),
      )
      expect([...verifyLookup(key, proof, index)]).toEqual(positions(count))
      for (const wrong of [
        positions(count).slice(1),
        positions(count + 1),
        positions(count).reverse(),
        positions(count).map((position) => position + 1),
      ]) {
        const forged = { ...proof, positions: Uint32Array.from(wrong) }
        expect(() => verifyLookup(key, forged, index)).toThrow(refused)
      }
      const { positions: _, ...without } = proof
      expect(() => verifyLookup(key, without, index)).toThrow(refused)
    },
  )

  test('a place that is no whole number is the fault of who asks', async () => {
    const index = indexOfEntries(3)
    const key = indexKey('record', valueAt(0))
    const proof = await (await open(index)).prove(key)
    for (const place of [0.5, Number.NaN, 2 ** 53]) {
      expect(() => verifyLookup(key, { ...proof, index: place }, index)).toThrow(
        expect.objectContaining({ name: 'InputError', code: 'BAD_ARGUMENT' }),
      )
    }
  })

  test('positions for a key that is absent refuse', async () => {
    const index = indexOfEntries(3)
    const key = sha256('absent').subarray(0, 16)
    const proof = await (await open(index)).prove(key)
    expect(() => verifyLookup(key, { ...proof, positions: Uint32Array.of(0) }, index)).toThrow(refused)
    expect(() => verifyLookup(key, { ...proof, positions: new Uint32Array() }, index)).toThrow(refused)
  })
})

describe('how many entries an index has', () => {
  test.each([1, 2, 15, 16, 17, 31, 32, 33, 256, 4095, 4096, 4097])('%d', async (count) => {
    const index = indexOfEntries(count)
    const reader = await open(index)
    expect(index.indexSize).toBe(Math.ceil(count / 16))
    expect(reader).toMatchObject({ entryCount: count, postingCount: count, indexSize: index.indexSize })
    const stride = Math.ceil(count / 64)
    for (let i = 0; i < count; i += stride) {
      const key = indexKey('record', valueAt(i))
      expect([...verifyLookup(key, await reader.prove(key), index)]).toEqual([i])
    }
    for (let i = 0; i < 20; i++) {
      const key = indexKey('record', `absent ${i}`)
      expect([...verifyLookup(key, await reader.prove(key), index)]).toEqual([])
    }
    for (const key of [new Uint8Array(16), new Uint8Array(16).fill(0xff)]) {
      expect([...verifyLookup(key, await reader.prove(key), index)]).toEqual([])
    }
  })

  test('none is not an index', () => {
    expect(() => buildIndex([])).toThrow(
      expect.objectContaining({ name: 'InputError', code: 'BAD_ARGUMENT' }),
    )
    expect(() => buildIndex([new Map()])).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
  })

  test('a question reads a bounded part of the file', async () => {
    const { file } = indexOfEntries(20_000)
    let bytes = 0
    let reads = 0
    const reader = await IndexReader.open(async (offset, length) => {
      reads++
      bytes += length
      return file.slice(offset, offset + length)
    })
    for (let i = 0; i < 100; i++) {
      await reader.find(indexKey('record', valueAt(i)))
      await reader.find(indexKey('record', `absent ${i}`))
    }
    expect(reads / 200).toBeLessThan(8)
    expect(bytes / 200).toBeLessThan(20_000)
  })

  test('a proof reads a bounded part of the file', async () => {
    const { file } = indexOfEntries(20_000)
    let reads = 0
    const reader = await IndexReader.open(async (offset, length) => {
      reads++
      return file.slice(offset, offset + length)
    })
    for (let i = 0; i < 100; i++) {
      await reader.prove(indexKey('record', valueAt(i)))
      await reader.prove(indexKey('record', `absent ${i}`))
    }
    // Rows, now and then once more, the postings of a bucket and two levels of the tree.
    expect(reads / 200).toBeLessThan(6)
  })
})

describe('a bucket is one of exactly one form', () => {
  const key = (first: number) => new Uint8Array(16).fill(first, 0, 1)
  const entry = (first: number, ...positions: number[]) =>
    Buffer.concat([key(first), positionBytes(Uint32Array.of(positions.length, ...positions))])
  const bucket = (...entries: Uint8Array[]) => Buffer.concat([new Uint8Array(16), key(0xff), ...entries])
  const digest = (first: number, count: number) =>
    Buffer.concat([key(first), positionBytes(Uint32Array.of(count)), new Uint8Array(32)])

  test('as here', () => {
    const { entries } = decodeBucket(bucket(entry(1, 5), digest(2, 9), entry(3, 0, 4_294_967_295)))
    expect(entries.map(({ count, positions }) => [count, positions && [...positions]])).toEqual([
      [1, [5]],
      [9, undefined],
      [2, [0, 4_294_967_295]],
    ])
  })

  test.each([
    ['nothing', new Uint8Array()],
    ['half a head', new Uint8Array(31)],
    ['no entry', bucket()],
    ['17 entries', bucket(...Array.from({ length: 17 }, (_, i) => entry(i + 1, 0)))],
    ['an entry without positions', bucket(entry(1))],
    ['an entry cut off in its key', bucket(entry(1, 0), key(2).slice(1))],
    ['an entry cut off before its count', bucket(entry(1, 0), key(2))],
    ['an entry cut off in its positions', bucket(entry(1, 0, 1).subarray(0, -1))],
    ['an entry cut off in its digest', bucket(digest(1, 9).subarray(0, -1))],
    ['a digest for 8 positions', bucket(digest(1, 8).subarray(0, -1))],
    ['keys that fall', bucket(entry(2, 0), entry(1, 0))],
    ['a key twice', bucket(entry(1, 0), entry(1, 1))],
    ['positions that fall', bucket(entry(1, 1, 0))],
    ['a position twice', bucket(entry(1, 1, 1))],
    ['a count beyond all bounds', bucket(digest(1, 0xffff_ffff).subarray(0, -1))],
    ['more behind it', bucket(entry(1, 0), Uint8Array.of(0))],
  ])('not with %s', (_, bytes) => {
    expect(() => decodeBucket(bytes)).toThrow(
      expect.objectContaining({ name: 'VerificationError', code: 'MALFORMED_INDEX' }),
    )
  })

  /** A lookup in an index of just these buckets, whoever made them. */
  const lookIn = (buckets: Uint8Array[], index: number, wanted: Uint8Array) => {
    const hash = buckets.map(hashLeaf)
    const path = hash.filter((_, i) => i !== index)
    const [first, second] = hash
    const indexRoot =
      second === undefined || first === undefined ? first : sha256(Uint8Array.of(1), first, second)
    const proof = { bucket: buckets[index] ?? new Uint8Array(), index, path }
    return verifyLookup(wanted, proof, {
      indexRoot: indexRoot ?? new Uint8Array(),
      indexSize: buckets.length,
      recordCount: 1_000,
    })
  }

  test('an entry with a position beyond the batch', () => {
    const reaching = (position: number) =>
      Buffer.concat([new Uint8Array(16), new Uint8Array(16).fill(0xff), entry(1, position)])
    expect([...lookIn([reaching(999)], 0, key(1))]).toEqual([999])
    expect(() => lookIn([reaching(1_000)], 0, key(1))).toThrow(refused)
  })

  const full = (first: number) => Array.from({ length: 16 }, (_, i) => entry(first + i, i))
  const from = (low: number, next: Uint8Array, ...entries: Uint8Array[]) =>
    Buffer.concat([key(low), next, ...entries])
  const highest = new Uint8Array(16).fill(0xff)

  test('and a lookup holds it against its place', () => {
    const first = from(0, key(17), ...full(1))
    const last = from(17, highest, entry(17, 1), entry(18, 2))
    expect([...lookIn([first, last], 0, key(3))]).toEqual([2])
    expect([...lookIn([first, last], 1, key(18))]).toEqual([2])
    expect([...lookIn([first, last], 1, key(0xff))]).toEqual([])
    expect([...lookIn([first, last], 0, key(0))]).toEqual([])
  })

  test('and positions against the count of their entry', () => {
    const given = Uint32Array.from({ length: 12 }, (_, i) => i)
    for (const count of [9, 12, 13]) {
      const postings = sha256(positionBytes(given))
      const only = from(0, highest, Buffer.concat([key(1), positionBytes(Uint32Array.of(count)), postings]))
      const header = { indexRoot: hashLeaf(only), indexSize: 1, recordCount: 100 }
      const look = () => verifyLookup(key(1), { bucket: only, index: 0, path: [], positions: given }, header)
      if (count === 12) expect([...look()]).toEqual([...given])
      else expect(look).toThrow(expect.objectContaining({ code: 'MALFORMED_INDEX' }))
    }
  })

  test.each([
    [
      'a first bucket that does not start at the lowest key',
      [from(1, key(17), ...full(1)), from(17, highest, entry(17, 1))],
      0,
      3,
    ],
    [
      'a later bucket that starts below its first key',
      [from(0, key(17), ...full(1)), from(16, highest, entry(17, 1))],
      1,
      17,
    ],
    [
      'a last bucket that ends before the highest key',
      [from(0, key(17), ...full(1)), from(17, key(0xff), entry(17, 1))],
      1,
      17,
    ],
    [
      'another bucket that claims to be the last',
      [from(0, highest, ...full(1)), from(17, highest, entry(17, 1))],
      0,
      3,
    ],
    [
      'another than the last with 15 entries',
      [from(0, key(17), ...full(1).slice(1)), from(17, highest, entry(17, 1))],
      0,
      3,
    ],
    [
      'an entry that lies beyond the next bound',
      [from(0, key(9), ...full(1)), from(9, highest, entry(9, 1))],
      0,
      3,
    ],
    ['a key below the bucket', [from(0, key(17), ...full(1)), from(17, highest, entry(17, 1))], 1, 3],
    ['a key at the next bucket', [from(0, key(17), ...full(1)), from(17, highest, entry(17, 1))], 0, 17],
  ] as const)('%s refuses', (_, buckets, index, wanted) => {
    expect(() => lookIn([...buckets], index, key(wanted))).toThrow(
      expect.objectContaining({ name: 'VerificationError', code: 'MALFORMED_INDEX' }),
    )
  })
})

test.each([
  ['nothing', new Uint8Array()],
  ['the start of one', new TextEncoder().encode('TIDEIDX1')],
  ['another version', Buffer.concat([new TextEncoder().encode('TIDEIDX2'), new Uint8Array(8)])],
])('a file that is %s is no index', async (_, bytes) => {
  await expect(
    IndexReader.open(async (offset, length) => bytes.slice(offset, offset + length)),
  ).rejects.toThrow(expect.objectContaining({ name: 'VerificationError', code: 'MALFORMED_INDEX' }))
})

describe('what a record is found under', () => {
  test('a call: itself, its person once disclosed, its grant, request, resource and parties', () => {
    const open = parseRecord(exampleOf('tidemark.call.v1'))
    const { record, disclosures } = sealRecord(open)
    const found = indexValues(record, disclosures)
    expect([...found.keys()]).toEqual([...INDEX_NAMES])
    expect(found.get('record')).toBe('urn:tidemark:service:civil-registry\0tidemark.call.v1/1')
    expect(found.get('person')).toBe(open.data.person)
    expect(() => indexValues(record, [])).toThrow(expect.objectContaining({ code: 'BAD_DISCLOSURE' }))
  })

  test('a heartbeat: itself, and what it names', () => {
    const { subject: _, ...beat } = exampleOf('tidemark.heartbeat.v1')
    expect([...indexValues(parseRecord(beat), []).keys()]).toEqual(['record'])
  })

  test('a key is the start of SHA-256 over name, 0x00 and value', () => {
    fc.assert(
      fc.property(fc.constantFrom(...INDEX_NAMES), fc.string({ unit: 'grapheme' }), (name, value) => {
        expect(hex(indexKey(name, value))).toBe(hex(sha256(name, '\0', value)).slice(0, 32))
      }),
      runs(50),
    )
  })
})

/** All buckets of an index, through the proofs that its reader gives out. */
async function bucketsOf(index: BatchIndex): Promise<Uint8Array[]> {
  const reader = await open(index)
  const buckets: Uint8Array[] = []
  let key = new Uint8Array(16)
  for (let i = 0; i < index.indexSize; i++) {
    const { bucket, index: place } = await reader.prove(key)
    expect(place).toBe(i)
    buckets.push(bucket)
    key = new Uint8Array(decodeBucket(bucket).next)
  }
  return buckets
}

const entriesOf = async (index: BatchIndex) =>
  (await bucketsOf(index)).flatMap((bucket) => decodeBucket(bucket).entries)

function positionBytes(positions: Uint32Array): Buffer {
  const bytes = Buffer.alloc(4 * positions.length)
  for (const [i, position] of positions.entries()) bytes.writeUInt32BE(position, 4 * i)
  return bytes
}

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = bytes.slice()
  const at = bit % (8 * bytes.length)
  flipped[at >> 3] = (flipped[at >> 3] ?? 0) ^ (1 << (at & 7))
  return new Uint8Array(flipped)
}

/** The key one above or below, as the number that it is. */
function step(key: Uint8Array, by: 1 | -1): Uint8Array {
  const number = BigInt(`0x${hex(key)}`) + BigInt(by)
  const bytes = new Uint8Array(Buffer.from(number.toString(16).padStart(32, '0'), 'hex'))
  expect(Math.sign(compareBytes(bytes, key))).toBe(by)
  return bytes
}

/** Length of an inclusion path, RFC 9162, section 2.1.3.1. */
function depth(size: number, index: number): number {
  if (index < 0 || index >= size) return -1
  let steps = 0
  for (let from = 0, to = size; to - from > 1; steps++) {
    const middle = from + 2 ** Math.ceil(Math.log2(to - from) - 1)
    if (index < middle) to = middle
    else from = middle
  }
  return steps
}
