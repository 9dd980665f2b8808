import { type ELDHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import type { RequestHandler } from 'express'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { RunState } from '../store/runs.ts'
import type { RequestSummary } from './requests.ts'

/** What the system knows of itself at one moment; the libraries count, this page asks. Times in milliseconds. */
export interface Facts {
  /** of what takes submissions; an indexer has none */
  publishing?: PublishingFacts
  /** on the ledger by publishers of every kind; `sealed` and `anchored` in the catalogue of a gateway */
  batches: Partial<Record<BatchState, number>>
  /** that records claim, by what became of it; `skipped`: of which none could be made, in a gateway */
  runs: Partial<Record<RunState | 'skipped', number>>
  openAlerts: number
  /** transactions of the ledger of which no evidence is captured yet */
  evidenceMissing: number
  /** of alerts of rules that nobody has reported yet; absent where no rules are at work */
  clocks?: ClockFacts
  headBlock: bigint
  scannedBlock: bigint
  finalBlock: bigint
  /** that decisions on calls rest on; absent where nobody decides */
  rightsBlock?: bigint
  /** sentences of /healthz */
  problems: number
}

interface ClockFacts {
  running: number
  overdue: number
  /** until the nearest deadline, negative when it is over; undefined when no clock runs */
  leftMs: number | undefined
}

export interface PublishingFacts {
  /** since the start */
  accepted: { submissions: number; records: number; bytes: number }
  syncedGroups: number
  transactions: { first: number; bump: number; rebroadcast: number; lastMaxFee: bigint | undefined }
  recordsWaiting: number
  bytesWaiting: number
  backlog: { batches: number; oldestMs: number }
  /** until the nearest promise that is not kept yet; undefined when all are kept, negative when one is broken */
  promiseMs: number | undefined
  bytesInFlight: number
}

type BatchState = 'sealed' | 'anchored' | 'final' | 'verified' | 'fraud' | 'withheld'

/** Metrics of one running system, in a registry of its own. */
export interface Metrics {
  handler: RequestHandler
  onRequest(summary: RequestSummary): void
  stop(): void
}

type Row = [
  name: string,
  help: string,
  read: (facts: Facts) => number | Readonly<Record<string, number>>,
  label?: string,
]

/** What an indexer has no sample of. */
const ofGateway =
  (read: (facts: PublishingFacts) => number | Record<string, number>): Row[2] =>
  ({ publishing }) =>
    publishing === undefined ? {} : read(publishing)

const COUNTERS: readonly Row[] = [
  [
    'submissions_accepted_total',
    'Submissions acknowledged.',
    ofGateway(({ accepted }) => accepted.submissions),
  ],
  ['records_accepted_total', 'Records acknowledged.', ofGateway(({ accepted }) => accepted.records)],
  [
    'bytes_accepted_total',
    'Bytes of acknowledged submissions in the log.',
    ofGateway(({ accepted }) => accepted.bytes),
  ],
  [
    'log_syncs_total',
    'Groups of submissions synced to disk together.',
    ofGateway((facts) => facts.syncedGroups),
  ],
  [
    'transactions_sent_total',
    'Transactions broadcast: first, with a higher fee (bump), or again as they were (rebroadcast).',
    ofGateway(({ transactions: { first, bump, rebroadcast } }) => ({ first, bump, rebroadcast })),
    'kind',
  ],
]

const GAUGES: readonly Row[] = [
  ['batches', 'Batches that have come so far.', ({ batches }) => batches, 'state'],
  ['records_waiting', 'Records acknowledged and not sealed.', ofGateway((facts) => facts.recordsWaiting)],
  [
    'batches_not_anchored',
    'Sealed batches that the chain does not have.',
    ofGateway(({ backlog }) => backlog.batches),
  ],
  [
    'oldest_not_anchored_seconds',
    'Age of the oldest of them; 0 without any.',
    ofGateway((f) => f.backlog.oldestMs / 1e3),
  ],
  [
    'receipt_promise_seconds_left',
    'Until the nearest promise that is not kept yet; +Inf when all are, negative when one is broken.',
    ofGateway(({ promiseMs }) => (promiseMs === undefined ? Number.POSITIVE_INFINITY : promiseMs / 1e3)),
  ],
  [
    'last_max_fee_wei',
    'Most that the last transaction pays for gas.',
    ofGateway((f) => Number(f.transactions.lastMaxFee ?? 0n)),
  ],
  [
    'body_bytes_in_flight',
    'Bytes of request bodies held in memory.',
    ofGateway((facts) => facts.bytesInFlight),
  ],
  [
    'chain_block',
    'Blocks of the chain.',
    (f) => ({ head: Number(f.headBlock), scanned: Number(f.scannedBlock), final: Number(f.finalBlock) }),
    'is',
  ],
  [
    'runs',
    'Runs that records claim, and stretches of the ledger of which none could be made.',
    ({ runs }) => runs,
    'state',
  ],
  [
    'evidence_missing',
    'Transactions of the ledger of which no evidence is captured.',
    (facts) => facts.evidenceMissing,
  ],
  ['alerts_open', 'Alerts that are not closed.', (facts) => facts.openAlerts],
  [
    'alerts_to_report',
    'Alerts of rules that are neither reported nor closed.',
    ({ clocks }) => (clocks === undefined ? {} : clocks.running),
  ],
  [
    'alerts_overdue',
    'Those of them whose deadline is over.',
    ({ clocks }) => (clocks === undefined ? {} : clocks.overdue),
  ],
  [
    'alert_deadline_seconds_left',
    'Until the nearest deadline of them; +Inf without any, negative when it is over.',
    ({ clocks }) => (clocks === undefined ? {} : (clocks.leftMs ?? Number.POSITIVE_INFINITY) / 1e3),
  ],
  ['problems', 'Sentences that /healthz has to say; 0 when all is well.', (facts) => facts.problems],
  ['resident_memory_bytes', 'Memory of the process.', () => process.memoryUsage.rss()],
]

const PREFIX = 'tidemark_'
const DURATION_BUCKETS_SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]

