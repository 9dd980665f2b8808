/**
 * Writes the vectors that docs/format.md names into test/vectors/, or with `--check` compares them.
 *
 * Salts, keys and times are fixed and nothing is compressed, so that every run writes the same bytes.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import {
  type BatchIndex,
  buildIndex,
  canonicalText,
  consistencyPath,
  decodeBucket,
  disclosureDigest,
  encodeHeader,
  encodeItem,
  GrowingLog,
  type Header,
  hashHeader,
  hashLeaf,
  IndexReader,
  inclusionPath,
  indexKey,
  indexValues,
  leafHash,
  parseDisclosure,
  parseRecord,
  RECORD_TYPES,
  type RecordTypeName,
  rangePath,
  sealBatch,
  sealedKind,
  sealRecord,
  subsetPath,
  toHex,
  toJsonHeader,
  treeRoot,
  verifyProof,
  type WaitingSubmission,
} from '../src/index.ts'
import { submissionOf } from '../test/batch/items.ts'
import { exampleOf } from '../test/record/examples.ts'
import { encodeAppended, factsOf } from '../test/verify/chain.ts'
import { worldOf } from '../test/verify/world.ts'
import { ALTERED } from './vectors-altered.ts'
import { authorizedVectors } from './vectors-authorized.ts'
import { type BadFile, badVectors } from './vectors-bad.ts'
import { grantVectors } from './vectors-grant.ts'
import { historyVectors } from './vectors-history.ts'
import { offlineVectors } from './vectors-offline.ts'
import { receiptVectors, submissionVectors } from './vectors-receipt.ts'
import { reportVectors } from './vectors-report.ts'
import { runHistoryVectors } from './vectors-run-history.ts'
import { standardsVectors } from './vectors-standards.ts'

const FOLDER = join(import.meta.dirname, '../test/vectors')

const utf8 = (text: string) => new TextEncoder().encode(text)

/** Salt number n: 16 bytes n. */
function salts(): () => Uint8Array {
  let calls = 0
  return () => new Uint8Array(16).fill(++calls)
}

/** All vectors by the name of their file. */
export async function makeVectors(): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  const addJson = (name: string, value: unknown) => files.set(name, `${JSON.stringify(value, null, 2)}\n`)
  addJson('canonical.json', canonicalVectors())
  addJson('disclosures.json', disclosureVectors())
  addJson('tree.json', treeVectors())
  addJson('index.json', await indexVectors())
  addJson('header.json', headerVectors())
  addJson('proof.json', await proofVectors())
  addJson('submission.json', await submissionVectors())
  addJson('receipt.json', await receiptVectors())
  addJson('history.json', await historyVectors())
  addJson('grant.json', await grantVectors())
  addJson('run-history.json', await runHistoryVectors())
  addJson('report.json', reportVectors())
  addJson('authorized.json', await authorizedVectors())
  addJson('offline.json', await offlineVectors())
  addJson('standards.json', standardsVectors(JSON.parse(files.get('proof.json') ?? '').proof))
  for (const [name, bad] of badVectors((file) => JSON.parse(files.get(file) ?? '')))
    files.set(`bad/${name}`, inLines(bad))
  for (const [name, bytes] of Object.entries(exampleBatch().files)) {
    if (name.endsWith('.json')) files.set(`batch/${name}`, new TextDecoder().decode(bytes))
    else files.set(`batch/${name}.hex`, hexLines(bytes))
  }
  return files
}

