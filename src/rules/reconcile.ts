import { type FlowRecord, timeOf } from '../record/index.ts'
import type { RecordRef } from './rule.ts'

/**
 * Holds both sides' accounts of each call against each other (X-Road: regular pair, orphan pair, orphan).
 *
 * Two accounts meet when they name the same request in the same direction, lie at most 60 seconds apart, and neither is
 * a repetition. It believes what each side says of itself: who may speak for a side is settled before.
 */

type Side = 'consumer' | 'provider'

/** What one side says of one call. */
export interface CallAccount extends RecordRef {
  side: Side
  /** empty when it names none; then nothing can meet it */
  requestId: string
  /** milliseconds since 1970, by the clock of this side */
  timeMs: number
  consumer: string
  provider: string
  subject: string
  operation: string
  /** what both sides know of a call, as far as this side states it */
  stated: Readonly<Record<string, unknown>>
}

/** A member that both sides state, and not alike. Which of them is wrong, nobody can tell from it. */
interface Disagreement {
  member: string
  consumer: unknown
  provider: unknown
}

/**
 * One or two accounts of a call.
 *
 * - `regular pair`: both sides, in agreement
 * - `orphan pair`: both sides, in disagreement
 * - `orphan`: one side; the other is `silent`
 * - `duplicate`: one side once more, within 60 seconds of an account of its own that counts
 */
export interface Reconciled {
  kind: 'regular pair' | 'orphan pair' | 'orphan' | 'duplicate'
  requestId: string
  consumer?: CallAccount
  provider?: CallAccount
  silent?: Side
  disagreements: Disagreement[]
}

/** X-Road's window, the bounds included. */
export const WINDOW_MS = 60_000

/** Left out is what each side measures or keeps for itself: its duration, its agent, its note. */
const STATED = [
  'outcome',
  'status',
  'purpose',
  'legalBasis',
  'sharing',
  'level',
  'authorization',
  'person',
  'rows',
  'requestBytes',
  'responseBytes',
  'requestDigest',
  'responseDigest',
]

/**
 * What a record says of its call. Sealed members are not compared: open them first.
 *
 * @param record a `tidemark.call.v1`
 */
export function accountOf(record: FlowRecord): CallAccount {
  const { source, id, subject = '', data } = record
  return {
    source,
    id,
    side: data.side === 'consumer' ? 'consumer' : 'provider',
    requestId: String(data.requestId),
    timeMs: timeOf(record),
    consumer: String(data.consumer),
    provider: String(data.provider),
    subject,
    operation: String(data.operation),
    stated: Object.fromEntries(STATED.filter((name) => name in data).map((name) => [name, data[name]])),
  }
}

/**
 * Puts every account into exactly one result; the order of the accounts makes no difference.
 *
 * Among several that could meet, the earliest of each side do: a side does not amend its account by repeating it.
 *
 * @returns by `requestId`, then by direction and time
 */
export function reconcile(accounts: Iterable<CallAccount>): Reconciled[] {
  const calls = Map.groupBy(accounts, callKey)
  return [...calls].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, told]) => reconcileCall(told))
}

/** What the accounts of one call share; without a request, nothing tells that two accounts are of one. */
function callKey({ requestId, consumer, provider, subject, operation, side, source, id }: CallAccount) {
  const call = [requestId, consumer, provider, subject, operation]
  return JSON.stringify(requestId === '' ? [...call, side, source, id] : call)
}

/** The accounts of one request in one direction. */
function reconcileCall(told: readonly CallAccount[]): Reconciled[] {
  const consumers = told.filter(({ side }) => side === 'consumer').sort(byTime)
  const providers = told.filter(({ side }) => side === 'provider').sort(byTime)
  const pairs = meet(consumers, providers)
  return [
    ...pairs.map(([consumer, provider]) => pairOf(consumer, provider)),
    ...alone(
      consumers,
      pairs.map(([consumer]) => consumer),
    ),
    ...alone(
      providers,
      pairs.map(([, provider]) => provider),
    ),
  ]
}

function meet(consumers: readonly CallAccount[], providers: readonly CallAccount[]) {
  const pairs: [CallAccount, CallAccount][] = []
  let c = 0
  let p = 0
  for (;;) {
    const consumer = consumers[c]
    const provider = providers[p]
    if (consumer === undefined || provider === undefined) return pairs
    const lagMs = provider.timeMs - consumer.timeMs
    if (lagMs > WINDOW_MS) c++
    else if (lagMs < -WINDOW_MS) p++
    else {
      pairs.push([consumer, provider])
      c = afterWindow(consumers, c)
      p = afterWindow(providers, p)
    }
  }
}

/** The first account that is too late to repeat the one at `index`. */
function afterWindow(told: readonly CallAccount[], index: number): number {
  const lastMs = (told[index]?.timeMs ?? 0) + WINDOW_MS
  let next = index
  while ((told[next]?.timeMs ?? Number.POSITIVE_INFINITY) <= lastMs) next++
  return next
}

/**
 * The accounts of one side that have met none: duplicates where they repeat one that counts.
 *
 * @param met those of `told` that have, both in the same order of time
 */
function alone(told: readonly CallAccount[], met: readonly CallAccount[]): Reconciled[] {
  const results: Reconciled[] = []
  let next = 0
  let lastMs = Number.NEGATIVE_INFINITY
  for (const account of told) {
    const { timeMs } = account
    if (account === met[next]) {
      next++
      lastMs = timeMs
      continue
    }
    const repeats =
      timeMs - lastMs <= WINDOW_MS || (met[next]?.timeMs ?? Number.POSITIVE_INFINITY) - timeMs <= WINDOW_MS
    if (!repeats) lastMs = timeMs
    results.push(aloneOf(account, repeats))
  }
  return results
}

function pairOf(consumer: CallAccount, provider: CallAccount): Reconciled {
  const disagreements = STATED.filter(
    (member) =>
      member in consumer.stated &&
      member in provider.stated &&
      consumer.stated[member] !== provider.stated[member],
  ).map((member) => ({
    member,
    consumer: consumer.stated[member],
    provider: provider.stated[member],
  }))
  const kind = disagreements.length === 0 ? 'regular pair' : 'orphan pair'
  return { kind, requestId: consumer.requestId, consumer, provider, disagreements }
}

function aloneOf(account: CallAccount, repeats: boolean): Reconciled {
  const { side, requestId } = account
  const told = { requestId, [side]: account, disagreements: [] }
  if (repeats) return { kind: 'duplicate', ...told }
  return { kind: 'orphan', silent: side === 'consumer' ? 'provider' : 'consumer', ...told }
}

function byTime(a: CallAccount, b: CallAccount): number {
  if (a.timeMs !== b.timeMs) return a.timeMs - b.timeMs
  const [left, right] = [spell(a), spell(b)]
  return left < right ? -1 : left > right ? 1 : 0
}

/** Differs wherever two accounts of one side and time do, so that the order in which they came cannot show. */
const spell = ({ source, id, stated }: CallAccount) =>
  JSON.stringify([source, id, Object.entries(stated).sort()])
