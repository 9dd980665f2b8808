import type { FlowRecord } from '../../../../record/index.ts'
import { useLanguage, useWords } from '../../../language.ts'
import type { Responsibility } from '../../answers.ts'
import { Data, Short, Time } from '../../data.tsx'
import { Shown, useJson } from '../../load.tsx'
import { MEMBER_WORDS, VALUE_WORDS } from '../../record-words.ts'
import { Link } from '../../router.tsx'
import { ABOUT } from '../alerts/words.ts'
import { recordUrl } from './query.ts'

const words = {
  title: { en: 'Who answers for it', zh: '责任归属' },
  both: { en: 'Both sides recorded this call.', zh: '双方都记录了此次调用。' },
  one: {
    en: (side: string) => `Only ${side} recorded this call so far.`,
    zh: (side: string) => `目前只有${side}记录了此次调用。`,
  },
  differ: { en: 'The two sides do not agree on:', zh: '双方记录不一致之处：' },
  record: { en: 'record', zh: '记录' },
  of: { en: (side: string) => `Of ${side}:`, zh: (side: string) => `${side}：` },
  signed: { en: 'signed with the key', zh: '签名密钥' },
  token: { en: 'handed over under a token of the source', zh: '凭来源的令牌提交' },
  open: { en: 'handed over without a signature or a token', zh: '提交时无签名、无令牌' },
  alert: { en: 'alert:', zh: '告警：' },
  grant: { en: 'Under grant', zh: '依据授权' },
  noGrantRecord: { en: 'which no record of the ledger gives', zh: '账本中没有该授权的记录' },
  given: { en: 'given', zh: '授予时间' },
  withdrawn: { en: 'withdrawn', zh: '撤回时间' },
  before: { en: 'before this call', zh: '早于此次调用' },
  after: { en: 'after this call, which stays lawful', zh: '晚于此次调用，此次调用仍属合法' },
} as const

/** Both sides of a call, who brought their records, under which grant, and what rules they broke. */
export function Account({ of: { source, id } }: { of: FlowRecord }) {
  const say = useWords(words)
  const loaded = useJson<Responsibility>(`/v1/responsibility?${new URLSearchParams({ source, id })}`)
  return (
    <section class="card">
      <h2>{say.title}</h2>
      <Shown of={loaded}>{(found) => <Told of={found} />}</Shown>
    </section>
  )
}

function Told({ of: { kept, accounts, grant } }: { of: Responsibility }) {
  const say = useWords(words)
  const language = useLanguage()
  const sideOf = (side: string) => VALUE_WORDS.side?.[side]?.[language] ?? side
  const [only] = kept.by
  return (
    <>
      <p>{kept.by.length > 1 || only === undefined ? say.both : say.one(sideOf(only))}</p>
      {kept.disagreements.length > 0 && (
        <p class="bad">
          {say.differ}{' '}
          {kept.disagreements
            .map(({ member }) => MEMBER_WORDS[member]?.[language] ?? member)
            .join(language === 'zh' ? '、' : ', ')}
        </p>
      )}
      <ul class="accounts">
        {accounts.map(({ side, record, submission, brokenRules }) => (
          <li key={`${record.source} ${record.id}`}>
            {say.of(sideOf(side))}{' '}
            <Link to={recordUrl(record)}>
              {say.record} <Data of={record.id} />
            </Link>{' '}
            <Brought by={submission} />
            {brokenRules.map(({ rule, alertId }) => (
              <p key={alertId} class="bad">
                {say.alert}{' '}
                <Link to={`/alerts?${new URLSearchParams({ rule })}`}>
                  {ABOUT.find(([name]) => name === rule)?.[1][language] ?? <Data of={rule} />}
                </Link>
              </p>
            ))}
          </li>
        ))}
      </ul>
      {grant !== null && (
        <p>
          {say.grant} <Short of={grant.authorization} />{' '}
          {grant.given === null ? (
            say.noGrantRecord
          ) : (
            <>
              ({say.given} <Time of={grant.given.givenAt} />){' '}
            </>
          )}
          {grant.revocation !== null && (
            <>
              {say.withdrawn} <Time of={grant.revocation.effectiveAt} />{' '}
              {grant.revocation.isBeforeCall ? <strong class="bad">{say.before}</strong> : say.after}
            </>
          )}
        </p>
      )}
    </>
  )
}

function Brought({ by }: { by: Responsibility['accounts'][number]['submission'] }) {
  const say = useWords(words)
  if (by === null) return null
  if (by.by !== 'signed') return <span class="soft">{by.by === 'token' ? say.token : say.open}</span>
  return (
    <span class="soft">
      {say.signed} {typeof by.signer === 'string' && <Short of={by.signer} />}
    </span>
  )
}