function canonicalVectors() {
  const values = [
    { a: [1, -1, 0, 9007199254740991, -9007199254740991], A: null, '': true, z: false },
    { '€': 'Euro', '\r': 'return', דּ: 'dalet', '1': 'one', '😀': 'emoji', '\u0080': 'control', ö: 'o' },
    { text: '\b\t\n\f\r\u0000\u001f\u007f\u2028"\\/<é😀' },
    { b: { d: [[], {}], c: [{ f: 1, e: 2 }] } },
  ]
  return {
    about: 'Sections 3 and 4: canonical text of values; leaf hash of sealed records.',
    values: values.map((value) => ({ value, canonical: canonicalText(value) })),
    refused: [
      ['a fraction', '{"a":1.5}'],
      ['beyond the safe integers', '{"a":9007199254740992}'],
      ['half of a surrogate pair', String.raw`{"a":"\ud800"}`],
      ['half of a surrogate pair as a name', String.raw`{"\udc00":1}`],
      ['nested 65 deep', '['.repeat(65) + ']'.repeat(65)],
    ].map(([reason, json]) => ({ reason, json })),
    records: (Object.keys(RECORD_TYPES) as RecordTypeName[]).map((type) => {
      const { record } = sealRecord(parseRecord(exampleOf(type)), salts())
      return { record, canonical: canonicalText(record), leafHash: toHex(leafHash(record)) }
    }),
  }
}

function disclosureVectors() {
  const types = (Object.keys(RECORD_TYPES) as RecordTypeName[]).filter(
    (type) => '_sd' in sealRecord(parseRecord(exampleOf(type))).record.data,
  )
  return {
    about: 'Section 5: open records and what sealing makes of them. Salt n of a record is 16 bytes n.',
    published: {
      source: 'RFC 9901, sections 4.2.1 and 4.2.3',
      disclosure: 'WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0',
      digest: 'X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0',
    },
    sealed: types.map((type) => {
      const open = parseRecord(exampleOf(type))
      const { record, disclosures, vault } = sealRecord(open, salts())
      return {
        open,
        sealed: record,
        disclosures: [...disclosures, ...vault].map((disclosure) => ({
          ...parseDisclosure(disclosure),
          kind: sealedKind(type, parseDisclosure(disclosure).name),
          disclosure,
          digest: disclosureDigest(disclosure),
        })),
      }
    }),
  }
}

function treeVectors() {
  const leaves = Array.from({ length: 20 }, (_, i) => utf8(i === 0 ? '' : `leaf ${i}`))
  const hashes = leaves.map(hashLeaf)
  const sizes = [1, 2, 3, 4, 5, 6, 7, 8, 13, 20]
  const some = (size: number) =>
    [0, 1, 2, 3, 4, 6, 7, 8, 11, 12, 15, 16, 18, 19].filter((place) => place < size)
  const ranges: [number, number, number][] = [
    [0, 1, 1],
    [0, 0, 5],
    [0, 3, 5],
    [2, 3, 5],
    [3, 5, 5],
    [5, 5, 5],
    [1, 7, 8],
    [4, 8, 13],
    [3, 17, 20],
    [0, 20, 20],
  ]
  const subsets: [number, number[]][] = [
    [1, [0]],
    [5, [4]],
    [8, [0, 7]],
    [13, [2, 3, 12]],
    [20, [0, 5, 6, 7, 17]],
    [20, Array.from({ length: 20 }, (_, i) => i)],
  ]
  return {
    about: 'Section 2: the tree of the first n leaves, paths in it and from it.',
    leaves: leaves.map((data, i) => ({ data: toHex(data), leafHash: toHex(hashes[i] ?? data) })),
    roots: Array.from({ length: 21 }, (_, size) => ({ size, root: toHex(treeRoot(hashes.slice(0, size))) })),
    inclusion: sizes.flatMap((size) =>
      some(size).map((index) => ({
        size,
        index,
        path: inclusionPath(hashes.slice(0, size), index).map(toHex),
      })),
    ),
    consistency: sizes.flatMap((size2) =>
      sizes
        .filter((size1) => size1 <= size2)
        .map((size1) => ({ size1, size2, path: consistencyPath(hashes, size1, size2).map(toHex) })),
    ),
    range: ranges.map(([from, to, size]) => ({
      from,
      to,
      size,
      path: rangePath(hashes.slice(0, size), from, to).map(toHex),
    })),
    subset: subsets.map(([size, positions]) => ({
      size,
      positions,
      path: subsetPath(hashes.slice(0, size), positions).map(toHex),
    })),
  }
}

