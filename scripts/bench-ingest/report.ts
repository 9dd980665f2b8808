import type { Figures } from './measure.ts'
import { PERSONAL_EVERY } from './records.ts'

export interface SizeReport {
  /** records of a submission */
  size: number
  sources: number
  /** of an item's line */
  meanBytes: number
  figures: Record<string, Figures>
}

type Row = [title: string, cell: (figures: Figures) => string | undefined]

const whole = (value: number | undefined) =>
  value === undefined ? undefined : Math.round(value).toLocaleString('en')
const times = (latency: Figures['latency'] | undefined) =>
  latency && [latency.p50, latency.p99, latency.p999].map(short).join(' / ')
const short = (value: number) => value.toFixed(value < 10 ? 1 : 0)
const megabytes = (bytes: number) => (bytes / 2 ** 20).toFixed(0)
const server = ({ usage }: Figures) => Object.values(usage)[0]
const sum = (values: Record<string, number>) => Object.values(values).reduce((all, value) => all + value, 0)

const ROWS: readonly Row[] = [
  ['accepted, records/s', (f) => whole(f.accepted)],
  ['sealed', (f) => whole(f.sealed)],
  ['anchored', (f) => whole(f.anchored)],
  ['searchable', (f) => whole(f.searchable)],
  ['loaded for, s', (f) => `${f.seconds.toFixed(1)}${f.ranOut ? ' (all)' : ''}`],
  ['refused with 503', (f) => String(f.refused)],
  ['ack p50/p99/p999, ms', (f) => times(f.latency)],
  ['at half that rate', (f) => times(f.half?.latency)],
  ['refused then', (f) => f.half && String(f.half.refused)],
  ['loop late p99/max, ms', (f) => f.loopDelay && `${short(f.loopDelay.p99)} / ${short(f.loopDelay.max)}`],
  ['memory begin/mid/end, MB', (f) => memory(server(f))],
  ['most memory, MB', (f) => megabytes(server(f)?.rss.max ?? 0)],
  ['anvil begin/mid/end, MB', (f) => memory(f.usage.anvil)],
  ['CPU, us/record', (f) => perRecord(f, server(f)?.cpuSeconds)],
  ['  of its main thread', (f) => perRecord(f, server(f)?.mainThreadSeconds)],
  ['CPU of anvil', (f) => perRecord(f, f.usage.anvil?.cpuSeconds)],
  ['CPU of the load', (f) => perRecord(f, f.loadCpuSeconds)],
  ['bytes/record on disk', (f) => whole(sum(f.disk))],
]

const memory = (usage: Figures['usage'][string] | undefined) =>
  usage && [usage.rss.start, usage.rss.middle, usage.rss.end].map(megabytes).join(' / ')

const perRecord = ({ records }: Figures, seconds: number | undefined) =>
  seconds === undefined ? undefined : short((1e6 * seconds) / records)

/** What one size of submissions has shown, as a table for people. */
export function printReport({ size, sources, meanBytes, figures }: SizeReport): void {
  const names = Object.keys(figures)
  const line = (title: string, cells: readonly (string | undefined)[]) =>
    console.log(title.padEnd(26) + cells.map((cell) => (cell ?? '').padStart(22)).join(''))
  console.log(
    `\nsubmissions of ${size}, by ${sources} sources with one in flight each; ${meanBytes.toFixed(0)} bytes a line, every ${PERSONAL_EVERY}th with sealed members`,
  )
  line('', names)
  for (const [title, cell] of ROWS) {
    const cells = names.map((name) => figures[name] && cell(figures[name]))
    if (cells.some((text) => text !== undefined)) line(title, cells)
  }
  const { tidemark, ...peers } = figures
  if (tidemark === undefined) return
  const parts = Object.entries(tidemark.disk).filter(([, bytes]) => bytes > 0)
  console.log(
    `tidemark's bytes/record: ${parts.map(([part, bytes]) => `${part} ${bytes.toFixed(1)}`).join(', ')}`,
  )
  for (const [name, peer] of Object.entries(peers)) {
    const [accepted, searchable] = [tidemark.accepted / peer.accepted, tidemark.searchable / peer.searchable]
    console.log(
      `tidemark is ${accepted.toFixed(2)} times ${name} accepted, ${searchable.toFixed(2)} times searchable`,
    )
  }
}
