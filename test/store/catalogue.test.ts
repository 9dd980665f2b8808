import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Hex } from '../../src/bytes/hex.ts'
import { type Database, inTransaction, openDatabase } from '../../src/store/database.ts'
import { LedgerEntries, type NewEntry } from '../../src/store/ledger-entries.ts'
import { type AcceptedSubmission, SealedBatches } from '../../src/store/sealed-batches.ts'
import { type TransactionRow, transactionStore } from '../../src/store/transactions.ts'
import { addBatch, headerOf, PUBLISHER } from './headers.ts'
import { temporaryFolder } from './temporary.ts'

async function open(path?: string): Promise<Database> {
  const database = openDatabase(path ?? join(await temporaryFolder(), 'catalogue.sqlite'))
  onTestFinished(() => {
    if (database.isOpen) database.close()
  })
  return database
}

const submission = (source: string, sequence: number, size = 1): AcceptedSubmission => ({
  source,
  sequence: BigInt(sequence),
  root: new Uint8Array(32).fill(sequence),
  size,
  receivedAt: 1_790_000_000_000 + sequence,
  anchorBy: 1_790_000_600_000 + sequence,
  voucher: { by: 'open' },
})

describe('the catalogue', () => {
  test('is there again when it is opened again', async () => {
    const path = join(await temporaryFolder(), 'catalogue.sqlite')
    const first = await open(path)
    addBatch(new SealedBatches(first), headerOf(0), [submission('a', 0)], 1)
    first.close()
    expect(new SealedBatches(await open(path)).nextSequence(PUBLISHER)).toBe(1n)
  })

  test('of another version is refused with its path', async () => {
    const path = join(await temporaryFolder(), 'catalogue.sqlite')
    const first = await open(path)
    first.exec('PRAGMA user_version = 99')
    first.close()
    expect(() => openDatabase(path)).toThrow(`${path} is a catalogue of version 99`)
  })

  test('keeps all of a transaction or nothing', async () => {
    const database = await open()
    const sealed = new SealedBatches(database)
    expect(() =>
      inTransaction(database, () => {
        database.exec("INSERT INTO batches VALUES ('x', 0, x'00', 1, 1)")
        throw new Error('halfway')
      }),
    ).toThrow('halfway')
    expect(database.prepare('SELECT count(*) AS n FROM batches').get()).toEqual({ n: 0 })
    addBatch(sealed, headerOf(0), [submission('a', 0)], 1)
    expect(sealed.nextSequence(PUBLISHER)).toBe(1n)
  })
})

describe('a full disk', () => {
  test('is said to be one, keeps nothing by halves, and passes', async () => {
    const database = await open()
    const sealed = new SealedBatches(database)
    const many = Array.from({ length: 400 }, (_, i) => submission('a', i))
    const { page_count: pages } = database.prepare('PRAGMA page_count').get() ?? {}
    database.exec(`PRAGMA max_page_count = ${pages}`)
    const failure = { code: 'STORE_FAILED', message: expect.stringContaining('full'), retryable: true }
    expect(() => addBatch(sealed, headerOf(0), many, 1)).toThrow(expect.objectContaining(failure))
    expect(sealed.nextSequence(PUBLISHER)).toBe(0n)
    database.exec('PRAGMA max_page_count = 100000')
    addBatch(sealed, headerOf(0), many, 1)
    expect(sealed.nextSubmission('a')).toBe(400n)
  })
})

