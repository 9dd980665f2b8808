import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { SealedBatch } from '../../src/batch/index.ts'
import { IncidentDesk } from '../../src/indexer/incident-desk.ts'
import { RuleKeeper } from '../../src/indexer/rule-keeper.ts'
import { parseRecord, sealRecord } from '../../src/record/index.ts'
import { parseRulePolicy } from '../../src/rules/policy.ts'
import type { RecordRef, Seen } from '../../src/rules/rule.ts'
import { DAY_MS } from '../../src/rules/settings.ts'
import { Alerts } from '../../src/store/alerts.ts'
import { BatchFolder } from '../../src/store/batch-folder.ts'
import { openDatabase } from '../../src/store/database.ts'
import { Incidents } from '../../src/store/incidents.ts'
import { JudgedBatches } from '../../src/store/judged-batches.ts'
import { LedgerEntries } from '../../src/store/ledger-entries.ts'
import { OwnRecords } from '../../src/store/own-records.ts'
import { SealedBatches } from '../../src/store/sealed-batches.ts'
import { SeenSubmissions } from '../../src/store/seen-submissions.ts'
import { Trips } from '../../src/store/trips.ts'
import { PUBLISHER } from '../chain/fixture.ts'
import { authorization, call, GRANT_ID, HOUR_MS, heartbeat, MINUTE_MS, MONDAY_MS } from '../rules/seen.ts'
import { temporaryFolder } from '../store/temporary.ts'
import { sealFor } from './world.ts'

const NINE = MONDAY_MS + 9 * HOUR_MS
const IDENTITY = { chainId: 31337n, ledger: `0x${'aa'.repeat(20)}`, deploymentBlock: 0n } as const

/** The next submission of each source. */
const numbers = new Map<string, bigint>()
beforeEach(() => numbers.clear())

/** A batch of one submission of each of these records, one after the other in their sources. */
function sealed(sequence: number, records: readonly Seen[]): SealedBatch {
  const submissions = records.map(({ record, source }) => {
    const number = numbers.get(source) ?? 0n
    numbers.set(source, number + 1n)
    const { record: closed, disclosures, vault } = sealRecord(parseRecord(record))
    return {
      source,
      sequence: number,
      receivedAt: NINE,
      signature: null,
      items: [{ record: closed, disclosures }],
      vault: [vault],
    }
  })
  return sealFor(sequence, ...submissions)
}

/** The rules at work over a catalogue and batch files; blocks are numbered as the entries, all of them final. */
function startRules(
  path: string,
  { policy = {}, behind = false }: { policy?: object; behind?: boolean } = {},
) {
  const database = openDatabase(join(path, 'catalogue.sqlite'))
  const entries = new LedgerEntries(database)
  const folder = new BatchFolder(join(path, 'batches'))
  const seen = new SeenSubmissions(database)
  const judged = new JudgedBatches(database)
  const own = new OwnRecords(database)
  const trips = new Trips(database)
  const sealedBatches = new SealedBatches(database)
  const told: string[] = []
  const clock = { now: NINE + DAY_MS, finalBlock: 1_000n, blockTime: NINE }
  const desk = new IncidentDesk({
    database,
    incidents: new Incidents(database),
    judged,
    records: { own, source: 'urn:watch' },
    policy: parseRulePolicy(policy),
    trips,
    identity: IDENTITY,
    now: () => clock.now,
    onTrouble: (message) => told.push(message),
  })
  const keeper = new RuleKeeper({
    policy: parseRulePolicy({ reorderMs: 0, ...policy }),
    cataloguePath: join(path, 'catalogue.sqlite'),
    judged,
    entries,
    seen,
    sealed: sealedBatches,
    publisher: PUBLISHER,
    batchesPath: folder.root,
    chain: {
      blockByNumber: async () => ({
        hash: `0x${'00'.repeat(32)}`,
        number: 1n,
        transactionHashes: [],
        timestamp: BigInt(Math.floor(clock.blockTime / 1_000)),
      }),
    },
    finalBlock: () => clock.finalBlock,
    isBehind: () => behind,
    now: () => clock.now,
    raise: (findings, logIndex) => desk.raise(findings, logIndex),
  })
  const stop = async () => {
    await keeper.stop()
    if (database.isOpen) database.close()
  }
  onTestFinished(stop)
  return {
    ...{ clock, desk, keeper, folder, entries, sealedBatches, own, trips, told, stop },
    rulesBrokenBy: (ref: RecordRef) =>
      new Alerts(database).ofRecord(ref).map(({ incident }) => incident?.rule),
    /** The chain announces a batch; its files are here, and verified, unless it is withheld. */
    async add(batch: SealedBatch, state: 'verified' | 'withheld' = 'verified') {
      const logIndex = BigInt(entries.size())
      const { header } = batch
      const hash = `0x${String(logIndex).padStart(64, '0')}` as const
      const at = { blockNumber: logIndex, blockHash: hash, transactionHash: hash, eventIndex: 0 }
      entries.add([{ logIndex, header, ...at }])
      await folder.save(batch)
      for (const submission of await folder.loadSubmissions(header)) {
        const { source, sequence, first } = submission
        seen.add({ source, sequence, first, logIndex, signer: undefined })
      }
      entries.mark(logIndex, state)
      return logIndex
    },
    async catchUp() {
      while (await keeper.step());
    },
    /** rule and first record of every alert, oldest first */
    alerts: () =>
      new Alerts(database).after(-1n, 1_000).map(({ document }) => {
        const { rule, records, values } = JSON.parse(document)
        return [rule, records[0].id, values.reason ?? values.fault].filter((part) => part !== undefined)
      }),
  }
}

