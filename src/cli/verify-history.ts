import type { Language } from '../rules/rule.ts'
import type { TrustedRun, VerifiedHistory } from '../verify/index.ts'
import { row, sayIn } from './verify-rows.ts'
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
export function describeHistory(verified: VerifiedHistory, asked: Trusted): string {
  const { key, range, records, anchor, searched, runs, otherTimes } = verified
  const say = sayIn(asked.lang)
  const pin = unpinnedLedger(anchor.ledger, asked.ledger, asked.lang)
  const batches = Number(range.to - range.from)
  const value = key.value.replace('\0', ' ')
  const others = records.length === 0 ? '' : say(', and no others', '，此外再无其他')
  const lines = [
    say('VERIFIED', '验证通过'),
    row(
      say('history', '历史'),
      say(
        `${counted(records.length, 'record')} under ${key.name} ${value}`,
        `${key.name} ${value} 之下有 ${records.length} 条记录`,
      ),
    ),
    row(
      '',
      `${say(`in ledger entries ${range.from} to ${range.to - 1n}`, `账本第 ${range.from} 至 ${range.to - 1n} 项`)}${others}`,
    ),
    row(say('period', '时段'), describePeriod(verified, asked.lang)),
    row(
      say('searched', '查阅'),
      `${say(`${searched} of ${counted(batches, 'batch', 'batches')}`, `${batches} 个批次中的 ${searched} 个`)}${searched < batches ? describeOthers(runs, asked.lang) : ''}`,
    ),
    otherTimes > 0
      ? row(
          '',
          say(
            `${counted(otherTimes, 'more record')} under the key, of other times`,
            `该键之下另有 ${otherTimes} 条记录，不属于该时段`,
          ),
        )
      : undefined,
    row(
      say('ledger', '账本'),
      say(`${anchor.ledger} on chain ${anchor.chainId}`, `链 ${anchor.chainId} 上的 ${anchor.ledger}`),
    ),
    anchoredRow(verified, asked),
    ...trustedRows(anchor.chainId, pin === undefined ? [] : [pin], asked),
    row(
      say('assumed', '前提'),
      say(
        'that somebody recomputed the indexes of these batches, as every indexer does',
        '有人重新计算过这些批次的索引，每个索引服务都会这样做',
      ),
    ),
    ...describeRuns(runs, asked.lang),
    ...records
      .slice(0, MOST_SHOWN)
      .map(
        ({ record, ledgerIndex, position }) =>
          `  ${record.time}  ${record.type}  ${say(`${record.id} of ${record.source}, entry ${ledgerIndex}, record ${position}`, `${record.source} 的 ${record.id}，第 ${ledgerIndex} 项，第 ${position} 条`)}`,
      ),
    records.length > MOST_SHOWN
      ? `  ${say(`and ${records.length - MOST_SHOWN} more: --json prints all`, `另有 ${records.length - MOST_SHOWN} 条：--json 可列出全部`)}`
      : undefined,
  ]
  return `${lines.filter((line) => line !== undefined).join('\n')}\n`
}

function describeOthers(runs: readonly TrustedRun[], lang: Language): string {
  return sayIn(lang)(
    `; the others ${runs.length > 0 ? 'lack the key by the word of a run, or ' : ''}are of other times`,
    `；其余批次${runs.length > 0 ? '据汇编所称没有该键，或' : ''}不属于该时段`,
  )
}

/** Whose word was taken, and how to do without. */
function describeRuns(runs: readonly TrustedRun[], lang: Language): string[] {
  if (runs.length === 0) return []
  const say = sayIn(lang)
  const sources = Map.groupBy(runs, ({ source }) => source)
  return [
    ...[...sources].map(([source, all]) => {
      const batches = all.reduce((sum, { first, end }) => sum + Number(end - first), 0)
      const [first, last] = [all[0], all.at(-1)]
      const names = all.length === 1 ? first?.id : `${first?.id} ${say('to', '至')} ${last?.id}`
      return row(
        '',
        say(
          `that ${source} tells the truth in ${counted(all.length, 'run')} over ${counted(batches, 'batch', 'batches')}: ${names};`,
          `${source} 的 ${all.length} 份汇编（共 ${batches} 个批次）属实：${names}；`,
        ),
      )
    }),
    row(
      '',
      say(
        '"tidemark audit" merges them again, and a history without --runs needs none',
        '“tidemark audit”会重新汇编，不带 --runs 的历史则无需信任它们',
      ),
    ),
  ]
}

function describePeriod({ period }: VerifiedHistory, lang: Language): string {
  const say = sayIn(lang)
  if (period.from === 0n && period.to > LAST_TIME) return say('all times', '全部时间')
  const from = period.from === 0n ? say('the beginning', '起始') : showTime(period.from)
  const to =
    period.to > LAST_TIME
      ? say('now and after', '现在及以后')
      : say(`before ${showTime(period.to)}`, `${showTime(period.to)} 之前`)
  return say(`from ${from} to ${to}`, `自${from}至${to}`)
}

const counted = (count: number, one: string, many = `${one}s`) =>
  count === 0 ? `no ${one}` : `${count} ${count === 1 ? one : many}`

/** The last that a calendar reaches. */
const LAST_TIME = 8_640_000_000_000_000n

const showTime = (time: bigint) =>
  time > LAST_TIME ? `${time} ms after 1970` : new Date(Number(time)).toISOString()