async function indexVectors() {
  const { items } = submissionOf('urn:example:tax', 0, 28)
  const index = buildIndex(items.map(({ record, disclosures }) => indexValues(record, disclosures)))
  const reader = await readerOf(index)
  const prove = async (key: Uint8Array) => {
    const { bucket, index: place, path, positions } = await reader.prove(key)
    return {
      key: toHex(key),
      bucket: toHex(bucket),
      index: place,
      path: path.map(toHex),
      ...(positions === undefined ? {} : { givenPositions: [...positions] }),
      positions: [...(await reader.find(key))],
    }
  }
  const person = String(exampleOf('tidemark.call.v1').data.person)
  const names = [
    ['record', 'urn:example:tax\0' + '0-3'],
    ['person', person],
    ['request', 'urn:example:tax/r-0-6'],
    ['resource', 'civil-registry/births'],
    ['record', 'urn:example:tax\0' + '0-28'],
    ['person', ''],
  ] as const
  const buckets: Uint8Array[] = []
  for (let key = new Uint8Array(16); buckets.length < index.indexSize; ) {
    const { bucket } = await reader.prove(key)
    buckets.push(bucket)
    key = new Uint8Array(decodeBucket(bucket).next)
  }
  return {
    about:
      'Section 7: items, by line; the buckets of their index; lookups of keys that are in it and that are not.',
    items: items.map(encodeItem),
    buckets: buckets.map((bucket) => ({ bucket: toHex(bucket), leafHash: toHex(hashLeaf(bucket)) })),
    indexRoot: toHex(index.indexRoot),
    indexSize: index.indexSize,
    named: await Promise.all(
      names.map(async ([name, value]) => ({ name, value, ...(await prove(indexKey(name, value))) })),
    ),
    edges: await Promise.all([new Uint8Array(16), new Uint8Array(16).fill(0xff)].map(prove)),
  }
}

const readerOf = ({ file }: BatchIndex) =>
  IndexReader.open(async (offset, length) => file.slice(offset, offset + length))

function headerVectors() {
  const example = exampleBatch().header
  const headers: Header[] = [
    example,
    { ...example, sequence: 1n, recordCount: 4096, indexSize: 900 },
    {
      publisher: `0x${'ff'.repeat(20)}`,
      sequence: 2n ** 64n - 1n,
      recordsRoot: new Uint8Array(32).fill(0xff),
      recordCount: 2 ** 32 - 1,
      indexRoot: new Uint8Array(32).fill(0xfe),
      indexSize: 2 ** 32 - 1,
      firstTime: 2n ** 64n - 2n,
      lastTime: 2n ** 64n - 1n,
    },
    { ...example, sequence: 2n },
  ]
  const log = new GrowingLog()
  return {
    about: 'Sections 8 and 9: headers, appended one after the other, and the events that tell of them.',
    headers: headers.map((header, index) => {
      log.append(hashHeader(header))
      const node = log.peaks().at(-1) ?? new Uint8Array()
      return {
        header: toJsonHeader(header),
        bytes: toHex(encodeHeader(header)),
        leafHash: toHex(hashHeader(header)),
        event: encodeAppended(BigInt(index), header, node),
        rootAfter: toHex(log.root()),
      }
    }),
  }
}

