import type { FlowRecord } from '../../record/index.ts'
import type { VerifiedHistory, VerifiedProof } from '../../verify/index.ts'
import { showCount } from '../format.ts'
import { useLanguage, useWords } from '../language.ts'
import type { Facts } from './checked.ts'
import type { Claims } from './claims.ts'
import {
  type Row,
  useAnchorRows,
  useAuthorizationRows,
  usePromiseRows,
  useQuestionRows,
  useRecordRows,
} from './fact-rows.tsx'
import { Rows, Time } from './rows.tsx'
import { factWords } from './words.ts'

/** What is proven. */
export function FactList({ of: facts }: { of: Facts }) {
  const say = useWords(factWords)
  const anchored = useAnchorRows()
  const promise = usePromiseRows()
  switch (facts.kind) {
    case 'proof':
      return <ProofFacts of={facts.verified} />
    case 'history':
      return <HistoryFacts of={facts.verified} />
    case 'submission':
      return (
        <Rows
          of={[
            [say.submission, say.records(facts.verified.size)],
            ...anchored(facts.verified, facts.verified.logIndex),
          ]}
        />
      )
    case 'receipt':
      return (
        <Rows
          of={[
            ...promise(facts.verified.receipt),
            ...anchored(facts.verified.submission, facts.verified.submission.logIndex),
          ]}
        />
      )
  }
}

/** What a file says, of which nothing is proven. */
export function ClaimList({ of: claims }: { of: Claims }) {
  const record = useRecordRows()
  const question = useQuestionRows()
  const promise = usePromiseRows()
  switch (claims.kind) {
    case 'proof':
      return (
        <>
          <Rows of={record(claims.record)} />
          <Whole of={claims.record} />
        </>
      )
    case 'history':
      return <Rows of={question(claims)} />
    case 'receipt':
      return <Rows of={promise(claims.receipt)} />
  }
}

function ProofFacts({ of: proof }: { of: VerifiedProof }) {
  const say = useWords(factWords)
  const record = useRecordRows()
  const authorization = useAuthorizationRows()
  const anchored = useAnchorRows()
  return (
    <>
      <Rows
        of={[
          ...record(proof.record),
          proof.closedMembers === 0 ? undefined : [say.closed, say.closedMembers(proof.closedMembers)],
          ...(proof.authorization === undefined ? [] : authorization(proof.authorization)),
          ...anchored(proof, proof.logIndex),
        ]}
      />
      <Whole of={proof.record} />
    </>
  )
}

/** How many records are shown at once; the rest follows when it is asked for. */
const MOST_SHOWN = 200

function HistoryFacts({ of: history }: { of: VerifiedHistory }) {
  const say = useWords(factWords)
  const language = useLanguage()
  const question = useQuestionRows()
  const anchored = useAnchorRows()
  const { range, records, otherTimes, searched, runs } = history
  return (
    <>
      <Rows
        of={[
          ...question(history),
          [say.found, say.foundRecords(showCount(records.length, language))],
          otherTimes === 0 ? undefined : [say.otherTimes, showCount(otherTimes, language)],
          [say.entries, say.fromTo(showCount(range.from, language), showCount(range.to - 1n, language))],
          [
            say.searched,
            say.searchedOf(showCount(searched, language), showCount(range.to - range.from, language)),
          ],
          ...anchored(history),
          ...runs.map((run): Row => [say.run, <span translate={false}>{`${run.source}, ${run.id}`}</span>]),
        ]}
      />
      <ol class="verdict-records">
        {records.slice(0, MOST_SHOWN).map(({ record, ledgerIndex, position }) => (
          <li key={`${ledgerIndex}.${position}`}>
            <details>
              <summary>
                <Time ms={Date.parse(record.time)} /> <code translate={false}>{record.type}</code>{' '}
                <span class="verdict-name" translate={false}>
                  {record.id}
                </span>{' '}
                <span class="soft">{say.place(ledgerIndex, position)}</span>
              </summary>
              <pre translate={false}>{JSON.stringify(record, undefined, 2)}</pre>
            </details>
          </li>
        ))}
      </ol>
      {records.length > MOST_SHOWN && (
        <p class="soft">{say.more(showCount(records.length - MOST_SHOWN, language))}</p>
      )}
    </>
  )
}

/** What a verification of this kind leaves open. */
export function NotShown({ of: facts }: { of: Facts }) {
  const say = useWords(factWords)
  const open = {
    proof: [say.openTruth, say.openTime],
    history: [say.openTruth, say.openIndex],
    submission: [say.openTruth],
    receipt: [say.openTruth],
  }[facts.kind]
  const more = [
    ...(facts.kind === 'proof' && facts.verified.authorization !== undefined ? [say.openGrant] : []),
    ...(facts.kind === 'history' && facts.verified.runs.length > 0 ? [say.openRuns] : []),
  ]
  return (
    <ul>
      {[...open, ...more].map((text) => (
        <li key={text}>{text}</li>
      ))}
    </ul>
  )
}

const Whole = ({ of: record }: { of: FlowRecord }) => {
  const say = useWords(factWords)
  return (
    <details>
      <summary>{say.whole}</summary>
      <pre translate={false}>{JSON.stringify(record, undefined, 2)}</pre>
    </details>
  )
}
