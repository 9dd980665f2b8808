import { type VerificationCode, VerificationError } from '../errors.ts'
import type { Language } from '../rules/rule.ts'
import type { VerifiedAuthorization, VerifiedProof } from '../verify/index.ts'
import { row, sayIn, showSeconds } from './verify-rows.ts'
import { anchoredRow, type Trusted, trustedRows, unpinnedLedger } from './verify-trust.ts'

/** What a person is told, in both languages. */
type Words = Readonly<Record<Language, string>>

/** What it means that a step of a proof or a history refused. */
const REFUSED: Readonly<Record<string, Words>> = {
  read: {
    en: 'A part of the bundle is missing, unknown or damaged.',
    zh: '证明有部分缺失、多余或已损坏。',
  },
  record: {
    en: 'What is disclosed does not belong to this record.',
    zh: '所披露的内容不属于该记录。',
  },
  batch: {
    en: 'The batch does not hold this record: one of the two is another than was sealed.',
    zh: '该批次中没有这条记录：记录或批次与封存时不同。',
  },
  batches: {
    en: 'The batches do not hold what the history shows, or more than it shows.',
    zh: '各批次中的内容与该历史所列不符，或多于所列。',
  },
  anchor: {
    en: 'The chain does not hold this batch as the bundle says.',
    zh: '链上并没有证明所称的这一批次。',
  },
  log: {
    en: 'The batch does not have the place in the ledger that the bundle names.',
    zh: '该批次在账本中的位置与证明所称不符。',
  },
  'cross-check': {
    en: 'A second implementation comes to another result.',
    zh: '另一套独立实现得出了不同的结果。',
  },
  grant: {
    en: 'The call is not one that this grant allows.',
    zh: '此项授权不允许该调用。',
  },
  signature: {
    en: 'It is not shown that the person concerned gave this consent before the call.',
    zh: '未能证明当事人在调用之前作出了此项授权。',
  },
  registry: {
    en: 'The registry did not have the resource so at the time of the call, or did not allow the call.',
    zh: '调用时该资源在登记处的登记并非如此，或不允许该调用。',
  },
  evidence: {
    en: 'The evidence does not show what it is there to show, or not of this chain.',
    zh: '所附证据未能证明其应证明的内容，或不属于该链。',
  },
  revocation: {
    en: 'What the proof says of a withdrawal is not what the chain says.',
    zh: '证明关于撤回的说法与链上不符。',
  },
}

/** Where the code says more than the step. */
const REFUSED_WITH: Readonly<Partial<Record<VerificationCode, Words>>> = {
  REVOKED: {
    en: 'The consent had been withdrawn before the call.',
    zh: '调用之前，授权已被撤回。',
  },
  PROHIBITED: {
    en: 'The resource was not to be shared at all.',
    zh: '该资源属于不予共享类。',
  },
  WRONG_LEDGER: {
    en: 'The bundle is of another ledger than the one you named.',
    zh: '该证明属于另一账本，而非您指定的账本。',
  },
  WRONG_CHAIN: {
    en: 'The bundle is of another chain than the one you asked.',
    zh: '该证明属于另一条链，而非您查询的链。',
  },
  WRONG_AUTHORIZATIONS: {
    en: 'The consent is one for another contract than the one you named.',
    zh: '该授权属于另一合约，而非您指定的合约。',
  },
}

/** A refusal in plain words, followed by its exact reason. */
export function inWords(
  { code, step, message, cause }: VerificationError,
  lang: Language,
): VerificationError {
  const words = REFUSED_WITH[code] ?? REFUSED[step ?? '']
  const text = words === undefined ? message : `${words[lang]}\n  ${message}`
  return new VerificationError(code, text, { cause, ...(step !== undefined && { step }) })
}

export interface Asked extends Trusted {
  crossCheck: boolean
}

/** What has been proven, in plain words, and who was trusted for it. */
export function describeProof(verified: VerifiedProof, asked: Asked): string {
  const { record, header, anchor, logIndex, closedMembers, authorization } = verified
  const say = sayIn(asked.lang)
  const lines = [
    say('VERIFIED', '验证通过'),
    row(say('record', '记录'), say(`${record.id} of ${record.source}`, `${record.source} 的 ${record.id}`)),
    row(
      '',
      `${say(`${record.type} at ${record.time}`, `${record.type}，${record.time}`)}${closedMembers > 0 ? say(`, ${closedMembers} of its members kept closed`, `，其中 ${closedMembers} 项未披露`) : ''}`,
    ),
    ...(authorization === undefined ? [] : describeAuthorization(verified, authorization, asked.lang)),
    row(
      say('batch', '批次'),
      say(
        `${header.sequence} of publisher ${header.publisher}, ${header.recordCount} records`,
        `发布者 ${header.publisher} 的第 ${header.sequence} 批，${header.recordCount} 条记录`,
      ),
    ),
    row(
      say('ledger', '账本'),
      say(
        `entry ${logIndex} of ${anchor.ledger} on chain ${anchor.chainId}`,
        `链 ${anchor.chainId} 上 ${anchor.ledger} 的第 ${logIndex} 项`,
      ),
    ),
    anchoredRow(verified, asked),
    asked.crossCheck
      ? row(
          say('checked', '复核'),
          say(
            'by Tidemark and, for both roots, by merkletreejs',
            '由 Tidemark 验证，两个根另由 merkletreejs 复核',
          ),
        )
      : undefined,
    ...trustedRows(anchor.chainId, unpinned(verified, asked), asked),
  ]
  return `${lines.filter((line) => line !== undefined).join('\n')}\n`
}