describe('sealed batches', () => {
  test('are recorded after all their submissions, which may be repeated, and are never of two batches', async () => {
    const sealed = new SealedBatches(await open())
    addBatch(sealed, headerOf(0), [submission('a', 0), submission('b', 0)], 1)
    expect(() => addBatch(sealed, headerOf(1), [submission('a', 1), submission('b', 0)], 2)).toThrow(
      /NOT NULL/,
    )
    expect(sealed.nextSequence(PUBLISHER)).toBe(1n)
    expect(sealed.submission('a', 1n)).toBeUndefined()
    expect(sealed.submission('b', 0n)?.batch).toBe(0n)
    // A crash came before the batch was recorded: its submissions are recorded again.
    sealed.addSubmissions(PUBLISHER, 1n, 0, [submission('a', 1)])
    addBatch(sealed, headerOf(1), [submission('a', 1), submission('b', 1)], 2)
    expect(sealed.nextSequence(PUBLISHER)).toBe(2n)
  })

  test('say where each submission went', async () => {
    const sealed = new SealedBatches(await open())
    const [a, b, c] = [submission('a', 0, 5), submission('b', 0, 7), submission('a', 1, 2)]
    addBatch(sealed, headerOf(0), [], 1)
    addBatch(sealed, headerOf(1), [a, b, c], 2)
    const place = { publisher: PUBLISHER, batch: 1n }
    expect(sealed.submission('a', 0n)).toEqual({ ...a, ...place, first: 0 })
    expect(sealed.submission('b', 0n)).toEqual({ ...b, ...place, first: 5 })
    expect(sealed.submission('a', 1n)).toEqual({ ...c, ...place, first: 12 })
    expect(sealed.submission('c', 0n)).toBeUndefined()
    for (const huge of [2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n]) {
      expect(sealed.submission('a', huge)).toBeUndefined()
    }
  })

  test('give the next sequence of each publisher and of each source', async () => {
    const sealed = new SealedBatches(await open())
    const other: Hex = `0x${'cd'.repeat(20)}`
    expect([sealed.nextSequence(PUBLISHER), sealed.nextSubmission('a')]).toEqual([0n, 0n])
    addBatch(sealed, headerOf(0), [submission('a', 0), submission('a', 1), submission('b', 0)], 1)
    addBatch(sealed, { ...headerOf(0), publisher: other }, [submission('c', 0)], 1)
    addBatch(sealed, { ...headerOf(1), publisher: other }, [submission('a', 2)], 1)
    expect([PUBLISHER, other].map((publisher) => sealed.nextSequence(publisher))).toEqual([1n, 2n])
    expect(['a', 'b', 'c', 'd'].map((source) => sealed.nextSubmission(source))).toEqual([3n, 1n, 1n, 0n])
  })

  test('list their headers by publisher, in order, from where they are asked', async () => {
    const sealed = new SealedBatches(await open())
    const headers = [0, 1, 2, 3].map(headerOf)
    for (const header of headers) addBatch(sealed, header, [], 1)
    expect(sealed.headersFrom(PUBLISHER, 1n, 2)).toEqual(headers.slice(1, 3))
    expect(sealed.headersFrom(PUBLISHER, 4n, 2)).toEqual([])
    expect(sealed.headersFrom(`0x${'00'.repeat(20)}`, 0n, 9)).toEqual([])
  })

  test('name their sources, each once, in order, no more than asked', async () => {
    const sealed = new SealedBatches(await open())
    expect(sealed.sources(10)).toEqual([])
    const sources = ['urn:b', 'urn:a', 'urn:a:0', '', 'urn:\u00e9', 'urn:c']
    let batch = 0
    for (let sequence = 0; sequence < 20; sequence++) {
      addBatch(
        sealed,
        headerOf(batch++),
        sources.map((source) => submission(source, sequence)),
        1,
      )
    }
    const sorted = [...sources].sort()
    expect(sealed.sources(10)).toEqual(sorted)
    expect(sealed.sources(3)).toEqual(sorted.slice(0, 3))
  })
})

describe('ledger entries', () => {
  const hash = (i: number): Hex => `0x${i.toString(16).padStart(64, '0')}`
  const entry = (i: number, transaction = i): NewEntry => ({
    logIndex: BigInt(i),
    header: headerOf(i),
    blockNumber: BigInt(10 + transaction),
    blockHash: hash(1_000 + transaction),
    transactionHash: hash(transaction),
    eventIndex: i - transaction,
  })
  const announced = (i: number, transaction = i) => ({
    ...entry(i, transaction),
    state: 'announced',
    reason: undefined,
    attempts: 0,
  })

  test('come back as they were, newest first or oldest first, a page at a time', async () => {
    const entries = new LedgerEntries(await open())
    entries.add([0, 1, 2, 3, 4].map((i) => entry(i)))
    expect(entries.before(4n, 2)).toEqual([announced(3), announced(2)])
    expect(entries.from(3n, 9)).toEqual([announced(3), announced(4)])
    expect(entries.get(2n)).toEqual(announced(2))
    expect(entries.get(5n)).toBeUndefined()
    expect(entries.ofBatch(PUBLISHER, 4n)).toEqual(announced(4))
    expect(entries.ofBatch(PUBLISHER, 5n)).toBeUndefined()
  })

  test('are added all or none', async () => {
    const entries = new LedgerEntries(await open())
    entries.add([entry(0)])
    expect(() => entries.add([entry(1), entry(0)])).toThrow(/UNIQUE/)
    expect(entries.from(0n, 9)).toEqual([announced(0)])
  })

  test('that a reorg takes back are gone, and their places are free', async () => {
    const entries = new LedgerEntries(await open())
    entries.add([0, 1, 2].map((i) => entry(i)))
    entries.mark(1n, 'verified')
    entries.truncate(1n)
    expect(entries.from(0n, 9)).toEqual([announced(0)])
    entries.add([entry(1)])
    expect(entries.get(1n)?.state, 'it is checked anew').toBe('announced')
  })

  test('are counted and listed by state', async () => {
    const entries = new LedgerEntries(await open())
    entries.add([0, 1, 2, 3].map((i) => entry(i)))
    entries.mark(1n, 'verified')
    entries.mark(2n, 'fraud', 'the records do not give the root')
    expect(entries.inState('announced', 9).map(({ logIndex }) => logIndex)).toEqual([0n, 3n])
    expect(entries.inState('fraud', 9)).toEqual([
      { ...announced(2), state: 'fraud', reason: 'the records do not give the root' },
    ])
    expect(
      (['announced', 'verified', 'fraud', 'withheld'] as const).map((s) => entries.countInState(s)),
    ).toEqual([2, 1, 1, 0])
    expect(() => entries.mark(0n, 'nonsense' as 'fraud')).toThrow(/CHECK/)
  })

  test('tell the size of the ledger after a transaction', async () => {
    const entries = new LedgerEntries(await open())
    entries.add([entry(0, 0), entry(1, 1), entry(2, 1), entry(3, 1), entry(4, 4)])
    expect([0, 1, 4].map((i) => entries.sizeAfter(hash(i)))).toEqual([1n, 4n, 5n])
  })
})

