import { useEffect, useState } from 'preact/hooks'
import { isRecordType, openRecord, RECORD_TYPES } from '../../../../record/index.ts'
import { useWords } from '../../../language.ts'
import type { FoundRecord, LedgerNames, RecordsPage } from '../../answers.ts'
import { Shown, useJson } from '../../load.tsx'
import { Link } from '../../router.tsx'
import { useSession } from '../../session.tsx'
import { Account } from './account.tsx'
import { Members } from './members.tsx'
import { Proof } from './proof.tsx'
import { Way } from './way.tsx'

const words = {
  another: { en: 'New search', zh: '重新检索' },
  says: { en: 'What it says', zh: '记录内容' },
  absent: {
    en: 'No verified batch of the ledger holds this record. If it was handed over a moment ago, it will be here in a moment.',
    zh: '账本中没有已核验的批次包含此记录。如刚刚提交，请稍候。',
  },
  look: { en: 'Look again', zh: '再次查找' },
  twice: {
    en: 'The source has used this number more than once. The first record is shown, which is the one that is proven.',
    zh: '来源多次使用了同一编号。此处显示最早的一条，证明也以其为准。',
  },
} as const

/** A record is asked for again while its block is not final. */
const AGAIN_MS = 2_000

/** All about one record: what it says, its way into the ledger, who answers for it, and its proof. */
export function RecordPage({ source, id }: { source: string; id: string }) {
  const say = useWords(words)
  const { reader } = useSession()
  const [turn, setTurn] = useState(0)
  const query = new URLSearchParams({ source, id })
  if (reader.role === 'auditor') query.set('disclose', PSEUDONYMS)
  const found = useJson<RecordsPage>(`/v1/records?${query}`, turn)
  const ledger = useJson<LedgerNames>('/v1/ledger', turn)
  const isSettled = found.state === 'there' && found.value.records.every(({ final }) => final)
  useEffect(() => {
    if (found.state !== 'there' || isSettled) return
    const timer = setTimeout(() => setTurn((count) => count + 1), AGAIN_MS)
    return () => clearTimeout(timer)
  }, [found, isSettled])

  return (
    <>
      <p>
        <Link to="/explore">{say.another}</Link>
      </p>
      {found.state === 'failed' && found.problem.code === 'NOT_FOUND' ? (
        <div class="card" role="status">
          <p>{say.absent}</p>
          <button type="button" onClick={found.again}>
            {say.look}
          </button>
        </div>
      ) : (
        <Shown of={found}>
          {({ records }) => {
            const first = records.at(-1)
            return (
              first !== undefined && (
                <>
                  {records.length > 1 && <p class="card warn">{say.twice}</p>}
                  <About found={first} ledger={ledger} />
                </>
              )
            )
          }}
        </Shown>
      )}
    </>
  )
}

const PSEUDONYMS = [
  ...new Set(Object.values(RECORD_TYPES).flatMap((type) => Object.keys(type.pseudonyms))),
].join(',')

function About({ found, ledger }: { found: FoundRecord; ledger: ReturnType<typeof useJson<LedgerNames>> }) {
  const say = useWords(words)
  const { record, disclosures = [] } = found
  const opened = openRecord(record, disclosures)
  const names = new Set(Object.keys(opened.data).filter((name) => !Object.hasOwn(record.data, name)))
  const isCall = record.type === 'tidemark.call.v1' || record.type === 'tidemark.refusal.v1'
  return (
    <>
      <section class="card">
        <h2>{say.says}</h2>
        <Members record={{ ...record, data: { ...opened.data, ...record.data } }} opened={names} />
      </section>
      <Way of={found} finalBlock={ledger.state === 'there' ? ledger.value.finalBlock : undefined} />
      {isRecordType(record.type) && isCall && <Account of={record} />}
      <Shown of={ledger}>{(value) => <Proof of={found} ledger={value} />}</Shown>
    </>
  )
}
