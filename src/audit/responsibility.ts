import type { Submission } from '../batch/index.ts'
import type { Hex } from '../bytes/hex.ts'
import { InputError } from '../errors.ts'
import type { Finder } from '../indexer/finder.ts'
import { ALWAYS, type FoundRecord } from '../indexer/search.ts'
import type { IndexName } from '../lookup/index.ts'
import { type FlowRecord, openRecord, textOf, timeOf } from '../record/index.ts'
import { accountOf, type Reconciled, reconcile, WINDOW_MS } from '../rules/reconcile.ts'
import type { RecordRef } from '../rules/rule.ts'
import { type GrantGiven, grantGiven } from './grant-given.ts'

/** A rule that a record breaks, by the alert that says so. */
export interface BrokenRule {
  rule: string
  severity: string | null
  alertId: string
}

export interface ResponsibilityParts {
  finder: Pick<Finder, 'page' | 'find' | 'submissionOf'>
  /** the address that a submission's signature recovers to, where the indexer has seen it */
  signerOf: (submission: Submission, found: FoundRecord) => Hex | undefined
  /** how a gateway took in what is not signed; undefined for what is not its own */
  takenAs: (submission: Submission, found: FoundRecord) => Promise<'token' | 'open' | undefined>
  /** whether a key was the source's at a time; undefined where no keys are known */
  hadKey: (source: string, address: Hex, atMs: number) => boolean | undefined
  brokenRules: (found: FoundRecord) => BrokenRule[]
}

/** Who brought a record into the ledger. */
type BroughtBy =
  | { by: 'signed'; signer: Hex | null; keyKnown: boolean | null }
  | { by: 'token' | 'open' | 'unsigned' }

/** One record of the call, and how it came into the ledger. */
export interface Account {
  found: FoundRecord
  side: 'consumer' | 'provider'
  submission: (BroughtBy & { sequence: string; receivedAt: string }) | null
  /** whether it has private members, who acted perhaps among them: only the vault of its publisher opens them */
  hasPrivate: boolean
  brokenRules: BrokenRule[]
}

export interface Responsibility {
  /** the one that was asked for */
  record: FlowRecord
  /** it and those of its call, the ledger's first one first */
  accounts: Account[]
  /** what both sides' records say together; values of persons are not told */
  kept: {
    kind: Reconciled['kind']
    by: ('consumer' | 'provider')[]
    silent: 'consumer' | 'provider' | null
    disagreements: { member: string; consumer?: unknown; provider?: unknown }[]
  }
  /** the grant that the call cites */
  grant: GrantGiven | null
  /** whether there is more under its request or its grant than was looked at */
  isCutOff: boolean
}

/** Records under one key that are looked at, the newest. */
const MOST_RECORDS = 2_000
/** Accounts further apart belong to other tries of the same request. */
const AROUND_MS = 10 * WINDOW_MS

/**
 * Who answers for a call or a refusal, by what the verified batches hold.
 *
 * @throws {InputError} `NOT_FOUND`, or `BAD_ARGUMENT` for a record of another type
 */
