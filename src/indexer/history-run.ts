import { indexKey, verifyLookup } from '../lookup/index.ts'
import type { HistoryBatch, HistoryRun } from '../proof/index.ts'
import { useIndexFile } from '../store/batch-folder.ts'
import type { LedgerEntries, LedgerEntry } from '../store/ledger-entries.ts'
import type { ClaimedRun, Runs } from '../store/runs.ts'
import { type BatchParts, type ShownRequest, showBatch } from './history-batch.ts'
import { runPath } from './run-keeper.ts'

/** A run of fewer batches takes more room than they do. */
const LEAST_RUN = 3
const PAGE = 256

/** One more than the last entry of a run. */
export const endOf = ({ first, count }: ClaimedRun): bigint => first + BigInt(count)

/** Kept runs that lie in a range, in its order; no two of them overlap. */
export function usedRuns(runs: Runs, from: bigint, to: bigint): ClaimedRun[] {
  const used: ClaimedRun[] = []
  for (let first = from; first < to; ) {
    const page = runs.keptFrom(first, PAGE)
    used.push(...page.filter((run) => endOf(run) <= to && run.count >= LEAST_RUN))
    first = (page.at(-1)?.first ?? to) + 1n
  }
  return used
}

interface RunParts extends BatchParts {
  entries: LedgerEntries
  runsPath: string
}

/**
 * What a history shows of a run, out of its index and the files of the batches that this names.
 *
 * @param shown told the entry of every batch that is shown
 */
export async function showRun(
  { entries, runsPath, ...files }: RunParts,
  run: ClaimedRun,
  request: ShownRequest,
  shown: Set<bigint>,
): Promise<HistoryRun> {
  const { header } = entryAt(entries, run.logIndex)
  const { record, path } = await files.batches.use(header.publisher, header.sequence, async (batch) => ({
    record: (await batch.item(run.position)).record,
    path: await batch.inclusionPath(header.recordCount, run.position),
  }))
  const key = indexKey(request.key.name, request.key.value)
  const lookup = await useIndexFile(runPath(runsPath, run), (index) => index.prove(key))
  const parts: HistoryBatch[] = []
  for (const position of verifyLookup(key, lookup, { ...run, recordCount: run.count })) {
    const at = run.first + BigInt(position)
    shown.add(at)
    parts.push(await showBatch(files, entryAt(entries, at).header, request))
  }
  return {
    run: { record, inclusion: { index: run.position, path }, header, entry: run.logIndex },
    lookup,
    batches: parts,
  }
}

export function entryAt(entries: LedgerEntries, logIndex: bigint): LedgerEntry {
  const entry = entries.get(logIndex)
  if (entry === undefined) throw new RangeError(`the catalogue lacks ledger entry ${logIndex}`)
  return entry
}
