/**
 * Measures an indexer and an audit of a large ledger: how fast they recompute it, how fast they answer, what they hold.
 *
 *   npm run bench:index -- [--records 1000000,10000000] [--batches 1000] [--cache FOLDER] [--rounds 3]
 *     [--questions 100] [--drop-caches] [--json FILE] [--profile FOLDER]
 *
 * `--batches` are those of the largest ledger; a smaller one is its beginning. They are made once, by all cores, and
 * kept in the cache (~/.cache/tidemark-bench; about 3 GB for ten million records): sample records of about 890 bytes a
 * line, of 20 sources and 100,000 persons, nearly all with a sealed person, sealed by the code that gateways use, in
 * signed submissions of about 1,000; 1,000 batches are a year. Every ledger is on an anvil of its own.
 *
 * In each round, one after the other, by as many threads as there are cores: the least that a check must do, which is
 * to read, decompress and hash the same records, each line by our kernel and each frame by Node's OpenSSL; an indexer
 * (`tidemark indexer --batches`) from nothing until all is verified; a whole `tidemark audit`. Both from the start of
 * the process. Beside the ratio of the times is that of the processor's, which says more on a busy machine. Then lookups and histories over HTTP, one at a time: cold from an indexer that has just started, each
 * question new to it, the kinds in turn; warm the same questions again. The files are in the system's cache, unless
 * `--drop-caches` empties it before the cold ones (root only; it slows down everybody else on the machine).
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, homedir, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Header } from '../src/batch/index.ts'
import { BatchFolder } from '../src/store/batch-folder.ts'
import { bare } from './bench-index/bare.ts'
import { PUBLISHER, startLedger } from './bench-index/chain.ts'
import { askHistory } from './bench-index/histories.ts'
import { ask, makeQuestions } from './bench-index/lookups.ts'
import { makeBatches } from './bench-index/make.ts'
import {
  type BenchLedger,
  caughtUp,
  readUsage,
  runAudit,
  startIndexer,
  type Usage,
} from './bench-index/programs.ts'
import { personTag } from './bench-index/records.ts'
import { printReport, type SizeReport } from './bench-index/report.ts'
import { Undo } from './bench-ingest/processes.ts'

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000,10000000' },
    batches: { type: 'string', default: '1000' },
    cache: { type: 'string', default: join(homedir(), '.cache', 'tidemark-bench') },
    rounds: { type: 'string', default: '3' },
    questions: { type: 'string', default: '100' },
    'drop-caches': { type: 'boolean', default: false },
    json: { type: 'string' },
    profile: { type: 'string' },
  },
})
const [rounds, questions] = [Number(values.rounds), Number(values.questions)]
const sizes = values.records.split(',').map(Number)
const batchRecords = Math.max(...sizes) / Number(values.batches)
if (!sizes.every((size) => size > 0 && Number.isInteger(size / batchRecords)))
  throw new Error('every size must be a whole number of batches')
const threads = availableParallelism()
const profiling = values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`]

const undo = new Undo()
const folder = mkdtempSync(join(tmpdir(), 'tidemark-bench-'))
undo.add(() => rmSync(folder, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void undo.run().finally(() => process.exit(130)))
}
try {
  console.log(`${threads} cores of ${cpus()[0]?.model}, Node ${process.version}`)
  const reports: SizeReport[] = []
  for (const size of sizes) {
    reports.push(await measure(size))
    if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(reports, undefined, 2)}\n`)
  }
  printReport(reports)
} finally {
  await undo.run()
}

async function measure(size: number): Promise<SizeReport> {
  const undoSize = new Undo()
  undo.add(() => undoSize.run())
  const chain = await startLedger(undoSize)
  const count = size / batchRecords
  const { path, headers } = await makeBatches(values.cache, count, batchRecords, PUBLISHER, chain.domain)
  await chain.append(headers)
  const ledger = { ...chain, batchesPath: path, batches: count }
  const folders = headers.map(({ sequence }) => new BatchFolder(path).pathOf(PUBLISHER, sequence))

  const report: SizeReport = {
    size,
    batches: count,
    lineBytes: 0,
    load: [],
    rounds: [],
    peaks: { catchUp: 0, audit: 0, answering: 0 },
    cold: {},
    warm: {},
    histories: {},
  }
  const note = (what: string, seconds: number) => {
    report.load.push(loadavg()[0] ?? 0)
    console.error(
      `${size} records: ${what} ${seconds.toFixed(1)} s, load average ${loadavg()[0]?.toFixed(1)}`,
    )
  }
  let data = ''
  for (let round = 0; round < rounds; round++) {
    data = join(folder, `indexer-${size}-${round}`)
    const lines = await bare(folders, threads, 'lines')
    report.lineBytes = lines.bytes / size
    note('bare, by line', lines.seconds)
    const frames = await bare(folders, threads, 'frames')
    note('bare, by frame', frames.seconds)
    const catchUp = await catchUpOnce(ledger, data, undoSize)
    note('catch-up', catchUp.seconds)
    const audit = await runAudit(ledger, threads, profiling, undoSize)
    note('audit', audit.seconds)
    report.peaks.catchUp = Math.max(report.peaks.catchUp, catchUp.peak)
    report.peaks.audit = Math.max(report.peaks.audit, audit.peak)
    report.rounds.push({ lines, frames, catchUp, audit })
  }
  await answer(ledger, data, headers, report, undoSize)
  await undoSize.run()
  return report
}

async function catchUpOnce(
  ledger: BenchLedger,
  data: string,
  undoSize: Undo,
): Promise<Usage & { seconds: number }> {
  const startedAt = performance.now()
  const indexer = await startIndexer(ledger, data, profiling, undoSize)
  await caughtUp(indexer, ledger)
  const seconds = (performance.now() - startedAt) / 1_000
  const usage = readUsage(indexer.pid) ?? { peak: 0, cpuSeconds: 0 }
  await indexer.stop()
  return { seconds, ...usage }
}

async function answer(
  ledger: BenchLedger,
  data: string,
  headers: readonly Header[],
  report: SizeReport,
  undoSize: Undo,
): Promise<void> {
  const asked = await makeQuestions(ledger.batchesPath, headers, questions)
  if (values['drop-caches']) writeFileSync('/proc/sys/vm/drop_caches', '3')
  const indexer = await startIndexer(ledger, data, profiling, undoSize)
  report.cold = await ask(indexer.api, asked)
  report.warm = await ask(indexer.api, asked)
  const persons = {
    'drawn person': asked.find(({ kind }) => kind === 'person')?.query.person ?? '',
    'person in every batch': personTag(0),
    'person, absent': personTag(-1),
  }
  for (const [kind, person] of Object.entries(persons)) {
    const [first, again] = [
      await askHistory(indexer.api, person, ledger),
      await askHistory(indexer.api, person, ledger),
    ]
    report.histories[kind] = { first, again }
  }
  report.peaks.answering = readUsage(indexer.pid)?.peak ?? 0
  await indexer.stop()
}
