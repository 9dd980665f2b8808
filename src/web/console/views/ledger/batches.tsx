import { showCount } from '../../../format.ts'
import { useLanguage, useWords } from '../../../language.ts'
import { Short, Time } from '../../data.tsx'
import { Shown, useJson } from '../../load.tsx'
import { Link, useRouter } from '../../router.tsx'
import { TableScroll } from '../../table-scroll.tsx'
import type { Entry } from './answers.ts'
import { Pager } from './pager.tsx'
import { EntryState } from './state.tsx'

const words = {
  title: { en: 'Batches', zh: '批次' },
  caption: { en: 'Batches of the ledger, newest first', zh: '账本中的批次，最新在前' },
  pages: { en: 'Pages of batches', zh: '批次分页' },
  none: { en: 'The ledger has no batch yet.', zh: '账本中还没有批次。' },
  entry: { en: 'Entry', zh: '条目' },
  state: { en: 'State', zh: '状态' },
  publisher: { en: 'Publisher', zh: '发布者' },
  sequence: { en: 'Batch', zh: '批次号' },
  records: { en: 'Records', zh: '记录数' },
  from: { en: 'First record', zh: '首条记录' },
  to: { en: 'Last record', zh: '末条记录' },
  block: { en: 'Block', zh: '区块' },
} as const

const PAGE = 25

/** The ledger's entries, page by page. */
export function Batches({ version }: { version: string }) {
  const say = useWords(words)
  const { search } = useRouter()
  const before = search.get('before')
  const path = `/v1/batches?limit=${PAGE}${before === null ? '' : `&before=${encodeURIComponent(before)}`}`
  const loaded = useJson<{ batches: Entry[]; next?: string }>(path, version)
  return (
    <section class="card">
      <h2>{say.title}</h2>
      <Shown of={loaded}>
        {({ batches, next }) =>
          batches.length === 0 ? (
            <p class="soft">{say.none}</p>
          ) : (
            <>
              <Table batches={batches} />
              <Pager name="before" next={next} label={say.pages} />
            </>
          )
        }
      </Shown>
    </section>
  )
}

function Table({ batches }: { batches: readonly Entry[] }) {
  const say = useWords(words)
  const language = useLanguage()
  const { search } = useRouter()
  const show = (text: string) => showCount(BigInt(text), language)
  const to = ({ batch: { publisher, sequence } }: Entry) => {
    const opened = new URLSearchParams(search)
    opened.set('batch', `${publisher}/${sequence}`)
    return `/ledger?${opened}`
  }
  return (
    <TableScroll label={say.caption}>
      <table>
        <caption class="visually-hidden">{say.caption}</caption>
        <thead>
          <tr>
            <th scope="col" class="number">
              {say.entry}
            </th>
            <th scope="col">{say.state}</th>
            <th scope="col">{say.publisher}</th>
            <th scope="col" class="number">
              {say.sequence}
            </th>
            <th scope="col" class="number">
              {say.records}
            </th>
            <th scope="col">{say.from}</th>
            <th scope="col">{say.to}</th>
            <th scope="col" class="number">
              {say.block}
            </th>
          </tr>
        </thead>
        <tbody>
          {batches.map((entry) => (
            <tr key={entry.anchor.ledgerIndex}>
              <th scope="row" class="number">
                <Link to={to(entry)}>{show(entry.anchor.ledgerIndex)}</Link>
              </th>
              <td>
                <EntryState entry={entry} />
              </td>
              <td>
                <Short of={entry.batch.publisher} />
              </td>
              <td class="number">{show(entry.batch.sequence)}</td>
              <td class="number">{showCount(entry.batch.recordCount, language)}</td>
              <td>
                <Time of={Number(entry.batch.firstTime)} />
              </td>
              <td>
                <Time of={Number(entry.batch.lastTime)} />
              </td>
              <td class="number">{show(entry.anchor.blockNumber)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableScroll>
  )
}