/** The event loop is looked at so often; a delay is what goes beyond. */
const RESOLUTION_MS = 5

/** GET /metrics in Prometheus' text format, from what `facts` says when it is asked. */
export function createMetrics(facts: () => Facts): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const named = ([name, help, , label]: Row) => ({
    name: PREFIX + name,
    help,
    registers,
    labelNames: label === undefined ? [] : [label],
  })
  const counters = COUNTERS.map((row) => ({ row, metric: new Counter(named(row)) }))
  const gauges = GAUGES.map((row) => ({ row, metric: new Gauge(named(row)) }))
  const loopDelay = new Gauge({
    name: `${PREFIX}event_loop_delay_seconds`,
    help: 'How late the event loop was since the last time these metrics were read.',
    labelNames: ['stat'],
    registers,
  })
  const durations = new Histogram({
    name: `${PREFIX}http_request_duration_seconds`,
    help: 'From the head of a request to the end of its answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: DURATION_BUCKETS_SECONDS,
    registers,
  })
  const loop = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  loop.enable()

  return {
    async handler(_request, response) {
      const found = facts()
      for (const { row, metric } of counters) {
        metric.reset()
        for (const [labels, value] of samples(row, found)) metric.inc(labels, value)
      }
      for (const { row, metric } of gauges) {
        for (const [labels, value] of samples(row, found)) metric.set(labels, value)
      }
      for (const [stat, seconds] of loopStats(loop)) loopDelay.set({ stat }, seconds)
      loop.reset()
      response.type(registry.contentType).send(await registry.metrics())
    },
    onRequest({ method, route, status, durationMs }) {
      durations.observe({ method, route, status }, durationMs / 1e3)
    },
    stop() {
      loop.disable()
    },
  }
}

function samples([, , read, label]: Row, facts: Facts): [labels: Record<string, string>, value: number][] {
  const value = read(facts)
  if (typeof value === 'number') return [[{}, value]]
  return Object.entries(value).map(([of, one]) => [{ [label ?? '']: of }, one])
}

function loopStats(loop: ELDHistogram): [stat: string, seconds: number][] {
  const late = (nanoseconds: number) => Math.max(nanoseconds / 1e6 - RESOLUTION_MS, 0) / 1e3
  if (loop.count === 0) return ['p50', 'p99', 'max'].map((stat) => [stat, 0])
  return [
    ['p50', late(loop.percentile(50))],
    ['p99', late(loop.percentile(99))],
    ['max', late(loop.max)],
  ]
}