export async function responsibilityFor(
  parts: ResponsibilityParts,
  { source, id }: RecordRef,
): Promise<Responsibility> {
  // The ledger's first one: a later copy cannot displace it.
  const asked = (await parts.finder.find(source, id)).at(-1)
  if (asked === undefined)
    throw new InputError('NOT_FOUND', 'no verified batch of the ledger holds this record')
  const { record } = asked.item
  if (record.type !== 'tidemark.call.v1' && record.type !== 'tidemark.refusal.v1') {
    throw new InputError('BAD_ARGUMENT', `a ${record.type} is neither a call nor a refusal`)
  }
  const around = await collect(parts.finder, keysOf(record), {
    fromMs: Math.max(0, timeOf(record) - AROUND_MS),
    toMs: timeOf(record) + AROUND_MS,
  })
  const told = [asked, ...around.records].filter(
    ({ item }, i, all) =>
      item.record.type === record.type && all.findIndex((one) => isSame(one.item.record, item.record)) === i,
  )
  const result = reconcile(told.map(({ item }) => accountOf(openRecord(item.record, item.disclosures)))).find(
    ({ consumer, provider }) => [consumer, provider].some((account) => account && isSame(account, record)),
  )
  if (result === undefined) throw new Error('reconciliation puts every account into a result')
  const both = [result.consumer, result.provider].filter((account) => account !== undefined)
  const accounts = told.filter(({ item }) => both.some((account) => isSame(account, item.record)))
  const grantId = textOf(record, 'authorization')
  const cited =
    grantId === undefined
      ? undefined
      : await collect(parts.finder, new Map([['authorization', grantId]]), ALWAYS)
  return {
    record,
    accounts: await Promise.all(accounts.sort(byPlace).map((found) => describeAccount(parts, found))),
    kept: {
      kind: result.kind,
      by: both.map(({ side }) => side),
      silent: result.silent ?? null,
      disagreements: result.disagreements.map(({ member, ...values }) =>
        member === 'person' ? { member } : { member, ...values },
      ),
    },
    grant:
      grantId === undefined || cited === undefined
        ? null
        : grantGiven(
            grantId,
            record,
            cited.records.map(({ item }) => item.record),
          ),
    isCutOff: around.isCutOff || cited?.isCutOff === true,
  }
}

/** What the records of one call share. */
function keysOf(record: FlowRecord): Map<IndexName, string> {
  const keys = new Map<IndexName, string>([['request', textOf(record, 'requestId') ?? '']])
  for (const name of ['consumer', 'provider'] as const) keys.set(name, textOf(record, name) ?? '')
  return keys.set('resource', record.subject ?? '')
}

async function collect(
  finder: ResponsibilityParts['finder'],
  keys: Map<IndexName, string>,
  range: { fromMs: number; toMs: number },
): Promise<{ records: FoundRecord[]; isCutOff: boolean }> {
  const records: FoundRecord[] = []
  let after: Parameters<Finder['page']>[0]['after']
  do {
    const page = await finder.page({ keys, ...range, limit: PAGE, after })
    records.push(...page.records)
    after = page.next
  } while (after !== undefined && records.length < MOST_RECORDS)
  return { records, isCutOff: after !== undefined }
}

const PAGE = 200

async function describeAccount(parts: ResponsibilityParts, found: FoundRecord): Promise<Account> {
  const submission = await parts.finder.submissionOf(found)
  const { _sd: digests = [], _sd_pseudonyms: pseudonyms = [] } = found.item.record.data
  return {
    found,
    hasPrivate: digests.length > pseudonyms.length,
    side: found.item.record.data.side === 'consumer' ? 'consumer' : 'provider',
    submission:
      submission === undefined
        ? null
        : {
            sequence: String(submission.sequence),
            receivedAt: String(submission.receivedAt),
            ...(await broughtBy(parts, submission, found)),
          },
    brokenRules: parts.brokenRules(found),
  }
}

async function broughtBy(
  { signerOf, takenAs, hadKey }: ResponsibilityParts,
  submission: Submission,
  found: FoundRecord,
): Promise<BroughtBy> {
  if (submission.signature === null) return { by: (await takenAs(submission, found)) ?? 'unsigned' }
  const signer = signerOf(submission, found)
  if (signer === undefined) return { by: 'signed', signer: null, keyKnown: null }
  const isKnown = hadKey(submission.source, signer, Number(submission.receivedAt))
  return { by: 'signed', signer, keyKnown: isKnown ?? null }
}

const isSame = (a: RecordRef, b: RecordRef) => a.source === b.source && a.id === b.id

const byPlace = (a: FoundRecord, b: FoundRecord) =>
  Number(a.entry.logIndex - b.entry.logIndex) || a.position - b.position