/** Both sides of a call, alike but for their sources. */
const both = (timeMs: number, change: Record<string, unknown>): [Seen, Seen] => {
  const consumer = call(timeMs, change)
  return [consumer, call(timeMs, { ...change, side: 'provider', requestId: consumer.call?.requestId })]
}

describe('the rules in an indexer', () => {
  test('judge every final batch once, also over a restart, and remember what they knew', async () => {
    const path = await temporaryFolder()
    const first = startRules(path)
    const bad = both(NINE + MINUTE_MS, { sharing: 'prohibited' })
    await first.add(sealed(0, [authorization(NINE, { maxCalls: 1 })]))
    await first.add(sealed(1, bad))
    await first.catchUp()
    const raised = bad.map(({ id }) => ['call-without-grant', id, 'prohibited'])
    expect(first.alerts()).toEqual(raised)
    await first.stop()

    const second = startRules(path)
    const cited = { sharing: 'conditional', purpose: 'care', authorization: GRANT_ID }
    const good = both(NINE + 2 * MINUTE_MS, cited)
    const more = both(NINE + 3 * MINUTE_MS, cited)
    await second.add(sealed(2, good))
    await second.add(sealed(3, more))
    await second.catchUp()
    expect(second.alerts()).toEqual([
      ...raised,
      ...more.map(({ id }) => ['call-without-grant', id, 'used-up']),
    ])
    expect(second.told).toHaveLength(2)
  })

  test('see nothing of a batch before its block is final', async () => {
    const rules = startRules(await temporaryFolder())
    const logIndex = await rules.add(sealed(0, both(NINE, { sharing: 'prohibited' })))
    rules.clock.finalBlock = logIndex - 1n
    await rules.catchUp()
    expect(rules.alerts()).toEqual([])
    rules.clock.finalBlock = logIndex
    await rules.catchUp()
    expect(rules.alerts()).toHaveLength(2)
  })

  test('accuse nobody of what a withheld batch may hold, and judge it when it comes', async () => {
    const rules = startRules(await temporaryFolder())
    const withheld = await rules.add(sealed(0, both(NINE, { sharing: 'prohibited' })), 'withheld')
    const alone = call(NINE, { sharing: 'conditional', authorization: GRANT_ID })
    await rules.add(sealed(1, [alone]))
    await rules.catchUp()
    rules.clock.now += HOUR_MS
    await rules.catchUp()
    expect(rules.alerts()).toEqual([])
    rules.entries.mark(withheld, 'verified')
    await rules.catchUp()
    expect(rules.alerts().map(([, , reason]) => reason)).toEqual(['prohibited', 'prohibited'])
  })

  test('let time pass while nothing comes, unless something is on its way', async () => {
    const path = await temporaryFolder()
    const beat = heartbeat(NINE)
    const behind = startRules(path, { behind: true })
    await behind.add(sealed(0, [beat]))
    await behind.catchUp()
    expect(behind.alerts()).toEqual([])
    await behind.stop()
    const rules = startRules(path)
    await rules.catchUp()
    expect(rules.alerts()).toEqual([['silent-source', beat.id, 'silence']])
  })

  test('take a clock that is ahead for one of now', async () => {
    const rules = startRules(await temporaryFolder())
    const ahead = { ...heartbeat(NINE + 1_000 * DAY_MS), source: 'urn:ahead' }
    await rules.add(sealed(0, [authorization(NINE), ahead]))
    const cited = { sharing: 'conditional', purpose: 'care', authorization: GRANT_ID }
    await rules.add(sealed(1, both(NINE + MINUTE_MS, cited)))
    await rules.catchUp()
    expect(rules.alerts()).toEqual([])
  })

  test('begin anew after a batch that could not be read, and raise nothing twice', async () => {
    const rules = startRules(await temporaryFolder())
    await rules.add(sealed(0, both(NINE, { sharing: 'prohibited' })))
    await rules.catchUp()
    const gone = sealed(1, both(NINE + MINUTE_MS, { sharing: 'prohibited' }))
    await rules.add(gone)
    await rm(rules.folder.pathOf(PUBLISHER, 1n), { recursive: true })
    await expect(rules.catchUp()).rejects.toMatchObject({ name: 'OperationError' })
    await rules.folder.save(gone)
    await rules.catchUp()
    expect(rules.alerts()).toHaveLength(4)
  })

  test.each([
    ['anchored after its promise', 60_000, 'late'],
    ['anchored in time', -60_000, undefined],
  ])('hold a gateway to its receipts: %s', async (_, lateMs, fault) => {
    const rules = startRules(await temporaryFolder())
    const record = call(NINE)
    const batch = sealed(0, [record])
    promise(rules, batch, record)
    rules.clock.blockTime = NINE + lateMs
    await rules.add(batch)
    await rules.catchUp()
    const broken = rules.alerts().filter(([rule]) => rule === 'broken-promise')
    expect(broken).toEqual(fault === undefined ? [] : [['broken-promise', record.id, fault]])
  })

  test('find a promise that is over while its batch is on no block', async () => {
    const rules = startRules(await temporaryFolder())
    const record = call(NINE)
    const batch = sealed(0, [record])
    promise(rules, batch, record)
    await rules.folder.save(batch)
    rules.clock.now = NINE
    await rules.catchUp()
    expect(rules.alerts()).toEqual([])
    rules.clock.now = NINE + HOUR_MS
    await rules.catchUp()
    expect(rules.alerts()).toEqual([['broken-promise', record.id, 'not-anchored']])
    await rules.add(batch)
    rules.clock.blockTime = NINE + HOUR_MS
    await rules.catchUp()
    expect(rules.alerts().filter(([rule]) => rule === 'broken-promise')).toHaveLength(1)
  })
})

