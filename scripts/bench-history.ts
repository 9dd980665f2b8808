import { randomBytes } from 'node:crypto'
import {
  buildIndex,
  buildRun,
  buildTree,
  type Header,
  type HistoryBatch,
  type HistoryPart,
  type IndexName,
  IndexReader,
  type Item,
  inclusionPath,
  indexKey,
  indexValues,
  type LookupProof,
  leafHash,
  parseRecord,
  type RunHistory,
  sealRecord,
  subsetPath,
  timeOf,
  toJsonHistoryBatch,
  toJsonHistoryPart,
  toJsonRunHistory,
  toRunData,
  treeRoot,
  verifyHistory,
} from '../src/index.ts'
import { exampleOf } from '../test/record/examples.ts'
import { CHAIN_ID, factsOf, LEDGER, mine } from '../test/verify/chain.ts'
import { personOf } from '../test/verify/history-world.ts'

/**
 * How long a year's history of one person is, over runs of a day and batch by batch: `node scripts/bench-history.ts
 * [days] [batches a day] [records a batch] [records of the person]`.
 *
 * Records that no history shows are made up as far as the index sees them: names and values, and a leaf hash.
 */
const [DAYS = 365, BATCHES = 20, RECORDS = 300, OWN = 100] = process.argv.slice(2).map(Number)
const PERSON = personOf(0)
const PUBLISHER = `0x${'ab'.repeat(20)}` as const
const MIDNIGHT = Date.UTC(2026, 0, 1)
const DAY_MS = 86_400_000

const random = (bound: number) => Math.floor(Math.random() * bound)
const token = () => randomBytes(16).toString('hex')

/** A batch: what its history needs of it. */
interface Made {
  header: Header
  leaves: Uint8Array[]
  /** by position */
  shown: Map<number, Item>
  index: Uint8Array
}

function makeBatch(sequence: number, day: number, own: number, run: Item | undefined): Made {
  const time = (i: number) => new Date(MIDNIGHT + DAY_MS * day + 1_000 * i).toISOString()
  const shown = new Map<number, Item>()
  if (run !== undefined) shown.set(0, run)
  for (let i = 0; i < own; i++) {
    const example = exampleOf('tidemark.call.v1')
    const data = { ...example.data, person: PERSON, requestId: token() }
    const { record, disclosures } = sealRecord(
      parseRecord({ ...example, source: 'urn:service:7', id: token(), time: time(sequence), data }),
    )
    let position = random(RECORDS)
    while (shown.has(position)) position = random(RECORDS)
    shown.set(position, { record, disclosures })
  }
  const leaves: Uint8Array[] = []
  const values: ReadonlyMap<IndexName, string>[] = []
  for (let i = 0; i < RECORDS; i++) {
    const item = shown.get(i)
    leaves.push(item === undefined ? randomBytes(32) : leafHash(item.record))
    values.push(item === undefined ? madeUp() : indexValues(item.record, item.disclosures))
  }
  const { indexRoot, indexSize, file } = buildIndex(values)
  const times = [...shown.values()].map(({ record }) => timeOf(record))
  const header: Header = {
    publisher: PUBLISHER,
    sequence: BigInt(sequence),
    recordsRoot: treeRoot(leaves),
    recordCount: RECORDS,
    indexRoot,
    indexSize,
    firstTime: BigInt(Math.min(MIDNIGHT + DAY_MS * day, ...times)),
    lastTime: BigInt(Math.max(MIDNIGHT + DAY_MS * (day + 1) - 1, ...times)),
  }
  return { header, leaves, shown, index: file }
}

/** A call of somebody else, as an index sees it. */
const madeUp = () =>
  new Map<IndexName, string>([
    ['record', `urn:service:${random(20)}\0${token()}`],
    ['person', token()],
    ['request', token()],
    ['resource', `resource-${random(50)}`],
    ['consumer', `consumer-${random(20)}`],
    ['provider', `provider-${random(20)}`],
  ])

const readerOf = (file: Uint8Array) =>
  IndexReader.open(async (offset, length) => file.subarray(offset, offset + length))

async function lookUp(file: Uint8Array): Promise<{ lookup: LookupProof; positions: Uint32Array }> {
  const reader = await readerOf(file)
  const key = indexKey('person', PERSON)
  return { lookup: await reader.prove(key), positions: await reader.find(key) }
}

async function show({ header, leaves, shown, index }: Made): Promise<HistoryBatch> {
  const { lookup, positions } = await lookUp(index)
  if (positions.length === 0) return { header, lookup }
  const items = [...positions].flatMap((position) => shown.get(position) ?? [])
  return { header, lookup, found: { items, path: subsetPath(leaves, positions) } }
}