async function proofVectors() {
  const { data, prove } = worldOf([[[2]], [[3, 7, 1], [1]]])
  const proof = prove(2, 3)
  const { record, closedMembers, logIndex, blockTime } = await verifyProof(proof, factsOf(data))
  const subject = { proof, chain: data, trust: {} }
  const altered = ALTERED.map(([stepOrFamily, code, name, ...patches]) =>
    /^[A-Z]/.test(stepOrFamily)
      ? { name, patches, error: stepOrFamily, code }
      : { name, patches, error: 'VerificationError', step: stepOrFamily, code },
  )
  return {
    about:
      'Sections 12 and 13: a proof, and all that a verifier may ask of its chain. Each of the altered ones applies its patches (RFC 6902) to { proof, chain, trust }, and must be refused at the step and with the code.',
    ...subject,
    verified: { record, closedMembers, logIndex: String(logIndex), blockTime: String(blockTime) },
    altered,
  }
}

/** The batch of docs/format.md, section 16. */
function exampleBatch() {
  const source = 'urn:example:tax'
  const call = {
    specversion: '1.0',
    id: 'call-1',
    source,
    type: 'tidemark.call.v1',
    time: '2025-03-03T09:15:00.250+08:00',
    subject: 'urn:example:civil:extract',
    data: {
      side: 'consumer',
      consumer: source,
      provider: 'urn:example:civil',
      operation: 'extract',
      requestId: 'r-1',
      outcome: 'success',
      rows: 1,
      person: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8',
      agent: 'desk-7',
    },
  }
  const beat = (id: string, from: string, to: string) => ({
    specversion: '1.0',
    id,
    source,
    type: 'tidemark.heartbeat.v1',
    time: to,
    data: { from, to },
  })
  const [start, middle, end] = ['15:00.250', '20:00.000', '25:00.000'].map(
    (rest) => `2025-03-03T01:${rest}Z`,
  ) as [string, string, string]
  const sealed = [call, beat('beat-1', start, middle), beat('beat-2', middle, end)].map((event) =>
    sealRecord(parseRecord(event), salts()),
  )
  const submission: WaitingSubmission = {
    source,
    sequence: 0n,
    receivedAt: 1_740_965_101_000,
    signature: null,
    items: sealed.map(({ record, disclosures }) => ({ record, disclosures })),
    vault: sealed.map(({ vault }) => vault),
  }
  return sealBatch('0x70997970c51812dc3a010c7d01b50e0d17dc79c8', 0n, [submission], storeZstd)
}

/**
 * A zstd frame that holds its content as it is (RFC 8878, section 3.1.1: a single segment of raw blocks), so that
 * the bytes do not depend on who compresses.
 */
function storeZstd(content: Uint8Array): Uint8Array {
  const MAX_BLOCK = 131_072
  const parts: Uint8Array[] = [Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0xa0), littleEndian(content.length, 4)]
  for (let start = 0; start === 0 || start < content.length; start += MAX_BLOCK) {
    const block = content.subarray(start, start + MAX_BLOCK)
    const isLast = start + MAX_BLOCK >= content.length
    parts.push(littleEndian((block.length << 3) | (isLast ? 1 : 0), 3), block)
  }
  return Buffer.concat(parts)
}

const littleEndian = (value: number, size: number) =>
  Uint8Array.from({ length: size }, (_, i) => (value >>> (8 * i)) & 0xff)

/** JSON with a line for each alteration. */
const inLines = ({ about, good, altered }: BadFile) => `{
  "about": ${JSON.stringify(about)},
  "good": ${JSON.stringify(good)},
  "altered": [
    ${altered.map((one) => JSON.stringify(one)).join(',\n    ')}
  ]
}
`

/** Hex in lines of 32 bytes. */
const hexLines = (bytes: Uint8Array) =>
  `${toHex(bytes)
    .slice(2)
    .replace(/.{64}(?=.)/g, '$&\n')}\n`

if (import.meta.main) {
  const check = process.argv.includes('--check')
  for (const [name, text] of await makeVectors()) {
    const file = join(FOLDER, name)
    if (!check) {
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
    } else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
      console.error(`test/vectors/${name} is not what the sources give: npm run vectors`)
      process.exitCode = 1
    }
  }
}
