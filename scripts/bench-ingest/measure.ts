import type { LoadResult } from './load.ts'
import type { Requests } from './prepare.ts'
import { startLoad, type Undo, type Usage, watch } from './processes.ts'
import type { Subject } from './subject.ts'
import { expectLastRecords } from './tidemark.ts'

/** Rates in records a second, times in milliseconds. */
export interface Figures {
  /** until the last acknowledgement */
  accepted: number
  /** until everything acknowledged had come so far; a peer's records can be found when they are acknowledged */
  sealed?: number
  anchored?: number
  searchable: number
  seconds: number
  /** acknowledged in that time */
  records: number
  /** the prepared requests ended before the time did */
  ranOut: boolean
  refused: number
  latency: LoadResult['latency']
  half?: { perSecond: number; refused: number; latency: LoadResult['latency'] }
  /** of each process, from the first request until everything could be found */
  usage: Record<string, Usage>
  loadCpuSeconds: number
  loopDelay?: { p99: number; max: number }
  /** bytes by part for each record */
  disk: Record<string, number>
}

export interface Plan {
  requests: Requests
  seconds: number
  /** the paced run at half the rate; only where it is asked for, and then requests are made to suffice */
  half?: number
}

const WARM_SECONDS = 4
/** The rate of the warm-up is believed to grow by this much at most. */
const GROWTH = 1.5

/** Loads a subject fully, and where asked at half its rate; the subject has ended then. */
export async function measure(
  subject: Subject,
  { requests, seconds, half }: Plan,
  undo: Undo,
): Promise<Figures> {
  const { folder, sources, size } = requests
  const load = startLoad(undo)
  let records = 0
  const run = async (runSeconds: number, perSecond?: number): Promise<LoadResult> => {
    const result = await load.run({ port: subject.port, folder, sources, seconds: runSeconds, perSecond })
    records += result.submissions * size
    return result
  }

  const warm = await run(Math.min(seconds, WARM_SECONDS))
  await subject.settle?.(records)
  const warmRate = (warm.submissions * size) / warm.seconds
  await requests.extendTo(records + GROWTH * warmRate * seconds)

  await subject.loopDelay?.()
  const watched = Object.entries(subject.pids).map(([name, pid]) => [name, watch(pid)] as const)
  const begun = performance.now()
  const full = await run(seconds)
  const loopDelay = await subject.loopDelay?.()
  const stages = await subject.settle?.(records)
  const usage = Object.fromEntries(watched.map(([name, stop]) => [name, stop()]))

  const loaded = full.submissions * size
  const accepted = loaded / full.seconds
  // A stage that kept up has been reached with the last acknowledgement, not before.
  const rate = (at: number) => Math.min(accepted, (1_000 * loaded) / (at - begun))
  const figures: Figures = {
    accepted,
    searchable: accepted,
    ...(stages && {
      sealed: rate(stages.sealed),
      anchored: rate(stages.anchored),
      searchable: rate(stages.searchable),
    }),
    seconds: full.seconds,
    records: loaded,
    ranOut: full.ranOut,
    refused: full.refused,
    latency: full.latency,
    usage,
    loadCpuSeconds: full.cpuSeconds,
    ...(loopDelay && { loopDelay }),
    disk: {},
  }
  let last = full
  if (half !== undefined) {
    const perSecond = accepted / size / 2
    await requests.extendTo(records + perSecond * size * half + sources * size)
    last = await run(half, perSecond)
    await subject.settle?.(records)
    figures.half = { perSecond: perSecond * size, refused: last.refused, latency: last.latency }
  }
  if (subject.settle !== undefined) await expectLastRecords(subject.port, size, last.sent)
  await load.end()
  await subject.stop()
  for (const [part, bytes] of Object.entries(await subject.disk())) figures.disk[part] = bytes / records
  return figures
}
