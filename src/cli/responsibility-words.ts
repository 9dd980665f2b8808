import type { Language } from '../rules/rule.ts'

const EN = {
  subject: (type: string): string => (type === 'tidemark.refusal.v1' ? 'Refusal' : 'Call'),
  of: (id: string, source: string, time: string) => `${id} of ${source}, ${time}`,
  provided: 'Provided by',
  used: 'Used by',
  resource: 'Resource',
  purpose: 'Purpose',
  basis: 'Legal basis',
  outcome: 'Outcome',
  grant: 'Grant',
  records: 'Records',
  rules: 'Rules broken',
  notStated: 'not stated',
  noGrant: 'the call cites none',
  notGiven: (id: string) => `${id}: no record of the ledger gives it`,
  given: (subject: string, at: string, source: string, from: string, to: string, calls: number) =>
    `given by ${subject}, recorded ${at} by ${source}; from ${from} to ${to}, at most ${calls} calls`,
  uncovered: (what: string) => `it does not cover the ${what} of this call`,
  members: { consumer: 'consumer', resource: 'resource', purpose: 'purpose', time: 'time' },
  revoked: (at: string, isBefore: boolean) =>
    `withdrawn as of ${at}, ${isBefore ? 'before this call' : 'after this call, which stays lawful'}`,
  notRevoked: 'no record of the ledger withdraws it',
  kinds: {
    'regular pair': 'regular pair: both sides kept records, and they agree',
    'orphan pair': 'orphan pair: both sides kept records, and they disagree',
    orphan: 'orphan: one side kept a record',
    duplicate: 'duplicate: a side tells again what it told before',
  },
  silent: (side: 'consumer' | 'provider', party: string) => `${party}, the ${side}, kept none`,
  differs: (member: string, consumer: string, provider: string) =>
    `${member}: the consumer says ${consumer}, the provider ${provider}`,
  differsSealed: (member: string) => `${member}: they differ; it stays closed here`,
  sides: { consumer: 'consumer', provider: 'provider' },
  place: (batch: string, publisher: string, entry: string, block: string, isFinal: boolean) =>
    `in batch ${batch} of ${publisher}, ledger entry ${entry}, block ${block}${isFinal ? '' : ', not final yet'}`,
  signed: (signer: string) => `its submission is signed by ${signer}`,
  key: (known: boolean | null): string =>
    known === null
      ? 'whose key that is, this server does not know'
      : known
        ? 'a key of the source at that time'
        : 'NOT a key that the source had here at that time',
  unknownSigner: 'its submission is signed; the signer is not known here',
  token: 'its submission came under a token of the source',
  open: 'its submission came without signature and token',
  unsigned: 'its submission is not signed; the gateway that took it vouches for it',
  noSubmission: 'the files of the batch name no submission of it',
  private: (publisher: string, batch: string) =>
    `who acted is sealed, if recorded: only the vault of batch ${batch} at ${publisher} opens it`,
  noRules: 'none that is known here',
  alert: (id: string) => `alert ${id}`,
  cutOff: 'There is more under its request or its grant than was looked at.',
}

const ZH: Words = {
  subject: (type) => (type === 'tidemark.refusal.v1' ? '拒绝' : '调用'),
  of: (id, source, time) => `${source} 的 ${id}，${time}`,
  provided: '提供方',
  used: '使用方',
  resource: '资源',
  purpose: '用途',
  basis: '法律依据',
  outcome: '结果',
  grant: '授权',
  records: '留痕',
  rules: '违反的规则',
  notStated: '未说明',
  noGrant: '本次调用未引用授权',
  notGiven: (id) => `${id}：账本中没有给予该授权的记录`,
  given: (subject, at, source, from, to, calls) =>
    `由 ${subject} 给予，${source} 于 ${at} 记录；有效期 ${from} 至 ${to}，最多 ${calls} 次`,
  uncovered: (what) => `不涵盖本次调用的${what}`,
  members: { consumer: '使用方', resource: '资源', purpose: '用途', time: '时间' },
  revoked: (at, isBefore) =>
    `自 ${at} 起撤回，${isBefore ? '早于本次调用' : '晚于本次调用，本次调用仍然合法'}`,
  notRevoked: '账本中没有撤回该授权的记录',
  kinds: {
    'regular pair': '双方均有记录且一致',
    'orphan pair': '双方均有记录但不一致',
    orphan: '只有一方有记录',
    duplicate: '一方重复记录',
  },
  silent: (side, party) => `${side === 'consumer' ? '使用方' : '提供方'} ${party} 没有记录`,
  differs: (member, consumer, provider) => `${member}：使用方称 ${consumer}，提供方称 ${provider}`,
  differsSealed: (member) => `${member}：双方不同，此处不公开`,
  sides: { consumer: '使用方', provider: '提供方' },
  place: (batch, publisher, entry, block, isFinal) =>
    `位于 ${publisher} 的第 ${batch} 批，账本第 ${entry} 项，区块 ${block}${isFinal ? '' : '，尚未最终确认'}`,
  signed: (signer) => `提交由 ${signer} 签名`,
  key: (known) =>
    known === null
      ? '本服务不知道该密钥属于谁'
      : known
        ? '当时是该来源的密钥'
        : '当时不是该来源在此登记的密钥',
  unknownSigner: '提交已签名，此处不知签名者',
  token: '提交凭该来源的令牌进入',
  open: '提交既无签名也无令牌',
  unsigned: '提交未签名，由接收的网关担保',
  noSubmission: '批次文件中没有它所属的提交',
  private: (publisher, batch) => `操作人如有记录则已密封：只有 ${publisher} 第 ${batch} 批的保险库可以打开`,
  noRules: '此处未发现',
  alert: (id) => `告警 ${id}`,
  cutOff: '该请求或授权之下还有未查看的记录。',
}

export type Words = typeof EN

/** What `tidemark responsibility` says, in both languages. */
export const WORDS: Readonly<Record<Language, Words>> = { en: EN, zh: ZH }
