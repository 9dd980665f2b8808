import type { Request, RequestHandler } from 'express'
import { InputError } from '../errors.ts'
import type { Follower } from '../indexer/follower.ts'
import { median } from '../rules/median.ts'
import type { LedgerEntries } from '../store/ledger-entries.ts'
import { FACETS, type Facet } from '../store/stats.ts'
import { toJsonLedgerState } from './json.ts'
import { optionalOffset, optionalText, requiredText, timeRange } from './query.ts'

const HOUR_MS = 3_600_000
const DAY_HOURS = 24
const STEPS = ['hour', 'day', 'whole'] as const
type Step = (typeof STEPS)[number]

/** Hours of all keys that are added up for one answer. */
const MAX_HOURS = 50_000
/** Points of one answer. */
const MAX_POINTS = 10_000
/** Grants of one answer, the latest of its range. */
const MAX_GRANTS = 10_000

/** GET /v1/stats?by=&from=&to=&step=&utcOffset=&key=: the calls under each key over time, and what follows from them. */
export const getStats =
  (entries: LedgerEntries, follower: Follower): RequestHandler =>
  (request, response) => {
    const facet = facetOf(request)
    const step = stepOf(request)
    const offset = optionalOffset(request) ?? 0
    if (offset % 60 !== 0) throw new InputError('BAD_ARGUMENT', 'utcOffset must be whole hours here')
    const key = optionalText(request, 'key')
    const { fromMs, toMs } = timeRange(request)
    const [fromHour, toHour] = [Math.ceil(fromMs / HOUR_MS), Math.ceil(toMs / HOUR_MS)]
    const { stats } = entries
    const query = { facet, key, fromHour, toHour }
    if (stats.hoursOf(query, MAX_HOURS + 1) > MAX_HOURS) throw tooMuch(MAX_HOURS, 'hours of a key')
    const points = stats.series({ ...query, ...stepsOf(step, query, offset / 60), limit: MAX_POINTS + 1 })
    if (points.length > MAX_POINTS) throw tooMuch(MAX_POINTS, 'points')
    const latest = stats.latest(query)
    const delays = stats.grantDelays(fromMs, toMs, MAX_GRANTS)
    const known = delays.filter((delay) => delay !== undefined && delay >= 0) as number[]
    response.json({
      by: facet,
      step,
      points: points.map(({ start, ...volume }) => ({ ...volume, start: new Date(start).toISOString() })),
      latest: latest === undefined ? null : new Date(latest).toISOString(),
      resources: stats.resources(fromHour, toHour),
      grants: { given: delays.length, called: known.length, medianMs: median(known) },
      ledger: toJsonLedgerState(follower, entries),
    })
  }

function facetOf(request: Request): Facet {
  const text = requiredText(request, 'by')
  const facet = FACETS.find((one) => one === text)
  if (facet === undefined) throw new InputError('BAD_ARGUMENT', `by must be one of ${FACETS.join(', ')}`)
  return facet
}

function stepOf(request: Request): Step {
  const text = optionalText(request, 'step') ?? 'hour'
  const step = STEPS.find((one) => one === text)
  if (step === undefined) throw new InputError('BAD_ARGUMENT', `step must be one of ${STEPS.join(', ')}`)
  return step
}

/** @param offsetHours of the local time, whose days they are */
function stepsOf(
  step: Step,
  { fromHour, toHour }: { fromHour: number; toHour: number },
  offsetHours: number,
): { stepHours: number; originHour: number } {
  if (step === 'whole') return { stepHours: Math.max(1, toHour - fromHour), originHour: fromHour }
  if (step === 'hour') return { stepHours: 1, originHour: fromHour }
  const sinceMidnight = (fromHour + offsetHours + DAY_HOURS) % DAY_HOURS
  return { stepHours: DAY_HOURS, originHour: fromHour - sinceMidnight }
}

const tooMuch = (most: number, of: string) =>
  new InputError(
    'BAD_ARGUMENT',
    `this takes more than ${most} ${of}: ask for less time, for one key or for days`,
  )
