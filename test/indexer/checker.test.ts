import { copyFile, mkdir, readFile, rename, rm, rmdir, truncate, writeFile } from 'node:fs/promises'
import { zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeFrames } from '../../src/batch/frames.ts'
import { createRpc } from '../../src/chain/rpc.ts'
import type { Finder } from '../../src/indexer/finder.ts'
import type { JsonProof } from '../../src/proof/index.ts'
import { verifyProof } from '../../src/verify/index.ts'
import { submissionOf } from '../batch/items.ts'
import { runs } from '../bytes/runs.ts'
import { append, startUnsavedTestChain, type TestChain } from '../chain/fixture.ts'
import { temporaryFolder } from '../store/temporary.ts'
import { sealFor, startIndexer } from './world.ts'

let chain: TestChain
const batches = [
  sealFor(0, submissionOf('urn:a', 0, 300), submissionOf('urn:b', 0, 5)),
  sealFor(1, submissionOf('urn:a', 1, 20)),
  // The same ids of the same source once more: the source's fault.
  sealFor(2, submissionOf('urn:c', 0, 3), submissionOf('urn:a', 0, 20)),
]

beforeAll(async () => {
  chain = await startUnsavedTestChain()
  await append(
    chain.rpc,
    chain.ledger,
    batches.slice(0, 2).map(({ header }) => header),
  )
  await append(
    chain.rpc,
    chain.ledger,
    batches.slice(2).map(({ header }) => header),
  )
})
afterAll(() => chain.close())

async function indexer(options: Parameters<typeof startIndexer>[3] = {}) {
  const started = startIndexer(await temporaryFolder(), chain.rpc, chain.ledger, options)
  for (const batch of batches) await started.folder.save(batch)
  return started
}

type Indexer = Awaited<ReturnType<typeof indexer>>
type Fault = (at: (sequence: number, file: string) => string) => Promise<void>

const flip =
  (file: string, place: number): Fault =>
  async (at) => {
    const bytes = await readFile(at(1, file))
    const i = Math.floor(place * bytes.length)
    bytes[i] = (bytes[i] ?? 0) ^ 1
    await writeFile(at(1, file), bytes)
  }
const write =
  (file: string, text: string): Fault =>
  (at) =>
    writeFile(at(1, file), text)
const remove =
  (file: string): Fault =>
  (at) =>
    rm(at(1, file))
const cut =
  (file: string): Fault =>
  (at) =>
    truncate(at(1, file), 40)
const fromOther =
  (...files: string[]): Fault =>
  async (at) => {
    for (const file of files) await copyFile(at(0, file), at(1, file))
  }
const rewrite =
  (file: string, change: (text: string) => string): Fault =>
  async (at) =>
    writeFile(at(1, file), change(await readFile(at(1, file), 'utf8')))

const sign = (signature: string): Fault =>
  rewrite('submissions.json', (text) => text.replace('"signature":null', `"signature":"${signature}"`))

