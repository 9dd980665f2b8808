import type { FlowRecord } from '../record/index.ts'
import { Chance } from './sample-chance.ts'
import {
  type Delivered,
  Delivery,
  drawOutages,
  type Outage,
  type SampleSubmission,
} from './sample-month-delivery.ts'
import { Desk, type Draft } from './sample-month-desk.ts'
import { MonthMisuse } from './sample-month-misuse.ts'
import { lanesOf, MINUTE_MS, MonthCalendar } from './sample-month-people.ts'
import { type Act, MonthWork } from './sample-month-work.ts'
import { MONTH_DEPARTMENTS, partyOf } from './sample-services.ts'

export interface SampleMonthOptions {
  /** the same seed and options give the same month */
  seed: number | string
  /** YYYY-MM, local time being UTC+8 */
  month: string
  /** local dates, YYYY-MM-DD */
  holidays?: readonly string[]
  /** Saturdays and Sundays on which people work */
  workdays?: readonly string[]
  /** of the usual volume of normal work; there is as much misuse as ever */
  percent?: number
}

/** A record that is misuse, and the rule that it breaks; of a silence, the last record before it. */
export interface SampleLabel {
  rule: string
  source: string
  id: string
}

export type SampleMonthItem =
  | { kind: 'record'; record: FlowRecord }
  | { kind: 'label'; label: SampleLabel }
  | { kind: 'submission'; submission: SampleSubmission }

/** A month with holidays, and with a Saturday on which people work. */
export const SAMPLE_MONTH = {
  month: '2026-05',
  holidays: ['2026-05-01', '2026-05-02', '2026-05-03', '2026-05-04', '2026-05-05'],
  workdays: ['2026-05-09'],
} as const

/**
 * One made-up month of 20 departments and 50 services, in the order of its time, with misuse of eight kinds among it.
 *
 * A label says of a record that it is misuse; some acts break two rules and have two. Records of normal work have none,
 * even where they look odd. Records are labelled as made up as those of `sampleRecords`.
 *
 * @throws {InputError} `BAD_ARGUMENT` for what is no month
 */
export function sampleMonth(options: SampleMonthOptions): Generator<SampleMonthItem, void, undefined> {
  const { month, holidays = [], workdays = [] } = options
  return new Month(options, new MonthCalendar(month, holidays, workdays)).items()
}

/** A heartbeat is due when a department has written nothing for so long. */
const QUIET_MS = 30 * MINUTE_MS
/** Clocks are off by less. */
const SLACK_MS = 5_000

class Month {
  readonly #calendar: MonthCalendar
  readonly #chance: Chance
  readonly #outages: Outage[]
  readonly #desk: Desk
  readonly #work: MonthWork
  readonly #planned: Act[]
  readonly #deliveries: ReadonlyMap<string, Delivery>
  readonly #last = new Map<string, { id: string; timeMs: number }>()

  constructor({ seed, percent = 100 }: SampleMonthOptions, calendar: MonthCalendar) {
    const chance = new Chance(`tidemark sample month ${seed}`)
    const { startMs, days } = calendar
    this.#calendar = calendar
    this.#chance = chance
    this.#outages = drawOutages(chance, MONTH_DEPARTMENTS, startMs, days)
    this.#desk = new Desk(chance, String(seed), (department, timeMs) =>
      this.#outages.some((out) => out.department === department && out.fromMs <= timeMs && timeMs < out.toMs),
    )
    const lanes = lanesOf(chance, percent)
    this.#work = new MonthWork(chance, this.#desk, calendar, lanes)
    const [desk, work, outages] = [this.#desk, this.#work, this.#outages]
    this.#planned = new MonthMisuse({ chance, desk, calendar, work, lanes, outages }).acts()
    this.#deliveries = new Map(
      MONTH_DEPARTMENTS.map((department) => [
        partyOf(department),
        new Delivery(partyOf(department), chance, 8),
      ]),
    )
  }

  *items(): Generator<SampleMonthItem, void, undefined> {
    const { days, dayMs } = this.#calendar
    for (let day = 0; day < days; day++) {
      const [fromMs, toMs] = [dayMs(day), dayMs(day + 1)]
      const planned = this.#planned.filter(({ timeMs }) => fromMs <= timeMs && timeMs < toMs)
      const acts = [...this.#work.actsOf(day), ...planned, ...this.#heartbeats(fromMs, toMs)]
      for (const { run } of acts.sort((a, b) => a.timeMs - b.timeMs)) run()
      for (const draft of this.#desk.take(toMs - SLACK_MS)) yield* this.#handOver(draft)
    }
    for (const draft of this.#desk.take(dayMs(days))) yield* this.#handOver(draft)
    for (const delivery of this.#deliveries.values()) yield* told(delivery.finish(true))
  }

  *#handOver({ record, timeMs, labels }: Draft): Generator<SampleMonthItem> {
    const { source, id } = record
    const last = this.#last.get(source)
    const isBeat = record.type === 'tidemark.heartbeat.v1'
    if (isBeat && last !== undefined && timeMs - last.timeMs < QUIET_MS) return
    if (isBeat && last !== undefined) record.data.from = new Date(last.timeMs).toISOString()
    const delivery = this.#deliveries.get(source)
    const over = this.#outages.findIndex((out) => partyOf(out.department) === source && out.toMs <= timeMs)
    const [outage] = over === -1 ? [] : this.#outages.slice(over, over + 1)
    if (outage !== undefined && delivery !== undefined) {
      this.#outages.splice(over, 1)
      const silentId = outage.kind === 'silence' ? last?.id : id
      if (outage.kind === 'gap') yield* told(delivery.lose())
      if (silentId !== undefined)
        yield { kind: 'label', label: { rule: 'silent-source', source, id: silentId } }
    }
    this.#last.set(source, { id, timeMs })
    yield { kind: 'record', record }
    for (const rule of labels) yield { kind: 'label', label: { rule, source, id } }
    yield* told(delivery?.add(record, timeMs))
  }

  /** One an hour, which is written only where nothing else was. */
  #heartbeats(fromMs: number, toMs: number): Act[] {
    return MONTH_DEPARTMENTS.flatMap((department) => {
      const acts: Act[] = []
      for (let hourMs = fromMs; hourMs < toMs; hourMs += 60 * MINUTE_MS) {
        const timeMs = hourMs + this.#chance.below(6 * MINUTE_MS)
        const [from, to] = [hourMs, timeMs].map((ms) => new Date(ms).toISOString())
        const run = () =>
          this.#desk.write('tidemark.heartbeat.v1', department, timeMs, undefined, { from, to })
        acts.push({ timeMs, run })
      }
      return acts
    })
  }
}

/** A broken promise is told of the first record of its submission. */
function* told(delivered: Delivered | undefined): Generator<SampleMonthItem> {
  if (delivered === undefined) return
  const { submission, isBroken } = delivered
  const { source, first } = submission
  yield { kind: 'submission', submission }
  if (isBroken) yield { kind: 'label', label: { rule: 'broken-promise', source, id: first } }
}