function unpinned({ anchor, authorization }: VerifiedProof, asked: Asked): string[] {
  const { ledger, authorizations, registry, isOffline } = asked
  const say = sayIn(asked.lang)
  const pins = [unpinnedLedger(anchor.ledger, ledger, asked.lang)]
  if (authorization !== undefined && authorizations === undefined) {
    pins.push(
      say(
        `that ${authorization.contract} decides on grants: pin it with --authorizations`,
        `${authorization.contract} 即为授权合约：可用 --authorizations 指定`,
      ),
    )
  }
  // A node tells which registry they rest on; of evidence, it is believed.
  if (authorization !== undefined && isOffline && registry === undefined) {
    pins.push(
      say(
        `that those grants rest on registry ${authorization.resource.registry}: pin it with --registry`,
        `上述授权以登记处 ${authorization.resource.registry} 为准：可用 --registry 指定`,
      ),
    )
  }
  return pins.filter((pin) => pin !== undefined)
}

function describeAuthorization(
  { record, blockTime }: VerifiedProof,
  authorization: VerifiedAuthorization,
  lang: Language,
): string[] {
  const { grant, grantId, consent, resource, registeredAt, replacedAt, revokedAt, asOf } = authorization
  const say = sayIn(lang)
  const { consumer, provider, purpose, outcome } = record.data
  const how = {
    key: say('signed with its key', '由其密钥签署'),
    account: say('signed by its account as it is now', '由其合约账户确认（以现状为准）'),
    given: say('given on the chain', '在链上作出'),
  }[consent]
  const most =
    grant.maxCalls === 0 ? '' : say(`, for ${grant.maxCalls} calls at most`, `，最多 ${grant.maxCalls} 次`)
  const until =
    replacedAt === undefined
      ? ''
      : say(` until ${showSeconds(replacedAt)}`, `，至 ${showSeconds(replacedAt)}`)
  const block = say(
    `as of block ${asOf.number} at ${showSeconds(asOf.timestamp)}`,
    `截至区块 ${asOf.number}（${showSeconds(asOf.timestamp)}）`,
  )
  return [
    row(
      say('call', '调用'),
      say(
        `${consumer} called ${record.subject} of ${provider}${purpose === undefined ? '' : ` for ${purpose}`}: ${outcome}`,
        `${consumer} 调用了 ${provider} 的 ${record.subject}${purpose === undefined ? '' : `，用途为 ${purpose}`}：${outcome === 'success' ? '成功' : '失败'}`,
      ),
    ),
    row(
      '',
      say(
        `at the time above by its source's word, and not after ${showSeconds(blockTime)}`,
        `时间为上述来源所称，且不晚于 ${showSeconds(blockTime)}`,
      ),
    ),
    row(say('consent', '授权'), say(`of ${grant.subject}, ${how}`, `授权人 ${grant.subject}，${how}`)),
    row(
      '',
      say(
        `from ${showSeconds(grant.notBefore)} to ${showSeconds(grant.notAfter)}, for this consumer, resource and purpose${most}`,
        `自 ${showSeconds(grant.notBefore)} 至 ${showSeconds(grant.notAfter)}，限此使用方、资源与用途${most}`,
      ),
    ),
    row('', say(`grant ${grantId}`, `授权编号 ${grantId}`)),
    row(
      '',
      revokedAt === 0n
        ? say(`not withdrawn ${block}`, `${block}未被撤回`)
        : say(
            `withdrawn at ${showSeconds(revokedAt)}, after the call, which stays lawful (${block})`,
            `已于 ${showSeconds(revokedAt)} 撤回，在调用之后，该调用仍属合法（${block}）`,
          ),
    ),
    row(
      say('registry', '登记'),
      say(
        `version ${resource.version} of the resource in ${resource.registry}: ${resource.sharing}, level ${resource.level}`,
        `${resource.registry} 中该资源的第 ${resource.version} 版：${SHARED[resource.sharing]}，${resource.level} 级`,
      ),
    ),
    row(
      '',
      say(
        `in force from ${showSeconds(registeredAt)}${until}`,
        `自 ${showSeconds(registeredAt)} 起有效${until}`,
      ),
    ),
    row(
      say('not shown', '未证明'),
      say(
        'when the grant was signed, that it was not paused or used up, that no breaker was tripped',
        '授权何时签署、是否曾被暂停或用尽、熔断是否曾触发',
      ),
    ),
  ]
}

const SHARED = {
  none: '未登记',
  unconditional: '无条件共享',
  conditional: '有条件共享',
  prohibited: '不予共享',
}
