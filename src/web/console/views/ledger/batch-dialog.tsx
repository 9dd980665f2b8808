import { useEffect, useRef } from 'preact/hooks'
import { showCount } from '../../../format.ts'
import { useLanguage, useWords } from '../../../language.ts'
import { Data, Short, Time } from '../../data.tsx'
import { Shown, useJson } from '../../load.tsx'
import { Link, useRouter } from '../../router.tsx'
import { TableScroll } from '../../table-scroll.tsx'
import type { EntryDetail } from './answers.ts'
import { EntryState } from './state.tsx'

const words = {
  title: { en: 'Batch', zh: '批次' },
  close: { en: 'Close', zh: '关闭' },
  entry: { en: 'Ledger entry', zh: '账本条目' },
  state: { en: 'State', zh: '状态' },
  reason: { en: 'What was found', zh: '发现的问题' },
  publisher: { en: 'Publisher', zh: '发布者' },
  sequence: { en: 'Number of the publisher', zh: '发布者批次号' },
  records: { en: 'Records', zh: '记录数' },
  period: { en: 'Time of the records', zh: '记录时间' },
  recordsRoot: { en: 'Root of the records', zh: '记录树根' },
  indexRoot: { en: 'Root of the index', zh: '索引树根' },
  buckets: { en: 'Buckets of the index', zh: '索引桶数' },
  block: { en: 'Block', zh: '区块' },
  blockHash: { en: 'Hash of the block', zh: '区块哈希' },
  transaction: { en: 'Transaction', zh: '交易' },
  submissions: { en: 'Submissions', zh: '提交' },
  noSubmissions: { en: 'Shown once the batch is verified.', zh: '批次核验后显示。' },
  more: {
    en: (count: string) => `and ${count} more`,
    zh: (count: string) => `另有 ${count} 次提交`,
  },
  source: { en: 'Source', zh: '来源' },
  number: { en: 'Number', zh: '编号' },
  signer: { en: 'Signed by', zh: '签名方' },
  unsigned: { en: 'not signed', zh: '未签名' },
  explore: { en: 'Search the time of this batch', zh: '检索该批次所在时段' },
} as const

/** One entry of the ledger, which the URL names as `batch`: publisher and number, with a slash between. */
export function BatchDialog({ batch }: { batch: string }) {
  const say = useWords(words)
  const { search, go } = useRouter()
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  const [publisher = '', sequence = ''] = batch.split('/')
  const loaded = useJson<EntryDetail>(
    `/v1/batches/${encodeURIComponent(publisher)}/${encodeURIComponent(sequence || '-')}`,
  )
  const closed = () => {
    const left = new URLSearchParams(search)
    left.delete('batch')
    go(left.size === 0 ? '/ledger' : `/ledger?${left}`)
  }
  return (
    <dialog ref={dialog} class="batch" aria-label={say.title} onClose={closed}>
      <div class="head">
        <h2>{say.title}</h2>
        <button type="button" onClick={() => dialog.current?.close()}>
          {say.close}
        </button>
      </div>
      <Shown of={loaded}>{(entry) => <Detail entry={entry} />}</Shown>
    </dialog>
  )
}

function Detail({ entry }: { entry: EntryDetail }) {
  const say = useWords(words)
  const language = useLanguage()
  const { batch, anchor } = entry
  const show = (value: string | number) => showCount(BigInt(value), language)
  const facts: [name: string, value: preact.ComponentChildren][] = [
    [say.entry, show(anchor.ledgerIndex)],
    [say.state, <EntryState key="state" entry={entry} />],
    ...(entry.reason === undefined
      ? []
      : [[say.reason, <Data key="reason" of={entry.reason} />] satisfies [string, preact.JSX.Element]]),
    [say.publisher, <Hash key="publisher" of={batch.publisher} />],
    [say.sequence, show(batch.sequence)],
    [say.records, show(batch.recordCount)],
    [
      say.period,
      <>
        <Time of={Number(batch.firstTime)} /> – <Time of={Number(batch.lastTime)} />
      </>,
    ],
    [say.recordsRoot, <Hash key="records" of={batch.recordsRoot} />],
    [say.indexRoot, <Hash key="index" of={batch.indexRoot} />],
    [say.buckets, show(batch.indexSize)],
    [say.block, show(anchor.blockNumber)],
    [say.blockHash, <Hash key="block" of={anchor.blockHash} />],
    [say.transaction, <Hash key="transaction" of={anchor.transactionHash} />],
  ]
  return (
    <>
      <dl>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt class="soft">{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p>
        <Link to={`/explore?from=${dayOf(batch.firstTime)}&to=${dayOf(batch.lastTime)}`}>{say.explore}</Link>
      </p>
      <h3>{say.submissions}</h3>
      {entry.submissions.length === 0 ? (
        <p class="soft">{say.noSubmissions}</p>
      ) : (
        <Submissions entry={entry} />
      )}
    </>
  )
}

function Submissions({ entry: { submissions, submissionCount } }: { entry: EntryDetail }) {
  const say = useWords(words)
  const language = useLanguage()
  const more = submissionCount - submissions.length
  return (
    <TableScroll label={say.submissions}>
      <table>
        <caption class="visually-hidden">{say.submissions}</caption>
        <thead>
          <tr>
            <th scope="col">{say.source}</th>
            <th scope="col" class="number">
              {say.number}
            </th>
            <th scope="col" class="number">
              {say.records}
            </th>
            <th scope="col">{say.signer}</th>
          </tr>
        </thead>
        <tbody>
          {submissions.map(({ source, sequence, first, count, signer }) => (
            <tr key={first}>
              <th scope="row">
                <Data of={source} />
              </th>
              <td class="number">{showCount(BigInt(sequence), language)}</td>
              <td class="number">{showCount(count, language)}</td>
              <td>
                {signer === undefined ? <span class="soft">{say.unsigned}</span> : <Short of={signer} />}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {more > 0 && <p class="soft">{say.more(showCount(more, language))}</p>}
    </TableScroll>
  )
}

const Hash = ({ of: hex }: { of: string }) => (
  <code class="mono" translate={false}>
    {hex}
  </code>
)

/** The reader's own day, as the fields of a search have it. */
function dayOf(timeMs: string): string {
  const time = new Date(Number(timeMs))
  const two = (part: number) => String(part).padStart(2, '0')
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`
}