const FAULTS: [name: string, state: 'fraud' | 'withheld', fault: Fault][] = [
  ['A BYTE OF THE RECORDS', 'fraud', flip('records.ndjson.zst', 0.3)],
  ['A BYTE OF THE FRAME TABLE', 'fraud', flip('records.ndjson.zst', 0.99)],
  ['RECORDS CUT OFF', 'fraud', cut('records.ndjson.zst')],
  ['RECORDS OF ANOTHER BATCH', 'fraud', fromOther('records.ndjson.zst')],
  [
    'NO RECORDS AT ALL',
    'fraud',
    (at) => writeFile(at(1, 'records.ndjson.zst'), encodeFrames([], zstdCompressSync)),
  ],
  ['A BYTE OF THE INDEX', 'fraud', flip('index.bin', 0.4)],
  ['A POSTING OF THE INDEX', 'fraud', flip('index.bin', 0.8)],
  ['THE INDEX CUT OFF', 'fraud', cut('index.bin')],
  ['THE INDEX OF ANOTHER BATCH', 'fraud', fromOther('index.bin')],
  ['A BYTE OF THE TREE', 'fraud', flip('tree.bin', 0.5)],
  ['THE TREE CUT OFF', 'fraud', cut('tree.bin')],
  ['THE TREE OF ANOTHER BATCH', 'fraud', fromOther('tree.bin')],
  [
    'EVERY FILE OF ANOTHER BATCH',
    'fraud',
    fromOther('records.ndjson.zst', 'index.bin', 'tree.bin', 'submissions.json', 'header.json'),
  ],
  [
    'SUBMISSIONS OF ANOTHER SOURCE',
    'fraud',
    rewrite('submissions.json', (text) => text.replace('urn:a', 'urn:b')),
  ],
  ['SUBMISSIONS OF ANOTHER BATCH', 'fraud', fromOther('submissions.json')],
  ['SUBMISSIONS THAT ARE NO JSON', 'fraud', write('submissions.json', '[')],
  ['A SIGNATURE OF NOBODY', 'fraud', sign(`0x${'ff'.repeat(64)}1b`)],
  ['A SIGNATURE OF 64 BYTES', 'fraud', sign(`0x${'11'.repeat(64)}`)],
  ['A SIGNATURE THAT IS NO HEX', 'fraud', sign('none')],
  ['THE HEADER OF ANOTHER BATCH', 'fraud', fromOther('header.json')],
  [
    'A HEADER WITH ANOTHER ROOT',
    'fraud',
    rewrite('header.json', (text) => text.replace(/(recordsRoot":"0x)../, '$1ff')),
  ],
  ['A HEADER THAT IS NO JSON', 'fraud', write('header.json', '{')],
  ...['records.ndjson.zst', 'index.bin', 'tree.bin', 'submissions.json', 'header.json'].map(
    (file): [string, 'withheld', Fault] => [`NO ${file}`, 'withheld', remove(file)],
  ),
  ['NOTHING OF IT', 'withheld', (at) => rename(at(1, ''), at(9, ''))],
]

async function prove(finder: Finder, sources: string[], id: string, names: string[]): Promise<JsonProof> {
  const found = await finder.findOne(sources, id)
  return finder.prove(found, await finder.disclosuresOf(found, names))
}

/** Nothing of batch 1 is shown, everything of the others is. */
async function expectHidden({ finder }: Indexer): Promise<void> {
  expect(await finder.find('urn:a', '1-7')).toEqual([])
  await expect(prove(finder, ['urn:a'], '1-7', [])).rejects.toMatchObject({ code: 'NOT_FOUND' })
  expect(await finder.find('urn:a', '0-299')).toHaveLength(1)
  expect(await finder.find('urn:c', '0-0')).toHaveLength(1)
}

describe('the checker', () => {
  test('finds whole batches verified, and has nothing to say but what their sources did', async () => {
    const { follower, checker, entries, told } = await indexer()
    await follower.step()
    expect(entries.inState('announced', 9)).toHaveLength(3)
    await checker.step()
    expect(entries.inState('verified', 9)).toHaveLength(3)
    expect(told.map(({ kind, submission }) => [kind, submission])).toEqual([
      ['sequence-repeat', { source: 'urn:a', sequence: '0' }],
    ])
  })

  test.each(FAULTS)('%s is %s: it is told, and nothing of the batch is shown', async (name, state, fault) => {
    const started = await indexer()
    await fault(started.pathOf)
    await started.catchUp()
    expect(started.entries.from(0n, 9).map((entry) => entry.state)).toEqual(['verified', state, 'verified'])
    expect(started.entries.get(1n)?.reason).toMatch(/../)
    const ownKind = /^A SIGNATURE OF NOBODY/.test(name) ? 'foreign-signature' : state
    expect(started.open()).toContainEqual([1, ownKind])
    await expectHidden(started)
  })

  test.each(['records.ndjson.zst', 'index.bin', 'submissions.json'])(
    'THE DISK CANNOT READ %s NOW: the batch is checked again later, the others meanwhile',
    async (file) => {
      const started = await indexer()
      const path = started.pathOf(1, file)
      // A folder can be opened, and not be read.
      await rename(path, `${path}.kept`)
      await mkdir(path)
      await expect(started.catchUp()).rejects.toMatchObject({ code: 'STORE_FAILED' })
      const states = () => started.entries.from(0n, 9).map(({ state }) => state)
      expect(states()).toEqual(['verified', 'announced', 'verified'])
      expect(started.open().filter(([entry]) => entry === 1)).toEqual([])
      await rmdir(path)
      await rename(`${path}.kept`, path)
      await started.checker.step()
      expect(states()).toEqual(['verified', 'verified', 'verified'])
    },
  )

  test('any change of a byte of any file that it needs is found', async () => {
    const started = await indexer()
    await started.follower.step()
    const files = ['records.ndjson.zst', 'index.bin', 'tree.bin'] as const
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...files),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.integer({ min: 1, max: 255 }),
        async (file, place, mask) => {
          const whole = batches[1]?.files[file] ?? new Uint8Array()
          const bytes = Uint8Array.from(whole)
          const i = Math.floor(place * bytes.length)
          bytes[i] = (bytes[i] ?? 0) ^ mask
          await writeFile(started.pathOf(1, file), bytes)
          started.entries.mark(1n, 'announced')
          await started.checker.step()
          await writeFile(started.pathOf(1, file), whole)
          // Two spellings of one zstd frame may hold the same text: that is no fraud.
          if (file !== 'records.ndjson.zst') expect(started.entries.get(1n)?.state).toBe('fraud')
          else expect(started.entries.get(1n)?.state).not.toBe('announced')
        },
      ),
      runs(12),
    )
  })
})