describe('stored transactions', () => {
  const row = (nonce: number, hash: string, createdAt = nonce): TransactionRow => ({
    publisher: PUBLISHER,
    nonce: BigInt(nonce),
    hash: `0x${hash}`,
    raw: `0x02${hash}`,
    firstSequence: BigInt(10 * nonce),
    count: 10,
    maxFeePerGas: 2n ** 70n,
    maxPriorityFeePerGas: 1n,
    createdAt,
  })

  test('stay outstanding until their nonce is settled, in the order of nonce and time', async () => {
    const store = transactionStore(await open(), PUBLISHER)
    for (const each of [row(1, 'b1', 5), row(0, 'a0'), row(1, 'b0', 9), row(2, 'c0')])
      store.saveTransaction(each)
    expect(store.outstandingTransactions()).toEqual([
      row(0, 'a0'),
      row(1, 'b1', 5),
      row(1, 'b0', 9),
      row(2, 'c0'),
    ])
    store.settleTransactions(2n)
    expect(store.outstandingTransactions()).toEqual([row(2, 'c0')])
    // After a reorg the same bytes go out again.
    store.saveTransaction(row(1, 'b0', 9))
    expect(store.outstandingTransactions()).toEqual([row(1, 'b0', 9), row(2, 'c0')])
  })

  test('tell what they did and cost, those that others replaced beside them, newest first', async () => {
    const store = transactionStore(await open(), PUBLISHER)
    for (const each of [
      row(0, 'a0'),
      row(1, 'b0', 5),
      row(1, 'b1', 9),
      row(2, 'c0'),
      row(3, 'd0'),
      row(4, 'e0'),
    ])
      store.saveTransaction(each)
    const mined = { blockNumber: 7n, gasUsed: 49_000n, gasPrice: 2n ** 65n }
    store.settleTransactions(4n, [
      { hash: '0xb1', succeeded: true, ...mined },
      { hash: '0xc0', succeeded: false, ...mined },
    ])
    const states = (nonce: bigint, limit = 9) =>
      store.transactionsBefore(nonce, limit).map(({ hash, state, mined }) => [hash, state, mined?.gasUsed])
    expect(states(99n)).toEqual([
      ['0xe0', 'waiting', undefined],
      ['0xd0', 'settled', undefined],
      ['0xc0', 'reverted', 49_000n],
      ['0xb1', 'succeeded', 49_000n],
      ['0xb0', 'replaced', undefined],
      ['0xa0', 'settled', undefined],
    ])
    expect(states(2n, 1).map(([hash]) => hash)).toEqual(['0xb1', '0xb0'])
    expect(store.transactionsBefore(2n, 1)[0]).toMatchObject({ mined, count: 10, maxFeePerGas: 2n ** 70n })
    // After a reorg nothing of that is so any more.
    store.saveTransaction(row(1, 'b1', 9))
    expect(states(2n, 1)[0]).toEqual(['0xb1', 'waiting', undefined])
  })

  test('THE DISK IS FULL: they are refused before they are broadcast, and taken when there is room', async () => {
    const database = await open()
    const store = transactionStore(database, PUBLISHER)
    const { page_count: pages } = database.prepare('PRAGMA page_count').get() ?? {}
    database.exec(`PRAGMA max_page_count = ${pages}`)
    const large = { ...row(0, 'a0'), raw: `0x${'00'.repeat(20_000)}` as Hex }
    const failure = { code: 'STORE_FAILED', message: expect.stringContaining('full') }
    expect(() => store.saveTransaction(large)).toThrow(expect.objectContaining(failure))
    database.exec('PRAGMA max_page_count = 100000')
    store.saveTransaction(large)
    expect(store.outstandingTransactions()).toEqual([large])
  })

  test('of another publisher are not its concern', async () => {
    const database = await open()
    transactionStore(database, PUBLISHER).saveTransaction(row(0, 'a0'))
    const other = transactionStore(database, `0x${'cd'.repeat(20)}`)
    other.settleTransactions(9n)
    expect(other.outstandingTransactions()).toEqual([])
    expect(transactionStore(database, PUBLISHER).outstandingTransactions()).toHaveLength(1)
  })
})
