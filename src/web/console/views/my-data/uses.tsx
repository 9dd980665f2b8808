import { useId } from 'preact/hooks'
import { showCount } from '../../../format.ts'
import { useLanguage, useWords } from '../../../language.ts'
import { saveFile } from '../../bundle.ts'
import { Data, Short, Time } from '../../data.tsx'
import { MEMBER_WORDS, VALUE_WORDS } from '../../record-words.ts'
import { Link } from '../../router.tsx'
import { TableScroll } from '../../table-scroll.tsx'
import { recordUrl } from '../explore/query.ts'
import { toCsv } from './csv.ts'
import type { OwnHistory } from './own-history.ts'
import { byConsumer, type Use } from './uses.ts'

const words = {
  title: { en: 'Who used your data', zh: '谁使用了您的数据' },
  none: { en: 'No use of your data is recorded in this period.', zh: '这一时期没有您的数据的使用记录。' },
  times: {
    en: (count: string) => (count === '1' ? 'used once' : `used ${count} times`),
    zh: (count: string) => `使用 ${count} 次`,
  },
  refusedTimes: {
    en: (count: string) => (count === '1' ? 'refused once' : `refused ${count} times`),
    zh: (count: string) => `被拒绝 ${count} 次`,
  },
  last: { en: 'last on', zh: '最近一次' },
  when: { en: 'When', zh: '时间' },
  data: { en: 'Which data', zh: '数据' },
  why: { en: 'What for', zh: '用途' },
  basis: { en: 'By what right', zh: '依据' },
  result: { en: 'Result', zh: '结果' },
  recorded: { en: 'Recorded by', zh: '记录方' },
  given: { en: 'given out', zh: '已提供' },
  refused: { en: 'refused', zh: '已拒绝' },
  failed: { en: 'did not work', zh: '未成功' },
  grant: { en: 'your grant', zh: '您的授权' },
  otherGrant: { en: 'a grant not shown here', zh: '此处未列出的授权' },
  from: { en: 'from', zh: '提供方：' },
  both: { en: 'both sides', zh: '双方' },
  csv: { en: 'Download as a table (CSV)', zh: '下载表格（CSV）' },
  comma: { en: ', ', zh: '，' },
} as const

/** Each use of the person's data, by who used it. */
export function Uses({ of: { uses, grants } }: { of: OwnHistory }) {
  const say = useWords(words)
  const save = useCsv()
  return (
    <section class="card">
      <h2>{say.title}</h2>
      {uses.length === 0 ? (
        <p>{say.none}</p>
      ) : (
        <>
          {[...byConsumer(uses)].map(([consumer, group]) => (
            <Group key={consumer} consumer={consumer} uses={group} own={grants.map(({ id }) => id)} />
          ))}
          <p>
            <button type="button" onClick={() => save(uses)}>
              {say.csv}
            </button>
          </p>
        </>
      )}
    </section>
  )
}

function Group({ consumer, uses, own }: { consumer: string; uses: readonly Use[]; own: readonly string[] }) {
  const say = useWords(words)
  const language = useLanguage()
  const name = useId()
  const refused = uses.filter(({ outcome }) => outcome === 'refused').length
  const [latest] = uses
  const used = uses.length - refused
  const counts = [
    ...(used > 0 ? [say.times(showCount(used, language))] : []),
    ...(refused > 0 ? [say.refusedTimes(showCount(refused, language))] : []),
  ]
  return (
    <details class="group" open={uses.length <= 5}>
      <summary>
        <h3 id={name}>
          <Data of={consumer} />
        </h3>{' '}
        <span class="soft">
          {counts.join(say.comma)}
          {say.comma}
          {say.last} {latest !== undefined && <Time of={latest.time} />}
        </span>
      </summary>
      <TableScroll labelledBy={name}>
        <table class="results">
          <caption class="visually-hidden">
            <Data of={consumer} />
          </caption>
          <thead>
            <tr>
              {[say.when, say.data, say.why, say.basis, say.result, say.recorded].map((head) => (
                <th key={head} scope="col">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {uses.map((use) => (
              <Row key={JSON.stringify(use.told)} of={use} own={own} />
            ))}
          </tbody>
        </table>
      </TableScroll>
    </details>
  )
}

/** @param own ids of the grants that are shown */
function Row({ of: use, own }: { of: Use; own: readonly string[] }) {
  const say = useWords(words)
  const language = useLanguage()
  const [first] = use.told
  const result = { success: say.given, refused: say.refused, failed: say.failed }[use.outcome]
  return (
    <tr>
      <th scope="row">
        {first === undefined ? (
          <Time of={use.time} />
        ) : (
          <Link to={recordUrl(first)}>
            <Time of={use.time} />
          </Link>
        )}
      </th>
      <td data-label={say.data}>
        <Data of={use.resource} /> ({say.from} <Data of={use.provider} />)
      </td>
      <td data-label={say.why}>{use.purpose !== undefined && <Data of={use.purpose} />}</td>
      <td data-label={say.basis}>
        {use.legalBasis !== undefined && <Data of={`${use.legalBasis} `} />}
        {use.authorization !== undefined && own.includes(use.authorization) ? (
          <a href={`#grant-${use.authorization}`}>
            {say.grant} <Short of={use.authorization} />
          </a>
        ) : (
          use.authorization !== undefined && (
            <>
              {say.otherGrant} <Short of={use.authorization} />
            </>
          )
        )}
      </td>
      <td data-label={say.result} class={use.outcome === 'refused' ? 'warn' : undefined}>
        {result}
        {use.reason !== undefined && (
          <>
            {say.comma}
            <Data of={use.reason} />
          </>
        )}
      </td>
      <td data-label={say.recorded}>
        {use.told.length > 1 ? say.both : VALUE_WORDS.side?.[first?.side ?? '']?.[language]}
      </td>
    </tr>
  )
}

const COLUMNS = [
  'time',
  'consumer',
  'provider',
  'resource',
  'operation',
  'purpose',
  'legalBasis',
  'authorization',
  'outcome',
  'reason',
  'rows',
  'requestId',
] as const

/** Keeps uses as a table, its columns named in the reader's language. */
function useCsv() {
  const language = useLanguage()
  const nameOf = (column: string) => MEMBER_WORDS[column]?.[language] ?? column
  return (uses: readonly Use[]) => {
    const head = [...COLUMNS.map(nameOf), nameOf('source'), nameOf('id')]
    const rows = uses.map((use) => [
      ...COLUMNS.map((column) =>
        column === 'outcome'
          ? (VALUE_WORDS.outcome?.[use.outcome]?.[language] ?? '')
          : String(use[column] ?? ''),
      ),
      use.told.map(({ source }) => source).join(' '),
      use.told.map(({ id }) => id).join(' '),
    ])
    saveFile(toCsv([head, ...rows]), 'my-data.csv', 'text/csv')
  }
}
