import { useState } from 'preact/hooks'
import { grantId, nameId } from '../../../../record/index.ts'
import { showCount } from '../../../format.ts'
import { useLanguage, useWords } from '../../../language.ts'
import type { GrantStanding } from '../../answers.ts'
import { Data, Short, Time } from '../../data.tsx'
import { Shown, useJson } from '../../load.tsx'
import { useRouter } from '../../router.tsx'
import type { OwnGrant, OwnHistory } from './own-history.ts'
import { Withdraw } from './withdraw.tsx'

const words = {
  title: { en: 'What you allow', zh: '您的授权' },
  none: {
    en: 'No grant of yours is recorded in this period.',
    zh: '这一时期没有您的授权记录。',
  },
  others: {
    en: 'Grants given on other days are not listed: choose “All time” to see each.',
    zh: '其他日期作出的授权未列出，选择“全部时间”可查看全部。',
  },
  to: { en: 'may use', zh: '可使用' },
  for: { en: ' for', zh: '，用途：' },
  unnamed: { en: 'a purpose that no record names', zh: '记录中未写明名称的用途' },
  somebody: { en: 'a service that no record names', zh: '记录中未写明名称的使用方' },
  something: { en: 'data that no record names', zh: '记录中未写明名称的数据' },
  from: { en: 'From', zh: '自' },
  until: { en: 'until', zh: '至' },
  used: {
    en: (used: string, most: string) => `Uses so far: ${used}, of ${most} at most.`,
    zh: (used: string, most: string) => `已使用 ${used} 次，最多 ${most} 次。`,
  },
  usedFreely: {
    en: (used: string) => `Uses so far: ${used}, of any number.`,
    zh: (used: string) => `已使用 ${used} 次，不限次数。`,
  },
  id: { en: 'Grant', zh: '授权编号' },
  foreign: {
    en: 'This is no grant at this server’s contract: no call is allowed by it.',
    zh: '这不是本服务器所用合约上的授权，不能据此使用数据。',
  },
  withdrawn: { en: 'withdrawn', zh: '已撤回' },
  at: { en: 'at', zh: '撤回时间：' },
  paused: { en: 'paused', zh: '已暂停' },
  notYet: { en: 'not in force yet', zh: '尚未生效' },
  over: { en: 'expired', zh: '已过期' },
  usedUp: { en: 'used up', zh: '次数已用完' },
  inForce: { en: 'in force', zh: '有效' },
} as const

/** The grants of the person: their terms, whether they hold now, and a way to withdraw each. */
export function Grants({ of: own }: { of: OwnHistory }) {
  const say = useWords(words)
  const { search } = useRouter()
  return (
    <section class="card">
      <h2>{say.title}</h2>
      {own.grants.length === 0 && <p>{say.none}</p>}
      {(search.has('from') || search.has('to')) && <p class="soft">{say.others}</p>}
      <ul class="grants">
        {own.grants.map((grant) => (
          <li key={grant.id} id={`grant-${grant.id}`}>
            <Grant of={grant} own={own} />
          </li>
        ))}
      </ul>
    </section>
  )
}

function Grant({ of, own }: { of: OwnGrant; own: OwnHistory }) {
  const say = useWords(words)
  const language = useLanguage()
  const [turn, setTurn] = useState(0)
  const { grant, id } = of
  const { ledger, uses } = own
  const names = namesOf(own)
  const used = uses.filter(
    ({ authorization, outcome }) => authorization === id && outcome === 'success',
  ).length
  const standing = useJson<GrantStanding>(`/v1/grants/${id}`, turn)
  const isHere =
    ledger.authorizations !== undefined &&
    grantId({ chainId: BigInt(ledger.chainId), contract: ledger.authorizations }, grant) === id
  return (
    <>
      <h3>
        <Named of={names.get(grant.consumer)} or={say.somebody} /> {say.to}{' '}
        <Named of={names.get(grant.resource)} or={say.something} />
        {say.for} <Named of={names.get(grant.purpose)} or={say.unnamed} />
      </h3>
      <p>
        {grant.notBefore > 0n && (
          <>
            {say.from} <Time of={1_000 * Number(grant.notBefore)} />{' '}
          </>
        )}
        {say.until} <Time of={1_000 * Number(grant.notAfter)} />
      </p>
      <p>
        {grant.maxCalls === 0
          ? say.usedFreely(showCount(used, language))
          : say.used(showCount(used, language), showCount(grant.maxCalls, language))}
      </p>
      <p class="soft">
        {say.id} <Short of={id} />
      </p>
      {isHere ? (
        <Shown of={standing}>
          {(state) => (
            <>
              <State of={of} standing={state} />
              {state.revokedAt === null && (
                <Withdraw of={of} ledger={ledger} onWithdrawn={() => setTurn((count) => count + 1)} />
              )}
            </>
          )}
        </Shown>
      ) : (
        <p class="warn">{say.foreign}</p>
      )}
    </>
  )
}

const Named = ({ of, or }: { of: string | undefined; or: string }) =>
  of === undefined ? <>{or}</> : <Data of={of} />

function State({ of: { grant }, standing }: { of: OwnGrant; standing: GrantStanding }) {
  const say = useWords(words)
  const now = BigInt(Math.floor(Date.now() / 1_000))
  const { revokedAt, paused, calls } = standing
  const [state, tone] =
    revokedAt !== null
      ? [say.withdrawn, 'good']
      : paused
        ? [say.paused, 'warn']
        : now < grant.notBefore
          ? [say.notYet, 'soft']
          : now > grant.notAfter
            ? [say.over, 'soft']
            : grant.maxCalls !== 0 && BigInt(calls) >= BigInt(grant.maxCalls)
              ? [say.usedUp, 'soft']
              : [say.inForce, 'good']
  return (
    <p data-state={revokedAt === null ? 'given' : 'withdrawn'}>
      <strong class={tone}>{state}</strong>{' '}
      {revokedAt !== null && (
        <>
          {say.at} <Time of={1_000 * Number(revokedAt)} />
        </>
      )}
    </p>
  )
}

/** The names whose hashes grants have, as far as the records about the person spell them. */
function namesOf({ records, uses }: OwnHistory): Map<string, string> {
  const names = [
    ...records.flatMap(({ source, subject }) => [source, subject]),
    ...uses.flatMap(({ consumer, resource, purpose }) => [consumer, resource, purpose]),
  ].filter((name) => name !== undefined)
  return new Map([...new Set(names)].map((name) => [nameId(name), name]))
}