/** The gateway has promised the first submission of a batch to the chain at nine. */
function promise(
  { sealedBatches }: ReturnType<typeof startRules>,
  { header }: SealedBatch,
  { source }: Seen,
): void {
  const root = new Uint8Array(32)
  const submission = { source, sequence: 0n, root, size: 1, receivedAt: NINE - HOUR_MS, anchorBy: NINE }
  sealedBatches.addSubmissions(header.publisher, header.sequence, 0, [
    { ...submission, voucher: { by: 'open' } },
  ])
  sealedBatches.addBatch(header, { sequence: header.sequence, sealedAt: NINE - HOUR_MS, anchorBy: NINE })
}

describe('what the rules found', () => {
  const planted = async (policy = {}) => {
    const rules = startRules(await temporaryFolder(), { policy })
    await rules.add(sealed(0, both(NINE, { sharing: 'prohibited' })))
    await rules.catchUp()
    return rules
  }
  const states = (documents: string[]) => documents.map((document) => JSON.parse(document).data.state)

  test('warns before its time is over, and says when it is, each once', async () => {
    const rules = await planted({ deadlineMinutes: { high: 60 } })
    const since = rules.told.length
    const at = (minutes: number) => {
      rules.clock.now = NINE + DAY_MS + minutes * MINUTE_MS
      rules.desk.watch()
      return [rules.told.length - since, rules.desk.troubles().length]
    }
    expect(at(44)).toEqual([0, 0])
    expect(rules.desk.clocks()).toMatchObject({ running: 2, overdue: 0 })
    expect([at(45), at(50)]).toEqual([
      [2, 1],
      [2, 1],
    ])
    rules.desk.handle(1n, { state: 'reported' })
    expect([at(61), at(90)]).toEqual([
      [3, 1],
      [3, 1],
    ])
    expect(rules.told.at(-1)).toMatch(/^alert 2 \(call-without-grant, high\) was not reported by 2026-/)
    expect(rules.desk.clocks()).toMatchObject({ running: 1, overdue: 1 })
    rules.desk.handle(2n, { state: 'closed' })
    expect(at(91)).toEqual([3, 0])
  })

  test('is recorded at every step, and what is closed stays closed', async () => {
    const rules = await planted()
    rules.desk.handle(1n, { state: 'reported', note: 'a note', agent: 'duty' })
    rules.desk.handle(1n, { state: 'closed' })
    expect(() => rules.desk.handle(1n, { state: 'reported' })).toThrow(
      expect.objectContaining({ code: 'ALERT_CLOSED' }),
    )
    expect(() => rules.desk.handle(9n, { state: 'closed' })).toThrow(
      expect.objectContaining({ code: 'NOT_FOUND' }),
    )
    const documents = rules.own.take(0n, 100)
    expect(states(documents)).toEqual(['open', 'open', 'reported', 'closed'])
    for (const document of documents) parseRecord(JSON.parse(document))
    expect(JSON.parse(documents[2] ?? '').data).toMatchObject({ note: 'a note', agent: 'duty' })
  })

  test('is known of every record that breaks a rule, not of the first alone', async () => {
    const rules = await planted()
    const recordOf = (id: string) => ({ source: 'urn:tax', id })
    const [first, second, third] = [recordOf('a'), recordOf('b'), recordOf('c')]
    const finding = { rule: 'rate-above-baseline', severity: 'medium' as const, evidence: [], values: {} }
    await rules.desk.raise([{ ...finding, records: [first, second, second] }], undefined)
    await rules.desk.raise([{ ...finding, records: [second, third] }], undefined)
    for (const [ref, count] of [
      [first, 1],
      [second, 2],
      [third, 1],
    ] as const) {
      expect(rules.rulesBrokenBy(ref)).toEqual(Array(count).fill('rate-above-baseline'))
    }
    expect(rules.rulesBrokenBy({ source: 'urn:tax', id: 'd' })).toEqual([])
  })

  test('is handed over once: with the same number until the gateway has taken it', async () => {
    const rules = await planted()
    const taken = rules.own.take(5n, 1)
    expect(taken).toHaveLength(1)
    // A crash came before the gateway had it; more has happened since.
    rules.desk.handle(1n, { state: 'closed' })
    expect(rules.own.take(5n, 100)).toEqual(taken)
    // Now it has it, and a crash came before that was written down.
    expect(states(rules.own.take(6n, 100))).toEqual(['open', 'closed'])
    rules.own.forget(7n)
    expect(rules.own.take(7n, 100)).toEqual([])
  })

  test('trips whom the rules file says, once until it is sent', async () => {
    const rules = await planted({ trip: { 'call-without-grant': 'resource' } })
    const trip = rules.trips.due()
    expect(trip).toMatchObject({ kind: 'resource', name: 'urn:resource', reason: 'call-without-grant' })
    rules.trips.drop(trip?.id ?? 0n)
    expect(rules.trips.due()).toBeUndefined()
  })
})
