import { VerificationError } from '../errors.ts'
import type { Language } from '../rules/rule.ts'
import { refusalWords, type VerifiedAuthorization, type VerifiedProof } from '../verify/index.ts'
import { row, sayIn, showSeconds } from './verify-rows.ts'
import { anchoredRow, ledgerRow, type Trusted, trustedRows, unpinnedLedger } from './verify-trust.ts'

/** A refusal in plain words, followed by its exact reason. */
export function inWords(error: VerificationError, lang: Language): VerificationError {
  const { code, step, message, cause } = error
  const words = refusalWords(error)
  const text = words === undefined ? message : `${words[lang]}\n  ${message}`
  return new VerificationError(code, text, { cause, ...(step !== undefined && { step }) })
}

export interface Asked extends Trusted {
  crossCheck: boolean
}

/** What has been proven, in plain words, and who was trusted for it. */
export function describeProof(verified: VerifiedProof, asked: Asked): string {
  const { record, header, anchor, closedMembers, authorization } = verified
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
    ledgerRow(verified, asked),
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
