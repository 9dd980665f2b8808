import { textOf } from '../../../../record/index.ts'
import { showCount } from '../../../format.ts'
import { useLanguage, useWords } from '../../../language.ts'
import type { FoundRecord, RecordsPage } from '../../answers.ts'
import { Data, Time } from '../../data.tsx'
import { Shown, useJson } from '../../load.tsx'
import { MEMBER_WORDS, TYPE_WORDS, VALUE_WORDS } from '../../record-words.ts'
import { Link, useRouter } from '../../router.tsx'
import { TableScroll } from '../../table-scroll.tsx'
import { recordsQuery, recordUrl } from './query.ts'

const PAGE = 25

const words = {
  found: { en: 'Records found, the last to enter the ledger first', zh: '检索结果（后入账的在前）' },
  scroll: { en: 'Records found', zh: '检索结果' },
  what: { en: 'What', zh: '类型' },
  parties: { en: 'Consumer and provider', zh: '使用方与提供方' },
  state: { en: 'State', zh: '状态' },
  final: { en: 'final', zh: '已最终确认' },
  anchored: { en: 'on the chain, not final yet', zh: '已上链，待最终确认' },
  older: { en: 'Older', zh: '更早的记录' },
  newest: { en: 'Newest', zh: '最新记录' },
  none: { en: 'No record is under these keys.', zh: '没有符合条件的记录。' },
  noneYet: {
    en: 'No such record so far; there is more to search.',
    zh: '目前尚未找到符合条件的记录，可继续检索更早的批次。',
  },
  searched: {
    en: (batches: string, size: string) => `${batches} of ${size} batches were looked into.`,
    zh: (batches: string, size: string) => `已检索 ${batches} 个批次，账本共 ${size} 个批次。`,
  },
  left: {
    en: (count: string) => `${count} batches are left out: they are not verified, or not yet.`,
    zh: (count: string) => `另有 ${count} 个批次未通过或尚未完成核验，不在检索范围内。`,
  },
  pages: { en: 'Pages', zh: '分页' },
} as const

/** The records that the URL asks for, a page of them. */
export function Results() {
  const { search } = useRouter()
  const query = recordsQuery(search, PAGE)
  if (query === undefined) return null
  return <Page key={query} query={query} />
}

function Page({ query }: { query: string }) {
  const say = useWords(words)
  const language = useLanguage()
  const loaded = useJson<RecordsPage>(query)
  return (
    <Shown of={loaded}>
      {({ records, searched, ledger, cursor }) => (
        <section aria-live="polite">
          {records.length > 0 ? (
            <Table of={records} />
          ) : (
            <p class="card">{cursor === undefined ? say.none : say.noneYet}</p>
          )}
          <Pages next={cursor} />
          <p class="soft">
            {say.searched(showCount(searched, language), showCount(BigInt(ledger.size), language))}{' '}
            {ledger.notVerified > 0 && say.left(showCount(ledger.notVerified, language))}
          </p>
        </section>
      )}
    </Shown>
  )
}

function Table({ of: records }: { of: readonly FoundRecord[] }) {
  const say = useWords(words)
  const language = useLanguage()
  const head = {
    time: MEMBER_WORDS.time?.[language],
    what: say.what,
    resource: MEMBER_WORDS.resource?.[language],
    parties: say.parties,
    purpose: MEMBER_WORDS.purpose?.[language],
    state: say.state,
  }
  return (
    <TableScroll label={say.scroll}>
      <table class="results">
        <caption>{say.found}</caption>
        <thead>
          <tr>
            {Object.entries(head).map(([name, text]) => (
              <th key={name} scope="col">
                {text}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {records.map(({ record, final, anchor, batch }) => (
            <tr key={`${anchor.ledgerIndex}/${batch.position}`}>
              <th scope="row">
                <Link to={recordUrl(record)}>
                  <Time of={record.time} />
                </Link>
              </th>
              <td>
                {TYPE_WORDS[record.type]?.[language] ?? <Data of={record.type} />}
                {outcomeOf(record) !== undefined && (
                  <>
                    {language === 'zh' ? '，' : ', '}
                    {VALUE_WORDS.outcome?.[outcomeOf(record) ?? '']?.[language]}
                  </>
                )}
              </td>
              <td data-label={head.resource}>
                {record.subject !== undefined && <Data of={record.subject} />}
              </td>
              <td data-label={head.parties}>
                <Parties of={record} />
              </td>
              <td data-label={head.purpose}>
                <Some of={textOf(record, 'purpose')} />
              </td>
              <td data-label={head.state}>{final ? say.final : say.anchored}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableScroll>
  )
}

const outcomeOf = (record: FoundRecord['record']) => textOf(record, 'outcome')

const Some = ({ of }: { of: string | undefined }) => (of === undefined ? null : <Data of={of} />)

function Parties({ of: record }: { of: FoundRecord['record'] }) {
  const [consumer, provider] = [textOf(record, 'consumer'), textOf(record, 'provider')]
  if (consumer === undefined && provider === undefined) return <Data of={record.source} />
  return (
    <>
      <Data of={consumer ?? ''} /> ← <Data of={provider ?? ''} />
    </>
  )
}

function Pages({ next }: { next: string | undefined }) {
  const say = useWords(words)
  const { search } = useRouter()
  const at = (cursor: string | undefined) => {
    const there = new URLSearchParams(search)
    there.delete('cursor')
    if (cursor !== undefined) there.set('cursor', cursor)
    return `/explore?${there}`
  }
  if (next === undefined && !search.has('cursor')) return null
  return (
    <nav class="pages" aria-label={say.pages}>
      {search.has('cursor') && <Link to={at(undefined)}>{say.newest}</Link>}
      {next !== undefined && <Link to={at(next)}>{say.older}</Link>}
    </nav>
  )
}
