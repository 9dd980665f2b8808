/**
 * Measures what the gateway takes, seals, anchors and makes searchable, beside what people would otherwise write.
 *
 *   npm run bench:ingest -- [--seconds 20] [--sizes 1,100,1000] [--peers sqlite,postgres,naive] [--json FILE]
 *     [--profile FOLDER]
 *
 * Each size of submissions has a system of its own (`tidemark up` with the embedded chain, in a temporary folder) and
 * a load process, which share the cores of this machine. In turn: four seconds to warm up; full load, each source with
 * one submission in flight; half the rate that was found, at fixed times, latency counted from the time when a request
 * was due, so that a pause of the server counts for everything that came due in it. What is searchable is counted by
 * the indexer, compared with what was acknowledged, and each source's last record is looked up.
 *
 * Made before the clock starts, by the code that clients use: records, salts, canonical text, roots, signatures, HTTP
 * heads. They wait on disk; the load reads and sends them. Every eighth record has a sealed person and agent.
 *
 * The peers are sent the same requests at full load, one after the other, each behind an express server that parses
 * the lines and checks nothing: no schema, no signature, no receipt. They find a record by source and id (`naive` by
 * nothing), and what they have acknowledged counts as searchable.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Figures, measure } from './bench-ingest/measure.ts'
import { PEERS, startPeer } from './bench-ingest/peers.ts'
import { UnavailableError } from './bench-ingest/postgres-cluster.ts'
import { Requests } from './bench-ingest/prepare.ts'
import { Undo } from './bench-ingest/processes.ts'
import { printReport, type SizeReport } from './bench-ingest/report.ts'
import { startTidemark } from './bench-ingest/tidemark.ts'

/** A longer run says nothing new about latency, nor about a peer. */
const HALF_SECONDS = 60
const PEER_SECONDS = 30
/** Requests that are ready for a warm-up of four seconds. */
const WARM_SUBMISSIONS = 12_800
const WARM_RECORDS = 320_000

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    sizes: { type: 'string', default: '1,100,1000' },
    peers: { type: 'string', default: PEERS.join(',') },
    json: { type: 'string' },
    profile: { type: 'string' },
  },
})
const seconds = Number(values.seconds)
const list = (text: string) => text.split(',').filter((item) => item !== '')
const sizes = list(values.sizes).map(Number)
const peers = list(values.peers).map((name) => {
  const peer = PEERS.find((known) => known === name)
  if (peer === undefined) throw new Error(`there is no peer ${name}: choose from ${PEERS.join(', ')}`)
  return peer
})
if (!(seconds > 0 && sizes.every((size) => Number.isSafeInteger(size) && size > 0)))
  throw new Error('--seconds takes a number above 0, --sizes whole numbers with commas between')

const undo = new Undo()
const folder = mkdtempSync(join(tmpdir(), 'tidemark-bench-'))
undo.add(() => rmSync(folder, { recursive: true, force: true }))
// PostgreSQL may run as another user, and must reach its part of it.
chmodSync(folder, 0o711)
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void undo.run().finally(() => process.exit(130)))
}
try {
  await main()
} finally {
  await undo.run()
}

async function main(): Promise<void> {
  console.log(`load average before: ${loadavg()[0]?.toFixed(1)}`)
  const reports: SizeReport[] = []
  for (const size of sizes) {
    const report = await measureSize(size)
    printReport(report)
    reports.push(report)
    if (values.json !== undefined)
      writeFileSync(values.json, `${JSON.stringify({ seconds, reports }, undefined, 2)}\n`)
  }
}

async function measureSize(size: number): Promise<SizeReport> {
  const sources = size < 100 ? 128 : size < 1_000 ? 32 : 16
  const place = join(folder, String(size))
  const tidemark = await startTidemark({ folder: place, sources, profile: values.profile }, undo)
  const requests = new Requests(join(place, 'requests'), size, sources, tidemark.domain)
  await requests.extendTo(Math.min(WARM_SUBMISSIONS * size, WARM_RECORDS) * Math.min(1, seconds / 4))
  const half = Math.min(seconds, HALF_SECONDS)
  const figures: SizeReport['figures'] = {}
  const note = (name: string, found: Figures) => {
    figures[name] = found
    console.error(`submissions of ${size}: ${name} accepted ${Math.round(found.accepted)} records a second`)
  }
  note('tidemark', await measure(tidemark, { requests, seconds, half }, undo))
  for (const peer of peers) {
    try {
      const subject = await startPeer(peer, place, undo)
      note(peer, await measure(subject, { requests, seconds: Math.min(seconds, PEER_SECONDS) }, undo))
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      console.log(`without ${peer}: ${error.message}`)
    }
  }
  rmSync(place, { recursive: true, force: true })
  return { size, sources, meanBytes: requests.meanBytes, figures }
}