/** The index of a run, and the record that says so. */
async function makeRun(first: number, batches: readonly Made[], day: number) {
  const readers = await Promise.all(batches.map(({ index }) => readerOf(index)))
  let file = new Uint8Array(2 ** 20)
  const summary = await buildRun(readers, async (offset, bytes) => {
    while (offset + bytes.length > file.length) {
      const grown = new Uint8Array(2 * file.length)
      grown.set(file)
      file = grown
    }
    file.set(bytes, offset)
  })
  const data = toRunData({ chainId: CHAIN_ID, ledger: LEDGER, first: BigInt(first), ...summary })
  const { record } = sealRecord(
    parseRecord({
      specversion: '1.0',
      id: `run-${first}-${batches.length}`,
      source: `urn:tidemark:runs:${PUBLISHER}`,
      type: 'tidemark.index-run.v1',
      time: new Date(MIDNIGHT + DAY_MS * (day + 1)).toISOString(),
      data,
    }),
  )
  return { file, item: { record, disclosures: [] } }
}

const hits = new Map<number, number>()
for (let i = 0; i < OWN; i++) {
  const at = random(DAYS * BATCHES)
  hits.set(at, (hits.get(at) ?? 0) + 1)
}

const headers: Header[] = []
const parts: HistoryPart[] = []
const positions = new Set<number>()
let pending: { part: Omit<Extract<HistoryPart, { run: unknown }>, 'run'>; item: Item } | undefined
let [plainBytes, plainEmpty, plainEmptyBytes] = [0, 0, 0]

for (let day = 0; day <= DAYS; day++) {
  const first = headers.length
  const batches: Made[] = []
  // The day after the last one holds the record of the last run, and nothing else of interest.
  for (let i = 0; i < (day === DAYS ? 1 : BATCHES); i++) {
    batches.push(
      makeBatch(
        first + i,
        day,
        day === DAYS ? 0 : (hits.get(first + i) ?? 0),
        i === 0 ? pending?.item : undefined,
      ),
    )
  }
  const [opening] = batches
  if (pending !== undefined && opening !== undefined) {
    const inclusion = { index: 0, path: inclusionPath(buildTree(opening.leaves), 0) }
    const run = { record: pending.item.record, inclusion, header: opening.header, entry: BigInt(first) }
    parts.push({ run, ...pending.part })
    positions.add(first)
  }
  headers.push(...batches.map(({ header }) => header))
  if (day === DAYS) break
  const { file, item } = await makeRun(first, batches, day)
  const { lookup, positions: named } = await lookUp(file)
  const shown: HistoryBatch[] = []
  for (const [i, batch] of batches.entries()) {
    const part = await show(batch)
    const bytes = JSON.stringify(toJsonHistoryBatch(part)).length + 1
    plainBytes += bytes
    if (part.found === undefined) {
      plainEmpty++
      plainEmptyBytes += bytes
    }
    if (!named.includes(i)) continue
    shown.push(part)
    positions.add(first + i)
  }
  pending = { part: { lookup, batches: shown }, item }
}

const days = Array.from({ length: DAYS + 1 }, (_, day) => [headers.slice(BATCHES * day, BATCHES * (day + 1))])
const { data, log, places } = mine(days)
const last = places[DAYS * BATCHES]
if (last === undefined) throw new Error('the last run has no entry')
const { index: _, size, ...anchor } = last
const ascending = [...positions].sort((a, b) => a - b)
const history: RunHistory = {
  key: { name: 'person', value: PERSON },
  period: { from: 0n, to: 2n ** 64n - 1n },
  range: { from: 0n, to: BigInt(DAYS * BATCHES), size },
  anchor: { chainId: CHAIN_ID, ledger: LEDGER, ...anchor },
  parts,
  path: log.subsetPath(ascending, size),
}
const json = JSON.stringify(toJsonRunHistory(history))
const started = performance.now()
const { records, searched } = await verifyHistory(JSON.parse(json), factsOf(data))
const verifyMs = Math.round(performance.now() - started)
const lengths = parts.map((part) => ({
  isEmpty: 'run' in part && part.batches.length === 0,
  bytes: JSON.stringify(toJsonHistoryPart(part)).length + 1,
}))
const mean = (all: readonly { bytes: number }[]) =>
  Math.round(all.reduce((sum, { bytes }) => sum + bytes, 0) / all.length)
console.log(
  `${DAYS} runs of ${BATCHES} batches of ${RECORDS} records; ${records.length} records in ${searched} batches`,
)
console.log(`over runs: ${json.length} bytes; verified in ${verifyMs} ms`)
console.log(`  a run without a hit: ${mean(lengths.filter(({ isEmpty }) => isEmpty))} bytes`)
console.log(`  a run with one or more: ${mean(lengths.filter(({ isEmpty }) => !isEmpty))} bytes`)
console.log(`  the path of all headers: ${Math.ceil((4 * 32 * history.path.length) / 3)} bytes`)
console.log(`batch by batch: ${plainBytes} bytes without head and path`)
console.log(`  a batch without a hit: ${Math.round(plainEmptyBytes / plainEmpty)} bytes`)
