import { showCount, showDistance } from '../../../format.ts'
import { type Language, localeOf, useLanguage, useWords } from '../../../language.ts'
import { Short, Time } from '../../data.tsx'
import { Shown, useJson } from '../../load.tsx'
import { useRouter } from '../../router.tsx'
import { TableScroll } from '../../table-scroll.tsx'
import type { Transaction } from './answers.ts'
import { Pager } from './pager.tsx'

const words = {
  title: { en: 'Transactions', zh: '交易' },
  caption: { en: 'Transactions of the publisher, newest first', zh: '发布者的交易，最新在前' },
  pages: { en: 'Pages of transactions', zh: '交易分页' },
  elsewhere: {
    en: 'This server publishes nothing; its transactions are those of other publishers.',
    zh: '本服务器不发布批次，交易由其他发布者发出。',
  },
  none: { en: 'Nothing has been sent yet.', zh: '尚未发送交易。' },
  hash: { en: 'Transaction', zh: '交易' },
  state: { en: 'State', zh: '状态' },
  sent: { en: 'Sent', zh: '发送时间' },
  batches: { en: 'Batches', zh: '批次' },
  block: { en: 'Block', zh: '区块' },
  gas: { en: 'Gas used', zh: 'gas 用量' },
  perBatch: { en: 'Gas a batch', zh: '每批 gas' },
  fee: { en: 'Fee in ETH', zh: '费用（ETH）' },
  waiting: { en: 'waiting', zh: '等待打包' },
  succeeded: { en: 'in a block', zh: '已入块' },
  reverted: { en: 'refused by the contract', zh: '被合约拒绝' },
  replaced: { en: 'replaced by another', zh: '已被替换' },
  settled: { en: 'its outcome is not known', zh: '结果未知' },
} as const

const MOODS = {
  waiting: 'warn',
  succeeded: 'good',
  reverted: 'bad',
  replaced: 'soft',
  settled: 'soft',
} as const

const PAGE = 25

/** What the publisher of this server sent to the chain, and what it cost. */
export function Transactions({ version }: { version: string }) {
  const say = useWords(words)
  const { search } = useRouter()
  const before = search.get('sent')
  const path = `/v1/transactions?limit=${PAGE}${before === null ? '' : `&before=${encodeURIComponent(before)}`}`
  const loaded = useJson<{ transactions: Transaction[]; next?: string }>(path, version)
  const isElsewhere = loaded.state === 'failed' && loaded.problem.code === 'NOT_FOUND'
  return (
    <section class="card">
      <h2>{say.title}</h2>
      {isElsewhere ? (
        <p class="soft">{say.elsewhere}</p>
      ) : (
        <Shown of={loaded}>
          {({ transactions, next }) =>
            transactions.length === 0 ? (
              <p class="soft">{say.none}</p>
            ) : (
              <>
                <Table transactions={transactions} />
                <Pager name="sent" next={next} label={say.pages} />
              </>
            )
          }
        </Shown>
      )}
    </section>
  )
}

function Table({ transactions }: { transactions: readonly Transaction[] }) {
  const say = useWords(words)
  return (
    <TableScroll label={say.caption}>
      <table>
        <caption class="visually-hidden">{say.caption}</caption>
        <thead>
          <tr>
            <th scope="col">{say.hash}</th>
            <th scope="col">{say.state}</th>
            <th scope="col">{say.sent}</th>
            {[say.batches, say.block, say.gas, say.perBatch, say.fee].map((name) => (
              <th key={name} scope="col" class="number">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {transactions.map((one) => (
            <Row key={one.hash} transaction={one} />
          ))}
        </tbody>
      </table>
    </TableScroll>
  )
}

function Row({ transaction }: { transaction: Transaction }) {
  const say = useWords(words)
  const language = useLanguage()
  const { hash, state, createdAt, batches, blockNumber, gasUsed, gasPrice } = transaction
  const show = (value: bigint | undefined) => (value === undefined ? '—' : showCount(value, language))
  const gas = gasUsed === undefined ? undefined : BigInt(gasUsed)
  return (
    <tr>
      <th scope="row">
        <Short of={hash} />
      </th>
      <td class={MOODS[state]}>
        {say[state]}
        {state === 'waiting' && (
          <span class="soft"> {showDistance(Number(createdAt), Date.now(), language)}</span>
        )}
      </td>
      <td>
        <Time of={Number(createdAt)} />
      </td>
      <td class="number">{showCount(batches, language)}</td>
      <td class="number">{show(blockNumber === undefined ? undefined : BigInt(blockNumber))}</td>
      <td class="number">{show(gas)}</td>
      <td class="number">{show(gas === undefined ? undefined : gas / BigInt(batches))}</td>
      <td class="number">
        {gas === undefined || gasPrice === undefined ? '—' : showEther(gas * BigInt(gasPrice), language)}
      </td>
    </tr>
  )
}

/** Wei as ether, with as many digits as tell something. */
const showEther = (wei: bigint, language: Language): string =>
  new Intl.NumberFormat(localeOf(language), { maximumSignificantDigits: 4 }).format(Number(wei) / 1e18)
