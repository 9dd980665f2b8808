import type { Hex } from '../bytes/hex.ts'
import type { JsonAlert } from '../indexer/alert.ts'
import type { Alerts } from '../store/alerts.ts'
import type { BatchFolder } from '../store/batch-folder.ts'
import type { LedgerEntries, LedgerEntry } from '../store/ledger-entries.ts'
import type { SeenSubmissions } from '../store/seen-submissions.ts'
import type { RepeatedRecords } from './repeated-records.ts'
import type { Finding, Verdict } from './report.ts'

const PAGE = 1_000

/** The entries of a range, in the ledger's order, a page at a time. */
export function* entriesOf(
  entries: LedgerEntries,
  { first, end }: { first: bigint; end: bigint },
): Generator<LedgerEntry> {
  for (let next = first; next < end; ) {
    const page = entries.from(next, PAGE)
    for (const entry of page) if (entry.logIndex < end) yield entry
    const last = page.at(-1)
    if (last === undefined) return
    next = last.logIndex + 1n
  }
}

interface AlertContext {
  /** every entry of the ledger is in the range that was checked */
  isAll: boolean
  /** and all of their batches are verified */
  isWhole: boolean
  /** sources whose keys are known: `strangerFindings` judges their signatures */
  signers: ReadonlyMap<string, ReadonlySet<Hex>>
  seen: SeenSubmissions
}

/** What the checks of the batches have found, oldest first. */
export function* alertFindings(alerts: Alerts, context: AlertContext): Generator<Finding> {
  for (let id = 0n; ; ) {
    const page = alerts.after(id, PAGE)
    for (const { document, closedAt } of page) {
      if (closedAt !== undefined) continue
      const alert = JSON.parse(document) as JsonAlert
      const verdict = verdictOf(alert, context)
      if (verdict !== undefined) yield toFinding(alert, verdict)
    }
    const last = page.at(-1)
    if (last === undefined) return
    id = last.id
  }
}

/** @returns undefined when it is nothing to speak of */
function verdictOf(
  { kind, submission }: JsonAlert,
  { isAll, isWhole, signers, seen }: AlertContext,
): Verdict | undefined {
  if (kind === 'withheld') return 'unchecked'
  if (submission === undefined) return 'false'
  const { source, sequence } = submission
  if (kind === 'foreign-signature' && signers.has(source)) return undefined
  if (kind !== 'sequence-gap' || isWhole) return 'false'
  // Where the audit does not begin with the ledger, no source begins with its first submission.
  if (!isAll && seen.near('previous', source, BigInt(sequence)) === undefined) return undefined
  // What is missing may be in a batch that could not be verified, or was not asked for.
  return 'unchecked'
}

function toFinding({ kind, batch, anchor, ...rest }: JsonAlert, verdict: Verdict): Finding {
  const { expected, found, submission, positions, files } = rest
  return {
    verdict,
    kind,
    expected,
    found,
    ledgerIndex: anchor.ledgerIndex,
    publisher: batch.publisher,
    batch: batch.sequence,
    ...(submission !== undefined && { submission }),
    ...(positions !== undefined && { positions }),
    ...(files.length > 0 && { files }),
  }
}

/** Submissions signed by keys that their sources are not known to have had. */
export function* strangerFindings(
  signers: ReadonlyMap<string, ReadonlySet<Hex>>,
  entries: LedgerEntries,
  seen: SeenSubmissions,
): Generator<Finding> {
  for (const [source, known] of signers) {
    for (const { logIndex, sequence, first, signer } of seen.signedByOthers(source, [...known])) {
      yield {
        verdict: 'false',
        kind: 'foreign-signature',
        expected: `a signature by ${[...known].join(' or ')}`,
        found: `one by ${signer}`,
        ...placeOf(entries.get(logIndex)),
        submission: { source, sequence: String(sequence) },
        positions: [first],
      }
    }
  }
}

/** A batch that our own disk could not read. */
export const unreadFinding = (entry: LedgerEntry, reason = 'it was not reached'): Finding => ({
  verdict: 'unchecked',
  kind: 'unread',
  expected: 'the files of this batch',
  found: reason,
  ...placeOf(entry),
})

/** Records that stand in several batches, each named by its source and id. */
export async function* repeatedFindings(
  repeated: ReadonlyMap<bigint, RepeatedRecords>,
  entries: LedgerEntries,
  folder: BatchFolder,
): AsyncGenerator<Finding> {
  for (const [logIndex, { count, positions, first }] of repeated) {
    const entry = entries.get(logIndex)
    if (entry === undefined) continue
    const { position, earlier } = first
    const { source, id } = await recordAt(folder, entry, position)
    yield {
      verdict: 'false',
      kind: 'duplicate-id',
      expected: 'every id of a source once',
      found: `${count} records have the source and the id of a record of another batch; the first, ${id} of ${source}, is record ${earlier.position} of ledger entry ${earlier.logIndex} too`,
      ...placeOf(entry),
      positions,
    }
  }
}

async function recordAt(folder: BatchFolder, { header }: LedgerEntry, position: number) {
  const files = await folder.open(header.publisher, header.sequence)
  try {
    return (await files.item(position)).record
  } finally {
    await files.close()
  }
}

const placeOf = (entry: LedgerEntry | undefined) =>
  entry && {
    ledgerIndex: String(entry.logIndex),
    publisher: entry.header.publisher,
    batch: String(entry.header.sequence),
  }
