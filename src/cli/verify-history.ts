import type { TrustedRun, VerifiedHistory } from '../verify/index.ts'
import { anchoredRow, anchoredToJson, type Trusted, trustedRows, unpinnedLedger } from './verify-trust.ts'

/** How many records a person is shown; `--json` prints them all. */
const MOST_SHOWN = 20

export const historyToJson = (verified: VerifiedHistory, asked: Trusted) => ({
  verdict: 'verified',
  key: verified.key,
  period: { from: showTime(verified.period.from), to: showTime(verified.period.to) },
  ledgerEntries: { from: String(verified.range.from), to: String(verified.range.to) },
  records: verified.records.map(({ record, ledgerIndex, position }) => ({
    record,
    ledgerIndex: String(ledgerIndex),
    position,
  })),
  otherTimes: verified.otherTimes,
  searched: verified.searched,
  runs: verified.runs.map(({ source, id, entry, first, end }) => ({
    source,
    id,
    ledgerIndex: String(entry),
    ledgerEntries: { from: String(first), to: String(end) },
  })),
  ...anchoredToJson(verified, asked),
})

/** What has been proven, in plain words, and what has not. */
export function describeHistory(verified: VerifiedHistory, trusted: Trusted): string {
  const { key, range, records, anchor, searched, runs, otherTimes } = verified
  const asked = { ...trusted, lang: 'en' } as const
  const pin = unpinnedLedger(anchor.ledger, asked.ledger, asked.lang)
  const batches = Number(range.to - range.from)
  const value = key.value.replace('\0', ' ')
  const others = records.length === 0 ? '' : ', and no others'
  const lines = [
    'VERIFIED',
    `  history   ${counted(records.length, 'record')} under ${key.name} ${value}`,
    `            in ledger entries ${range.from} to ${range.to - 1n}${others}`,
    `  period    ${describePeriod(verified)}`,
    `  searched  ${searched} of ${counted(batches, 'batch', 'batches')}${searched < batches ? `; the others ${runs.length > 0 ? 'lack the key by the word of a run, or ' : ''}are of other times` : ''}`,
    otherTimes > 0
      ? `            ${counted(otherTimes, 'more record')} under the key, of other times`
      : undefined,
    `  ledger    ${anchor.ledger} on chain ${anchor.chainId}`,
    anchoredRow(verified, asked),
    ...trustedRows(anchor.chainId, pin === undefined ? [] : [pin], asked),
    '  assumed   that somebody recomputed the indexes of these batches, as every indexer does',
    ...describeRuns(runs),
    ...records
      .slice(0, MOST_SHOWN)
      .map(
        ({ record, ledgerIndex, position }) =>
          `  ${record.time}  ${record.type}  ${record.id} of ${record.source}, entry ${ledgerIndex}, record ${position}`,
      ),
    records.length > MOST_SHOWN ? `  and ${records.length - MOST_SHOWN} more: --json prints all` : undefined,
  ]
  return `${lines.filter((line) => line !== undefined).join('\n')}\n`
}

/** Whose word was taken, and how to do without. */
function describeRuns(runs: readonly TrustedRun[]): string[] {
  if (runs.length === 0) return []
  const sources = Map.groupBy(runs, ({ source }) => source)
  return [
    ...[...sources].map(([source, all]) => {
      const batches = all.reduce((sum, { first, end }) => sum + Number(end - first), 0)
      const [first, last] = [all[0], all.at(-1)]
      const names = all.length === 1 ? first?.id : `${first?.id} to ${last?.id}`
      return `            that ${source} tells the truth in ${counted(all.length, 'run')} over ${counted(batches, 'batch', 'batches')}: ${names};`
    }),
    '            "tidemark audit" merges them again, and a history without --runs needs none',
  ]
}

function describePeriod({ period }: VerifiedHistory): string {
  const from = period.from === 0n ? 'the beginning' : showTime(period.from)
  const to = period.to > LAST_TIME ? 'now and after' : `before ${showTime(period.to)}`
  return period.from === 0n && period.to > LAST_TIME ? 'all times' : `from ${from} to ${to}`
}

const counted = (count: number, one: string, many = `${one}s`) =>
  count === 0 ? `no ${one}` : `${count} ${count === 1 ? one : many}`

/** The last that a calendar reaches. */
const LAST_TIME = 8_640_000_000_000_000n

const showTime = (time: bigint) =>
  time > LAST_TIME ? `${time} ms after 1970` : new Date(Number(time)).toISOString()
