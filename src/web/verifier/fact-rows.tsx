import type { ComponentChildren } from 'preact'
import { ALWAYS, type HistoryQuestion } from '../../proof/index.ts'
import type { FlowRecord } from '../../record/index.ts'
import type { KeptPromise, VerifiedAnchor, VerifiedAuthorization } from '../../verify/index.ts'
import { showCount } from '../format.ts'
import { useLanguage, useWords } from '../language.ts'
import { Address, Time } from './rows.tsx'
import { factWords, KEY_WORDS, SHARING_WORDS } from './words.ts'

export type Row = readonly [string, ComponentChildren] | undefined

export function useRecordRows() {
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

export function useQuestionRows() {
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

export function usePromiseRows() {
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

export function useAnchorRows() {
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

export function useAuthorizationRows() {
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