describe('the finder', () => {
  test('finds every record by source and id, and none that is not there', async () => {
    const started = await indexer()
    await started.catchUp()
    for (const [sequence, source, id] of [
      [0, 'urn:a', '0-299'],
      [0, 'urn:b', '0-4'],
      [1, 'urn:a', '1-19'],
      [2, 'urn:c', '0-2'],
    ] as const) {
      const found = await started.finder.find(source, id)
      expect(found.map(({ item, entry }) => [item.record.source, item.record.id, entry.logIndex])).toEqual([
        [source, id, BigInt(sequence)],
      ])
    }
    for (const [source, id] of [
      ['urn:a', 'none'],
      ['urn:b', '0-5'],
      ['urn:none', '0-0'],
      ['', ''],
    ] as const) {
      expect(await started.finder.find(source, id)).toEqual([])
    }
  })

  test('finds all copies of an id that its source used twice, newest first, and proves the oldest', async () => {
    const started = await indexer()
    await started.catchUp()
    const found = await started.finder.find('urn:a', '0-7')
    expect(found.map(({ entry, position }) => [entry.logIndex, position])).toEqual([
      [2n, 10],
      [0n, 7],
    ])
    const proof = await prove(started.finder, ['urn:a'], '0-7', [])
    expect(proof.log.index).toBe('0')
  })

  test('shows nothing before it is checked', async () => {
    const started = await indexer()
    await started.follower.step()
    expect(await started.finder.find('urn:b', '0-0')).toEqual([])
  })

  test('proves nothing before its block is final', async () => {
    const started = await indexer({ finality: { kind: 'durable', durableBlock: () => 0n } })
    await started.catchUp()
    expect(await started.finder.find('urn:b', '0-0')).toHaveLength(1)
    await expect(prove(started.finder, ['urn:b'], '0-0', [])).rejects.toMatchObject({ code: 'NOT_READY' })
  })

  test('asks which source is meant when several have the id', async () => {
    const started = await indexer()
    await started.catchUp()
    await expect(prove(started.finder, ['urn:a', 'urn:b', 'urn:c'], '0-1', [])).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
      message: expect.stringContaining('urn:a, urn:b, urn:c'),
    })
    expect((await prove(started.finder, ['urn:none', 'urn:b'], '0-1', [])).record).toMatchObject({
      source: 'urn:b',
    })
  })

  test('makes proofs that a stranger verifies against the chain alone', async () => {
    const started = await indexer()
    await started.catchUp()
    const { chain: facts } = startIndexer(await temporaryFolder(), createRpc(chain.rpc.url), chain.ledger)
    for (const [source, id] of [
      ['urn:a', '0-0'],
      ['urn:b', '0-3'],
      ['urn:a', '1-9'],
      ['urn:c', '0-1'],
    ] as const) {
      const closed = await prove(started.finder, [source], id, [])
      expect(closed.disclosures).toEqual([])
      const verified = await verifyProof(structuredClone(closed), facts, { ledger: chain.ledger })
      expect(verified.record).toMatchObject({ source, id })
    }
    const open = await prove(started.finder, ['urn:a'], '0-0', ['person'])
    expect((await verifyProof(structuredClone(open), facts)).record.data.person).toMatch(/^q83v/)
  })
})
