import type { ComponentChildren } from 'preact'
import { ALWAYS, type HistoryQuestion } from '../../proof/index.ts'
import type { FlowRecord } from '../../record/index.ts'
import type {
  KeptPromise,
  VerifiedAnchor,
  VerifiedAuthorization,
  VerifiedHistory,
  VerifiedProof,
} from '../../verify/index.ts'
import { showCount } from '../format.ts'
import { useLanguage, useWords } from '../language.ts'
import type { Facts } from './checked.ts'
import type { Claims } from './claims.ts'
import { Address, Rows, Time } from './rows.tsx'
import { factWords, KEY_WORDS, SHARING_WORDS } from './words.ts'

type Row = readonly [string, ComponentChildren] | undefined

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

function useRecordRows() {
  const say = useWords(factWords)
  return ({ id, source, type, time, subject, data }: FlowRecord): Row[] => [
    [
      say.record,
      <span class="verdict-name" translate={false}>
        {id}
      </span>,
    ],
    [
      say.source,
      <span class="verdict-name" translate={false}>
        {source}
      </span>,
    ],
    [say.type, <code translate={false}>{type}</code>],
    [say.time, <Time ms={Date.parse(time)} />],
    subject === undefined
      ? undefined
      : [
          say.resource,
          <span class="verdict-name" translate={false}>
            {subject}
          </span>,
        ],
    typeof data.consumer === 'string'
      ? [say.consumer, <span translate={false}>{data.consumer}</span>]
      : undefined,
    typeof data.provider === 'string'
      ? [say.provider, <span translate={false}>{data.provider}</span>]
      : undefined,
    typeof data.purpose === 'string'
      ? [say.purpose, <span translate={false}>{data.purpose}</span>]
      : undefined,
  ]
}

function useQuestionRows() {
  const say = useWords(factWords)
  const language = useLanguage()
  return ({ key, period }: HistoryQuestion): Row[] => [
    [
      say.key,
      <>
        {KEY_WORDS[key.name][language]}: <span translate={false}>{key.value.replace('\0', ' ')}</span>
      </>,
    ],
    [
      say.period,
      period.from === ALWAYS.from && period.to === ALWAYS.to ? (
        say.always
      ) : (
        <>
          {say.from} <Time ms={period.from} /> {say.until} <Time ms={period.to} />
        </>
      ),
    ],
  ]
}

function usePromiseRows() {
  const say = useWords(factWords)
  return ({ source, sequence, size, publisher, receivedAt, anchorBy }: KeptPromise['receipt']): Row[] => [
    [
      say.submission,
      <>
        {say.submissionOf(sequence)} <span translate={false}>{source}</span>
      </>,
    ],
    [say.count, say.records(size)],
    [say.signedBy, <Address of={publisher} />],
    [say.taken, <Time ms={receivedAt} />],
    [say.promised, <Time ms={anchorBy} />],
  ]
}

function useAnchorRows() {
  const say = useWords(factWords)
  const language = useLanguage()
  return (
    {
      header,
      anchor,
      blockTime,
      finalBlock,
    }: Omit<VerifiedAnchor, 'header' | 'logIndex'> & Partial<Pick<VerifiedAnchor, 'header'>>,
    logIndex?: bigint,
  ): Row[] => [
    header === undefined
      ? undefined
      : [
          say.batch,
          <>
            {say.batchOf(header.sequence, showCount(header.recordCount, language))}{' '}
            <Address of={header.publisher} />
          </>,
        ],
    [
      say.ledger,
      <>
        {logIndex === undefined ? say.ledgerOn(anchor.chainId) : say.entryOn(logIndex, anchor.chainId)}{' '}
        <Address of={anchor.ledger} />
      </>,
    ],
    [
      say.anchored,
      <>
        {say.inBlock(anchor.blockNumber)}, <Time seconds={blockTime} />{' '}
        <code translate={false}>{anchor.blockHash}</code>
      </>,
    ],
    [say.final, say.inBlock(finalBlock)],
  ]
}

function useAuthorizationRows() {
  const say = useWords(factWords)
  const language = useLanguage()
  return (shown: VerifiedAuthorization): Row[] => {
    const { grant, grantId, consent, resource, registeredAt, replacedAt, revokedAt, asOf } = shown
    return [
      [
        say.consent,
        <>
          <Address of={grant.subject} />{' '}
          {{ key: say.byKey, account: say.byAccount, given: say.given }[consent]}
        </>,
      ],
      [
        say.validity,
        <>
          {say.from} <Time seconds={grant.notBefore} /> {say.until} <Time seconds={grant.notAfter} />
          {grant.maxCalls > 0 && <> {say.mostCalls(showCount(grant.maxCalls, language))}</>}
        </>,
      ],
      [say.grantId, <code translate={false}>{grantId}</code>],
      [
        say.withdrawal,
        <>
          {revokedAt === 0n ? (
            say.notWithdrawn
          ) : (
            <>
              {say.withdrawnAfter} <Time seconds={revokedAt} />
            </>
          )}{' '}
          {say.asOf(asOf.number)}, <Time seconds={asOf.timestamp} />
        </>,
      ],
      [
        say.registered,
        <>
          {say.version(resource.version, SHARING_WORDS[resource.sharing][language], resource.level)}{' '}
          {say.from} <Time seconds={registeredAt} />
          {replacedAt !== undefined && (
            <>
              {' '}
              {say.until} <Time seconds={replacedAt} />
            </>
          )}
        </>,
      ],
    ]
  }
}
