import type { ComponentChildren } from 'preact'
import { showCount } from '../../../format.ts'
import { useLanguage, useWords } from '../../../language.ts'
import type { FoundRecord } from '../../answers.ts'
import { Short, Time } from '../../data.tsx'

const words = {
  way: { en: 'Its way into the ledger', zh: '入账流程' },
  done: { en: 'done', zh: '已完成' },
  waiting: { en: 'waiting', zh: '等待中' },
  happened: { en: 'It happened', zh: '事件发生' },
  byWord: { en: 'by the word of its source', zh: '时间由来源提供' },
  accepted: { en: 'Accepted', zh: '受理' },
  submission: {
    en: (sequence: string) => `submission ${sequence} of its source`,
    zh: (sequence: string) => `该来源的第 ${sequence} 次提交`,
  },
  signed: { en: 'signed by the source', zh: '由来源签名' },
  unsigned: { en: 'not signed by the source: its gateway vouches for it', zh: '来源未签名，由网关担保' },
  sealed: { en: 'Sealed', zh: '封存' },
  batch: {
    en: (sequence: string, position: string) => `record ${position} of batch ${sequence} of publisher`,
    zh: (sequence: string, position: string) => `第 ${sequence} 批的第 ${position} 条，发布者`,
  },
  anchored: { en: 'Written to the chain', zh: '上链' },
  block: { en: (block: string) => `block ${block}`, zh: (block: string) => `区块 ${block}` },
  transaction: { en: 'transaction', zh: '交易' },
  entry: {
    en: (entry: string) => `entry ${entry} of the ledger`,
    zh: (entry: string) => `账本第 ${entry} 项`,
  },
  final: { en: 'Final', zh: '最终确认' },
  finalUpTo: {
    en: (block: string) => `blocks up to ${block} cannot be taken back any more`,
    zh: (block: string) => `区块 ${block} 及之前的内容已不可回退`,
  },
  notFinal: {
    en: 'the block could still be replaced: this page looks again by itself',
    zh: '该区块仍可能被替换，本页会自动刷新',
  },
  provable: { en: 'Provable to anyone', zh: '可向任何人证明' },
} as const

interface Step {
  name: string
  isDone: boolean
  told: ComponentChildren
}

/** The steps of a record from what happened to what can be proven, each with its time where one is known. */
export function Way({ of, finalBlock }: { of: FoundRecord; finalBlock: string | undefined }) {
  const say = useWords(words)
  const language = useLanguage()
  const { record, submission, batch, anchor, final } = of
  const number = (text: string) => showCount(BigInt(text), language)
  const comma = language === 'zh' ? '，' : ', '
  const steps: Step[] = [
    {
      name: say.happened,
      isDone: true,
      told: (
        <>
          <Time of={record.time} />
          {comma}
          {say.byWord}
        </>
      ),
    },
    {
      name: say.accepted,
      isDone: true,
      told: submission !== undefined && (
        <>
          <Time of={Number(submission.receivedAt)} />
          {comma}
          {say.submission(submission.sequence)}
          {comma}
          {submission.signed ? say.signed : say.unsigned}
        </>
      ),
    },
    {
      name: say.sealed,
      isDone: true,
      told: (
        <>
          {say.batch(batch.sequence, String(batch.position))} <Short of={batch.publisher} />
        </>
      ),
    },
    {
      name: say.anchored,
      isDone: true,
      told: (
        <>
          {say.block(number(anchor.blockNumber))} <Short of={anchor.blockHash} />
          {comma}
          {say.transaction} <Short of={anchor.transactionHash} />
          {comma}
          {say.entry(number(anchor.ledgerIndex))}
        </>
      ),
    },
    {
      name: say.final,
      isDone: final,
      told: final ? finalBlock !== undefined && say.finalUpTo(number(finalBlock)) : say.notFinal,
    },
    { name: say.provable, isDone: final, told: undefined },
  ]
  return (
    <section class="card">
      <h2>{say.way}</h2>
      <ol class="way">
        {steps.map(({ name, isDone, told }) => (
          <li key={name} data-done={isDone}>
            <strong>{name}</strong>{' '}
            <span class={isDone ? 'good' : 'warn'}>({isDone ? say.done : say.waiting})</span>
            <div class="soft">{told}</div>
          </li>
        ))}
      </ol>
    </section>
  )
}
