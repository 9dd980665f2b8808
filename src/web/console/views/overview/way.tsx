import { showCount } from '../../../format.ts'
import { useLanguage, useWords } from '../../../language.ts'
import type { OverviewState } from '../../overview-events.ts'

const words = {
  title: { en: 'The way of a record', zh: '记录的流程' },
  accepted: { en: 'Accepted', zh: '已受理' },
  acceptedIs: { en: 'records since the start', zh: '条记录（启动以来）' },
  waiting: { en: 'Waiting to be sealed', zh: '等待封存' },
  records: { en: 'records', zh: '条记录' },
  sealed: { en: 'Sealed', zh: '已封存' },
  anchored: { en: 'On the chain', zh: '已上链' },
  announced: { en: 'Waiting to be verified', zh: '等待核验' },
  verified: { en: 'Verified', zh: '已核验' },
  final: { en: 'Final', zh: '已最终确认' },
  batches: { en: 'batches', zh: '个批次' },
}

type Step = [name: string, count: number, of: string]

/** How many are at each step between a source and the end of the chain. */
export function Way({ overview: { gateway, ledger } }: { overview: OverviewState }) {
  const say = useWords(words)
  const language = useLanguage()
  const ofGateway: Step[] =
    gateway === undefined
      ? []
      : [
          [say.accepted, gateway.accepted.records, say.acceptedIs],
          [say.waiting, gateway.waiting.records, say.records],
          [say.sealed, gateway.sealed, say.batches],
        ]
  const steps: Step[] = [
    ...ofGateway,
    [say.anchored, ledger.size, say.batches],
    [say.announced, ledger.announced, say.batches],
    [say.verified, ledger.verified, say.batches],
    [say.final, ledger.final, say.batches],
  ]
  return (
    <section class="card">
      <h2>{say.title}</h2>
      <ol class="way">
        {steps.map(([name, count, of]) => (
          <li key={name}>
            <span class="soft">{name}</span> <strong>{showCount(count, language)}</strong>{' '}
            <span class="soft">{of}</span>
          </li>
        ))}
      </ol>
    </section>
  )
}
