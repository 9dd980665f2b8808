import './overview.css'
import type { ComponentChildren } from 'preact'
import { showCount, showDistance, showTime } from '../../format.ts'
import { useLanguage, useWords } from '../../language.ts'
import { type Line, type OverviewState, useOverview } from '../overview-events.ts'
import { Link } from '../router.tsx'
import { FirstSteps } from './overview/first-steps.tsx'
import { Problems } from './overview/problems.tsx'
import { RateLine } from './overview/rate-line.tsx'
import { Way } from './overview/way.tsx'

const words = {
  opening: { en: 'Connecting…', zh: '正在连接……' },
  live: { en: 'Live', zh: '实时' },
  lost: { en: 'Not live: the line is lost, trying again.', zh: '非实时：连接已断开，正在重连。' },
  asOf: { en: 'As of', zh: '数据截至' },
  rate: { en: 'Records a second', zh: '每秒记录数' },
  records: { en: 'Records in the ledger', zh: '账本中的记录' },
  counting: { en: 'being counted', zh: '正在统计' },
  inBatches: {
    en: (count: string) => `in ${count} batches`,
    zh: (count: string) => `分布在 ${count} 个批次中`,
  },
  finality: { en: 'Final', zh: '最终确认' },
  allFinal: { en: 'every batch of the ledger', zh: '账本中的全部批次' },
  ofBatches: {
    en: (final: string, all: string) => `${final} of ${all} batches`,
    zh: (final: string, all: string) => `${all} 个批次中的 ${final} 个`,
  },
  chain: { en: 'Block', zh: '区块' },
  finalBlock: {
    en: (block: string) => `final up to ${block}`,
    zh: (block: string) => `${block} 及之前已最终确认`,
  },
  behind: {
    en: (count: string) => `${count} blocks still to be read`,
    zh: (count: string) => `还有 ${count} 个区块待读取`,
  },
  noBlock: { en: 'not seen yet', zh: '尚未获取' },
  backlog: { en: 'Backlog', zh: '积压' },
  none: { en: 'Nothing waits', zh: '无积压' },
  waiting: {
    en: (count: string) => `${count} records to be sealed`,
    zh: (count: string) => `${count} 条记录待封存`,
  },
  unanchored: {
    en: (count: string) => `${count} batches to be anchored`,
    zh: (count: string) => `${count} 个批次待上链`,
  },
  oldest: { en: 'the oldest sealed', zh: '最早封存于' },
  alerts: { en: 'Open alerts', zh: '未关闭的告警' },
  noAlerts: { en: 'none', zh: '无' },
  high: { en: 'high', zh: '高' },
  medium: { en: 'medium', zh: '中' },
  low: { en: 'low', zh: '低' },
  ofBatch: { en: 'of batches', zh: '批次' },
  overdue: {
    en: (count: string) => `${count} past their deadline`,
    zh: (count: string) => `${count} 条已超过上报时限`,
  },
  see: { en: 'See the alerts', zh: '查看告警' },
} as const

export default function Overview() {
  const say = useWords(words)
  const language = useLanguage()
  const { overview, line, heardAt } = useOverview()
  return (
    <div class="overview">
      <p class={`line ${line}`}>
        <span role="status">{say[line]}</span>{' '}
        {line === 'lost' && heardAt > 0 && (
          <span class="soft">
            {say.asOf} {showTime(heardAt, language)}
          </span>
        )}
      </p>
      {overview !== undefined && <Now overview={overview} line={line} />}
    </div>
  )
}

function Now({ overview, line }: { overview: OverviewState; line: Line }) {
  const { gateway, ledger, problems } = overview
  const isEmpty = ledger.size === 0 && gateway !== undefined && gateway.accepted.records === 0
  return (
    <>
      <Problems problems={problems} />
      {isEmpty && <FirstSteps url={location.origin} />}
      <div class={`tiles${line === 'lost' ? ' stale' : ''}`}>
        <Tiles overview={overview} />
      </div>
      <Way overview={overview} />
    </>
  )
}

function Tiles({ overview: { gateway, rate, ledger, chain, alerts } }: { overview: OverviewState }) {
  const say = useWords(words)
  const language = useLanguage()
  const show = (count: number | bigint) => showCount(count, language)
  const [head, scanned, final] = [BigInt(chain.head), BigInt(chain.scanned), BigInt(chain.final)]
  return (
    <>
      <section class="card tile wide">
        <h2>{say.rate}</h2>
        <p class="figure">{show(Math.round(rate.at(-1) ?? 0))}</p>
        <RateLine rate={rate} />
      </section>
      <Tile name={say.records} figure={ledger.records === undefined ? '…' : show(ledger.records)}>
        {ledger.records === undefined ? say.counting : say.inBatches(show(ledger.size))}
      </Tile>
      <Tile name={say.chain} figure={head < 0n ? '…' : show(head)}>
        {head < 0n
          ? say.noBlock
          : scanned < head
            ? say.behind(show(head - scanned))
            : say.finalBlock(show(final < 0n ? 0n : final))}
      </Tile>
      <Tile name={say.finality} figure={show(ledger.final)}>
        {ledger.final === ledger.size ? say.allFinal : say.ofBatches(show(ledger.final), show(ledger.size))}
      </Tile>
      {gateway !== undefined && <Backlog gateway={gateway} />}
      <Tile name={say.alerts} figure={show(alerts.open)} mood={alerts.open > 0 ? 'warn' : 'good'}>
        <Severities alerts={alerts} /> <Link to="/alerts">{say.see}</Link>
      </Tile>
    </>
  )
}

function Backlog({ gateway: { waiting, notAnchored } }: { gateway: NonNullable<OverviewState['gateway']> }) {
  const say = useWords(words)
  const language = useLanguage()
  const isNone = waiting.records === 0 && notAnchored.batches === 0
  return (
    <Tile name={say.backlog} figure={showCount(waiting.records || notAnchored.batches, language)}>
      {isNone && say.none}
      {waiting.records > 0 && <span>{say.waiting(showCount(waiting.records, language))} </span>}
      {notAnchored.batches > 0 && (
        <span>
          {say.unanchored(showCount(notAnchored.batches, language))}
          {' · '}
          {say.oldest} {showDistance(-notAnchored.oldestSeconds * 1_000, 0, language)}
        </span>
      )}
    </Tile>
  )
}

function Severities({ alerts }: { alerts: OverviewState['alerts'] }) {
  const say = useWords(words)
  const language = useLanguage()
  const { open, high, medium, low, overdue = 0 } = alerts
  const counts: [name: string, count: number][] = [
    [say.high, high],
    [say.medium, medium],
    [say.low, low],
    [say.ofBatch, open - high - medium - low],
  ]
  const some = counts.filter(([, count]) => count > 0)
  return (
    <>
      {some.length === 0
        ? say.noAlerts
        : some.map(([name, count]) => `${name} ${showCount(count, language)}`).join(' · ')}
      {overdue > 0 && <strong class="bad"> {say.overdue(showCount(overdue, language))}</strong>}
    </>
  )
}

function Tile({
  name,
  figure,
  mood = '',
  children,
}: {
  name: string
  figure: string
  mood?: 'good' | 'warn' | ''
  children: ComponentChildren
}) {
  return (
    <section class="card tile">
      <h2>{name}</h2>
      <p class={`figure ${mood}`}>{figure}</p>
      <p class="soft">{children}</p>
    </section>
  )
}
