import { RULES } from '../../../../rules/index.ts'
import type { Language } from '../../../language.ts'
import type { Kind, ShownAlert } from './alert.ts'

type Pair = Record<Language, string>

interface Meaning {
  title: Pair
  description: Pair
}

/** By the kinds of docs/format.md, section 17. */
const KIND_MEANINGS: Record<Kind, Meaning> = {
  fraud: {
    title: { en: 'Altered batch', zh: '批次被篡改' },
    description: {
      en: 'The files of the batch do not give the roots that its header has on the chain.',
      zh: '批次文件算出的根与链上批次头中的根不一致。',
    },
  },
  withheld: {
    title: { en: 'Withheld batch', zh: '批次文件未提供' },
    description: {
      en: 'The chain has the header, and nobody gives out the files of the batch.',
      zh: '链上已有批次头，但无处取得该批次的文件。',
    },
  },
  'bad-record': {
    title: { en: 'Malformed record', zh: '记录格式不合规' },
    description: {
      en: 'The batch holds lines that are no records, and its publisher sealed them all the same.',
      zh: '批次中含有不合规的记录，发布方仍将其封存。',
    },
  },
  'duplicate-id': {
    title: { en: 'Repeated record id', zh: '记录编号重复' },
    description: {
      en: 'Two records of one source have the same id.',
      zh: '同一来源的两条记录使用了相同的编号。',
    },
  },
  'sequence-gap': {
    title: { en: 'Missing submission', zh: '提交序号缺失' },
    description: {
      en: 'No verified batch holds the submission before this one.',
      zh: '没有任何已验证的批次包含上一个序号的提交。',
    },
  },
  'sequence-repeat': {
    title: { en: 'Repeated submission', zh: '提交序号重复' },
    description: {
      en: 'An earlier place of the ledger has a submission of the same number.',
      zh: '账本中更早的位置已有相同序号的提交。',
    },
  },
  'foreign-signature': {
    title: { en: 'Signature of another key', zh: '签名密钥不符' },
    description: {
      en: 'A submission is signed by nobody who can be told, or by another key than the source used before.',
      zh: '提交的签名无法还原出签名者，或与该来源此前使用的密钥不同。',
    },
  },
  'false-run': {
    title: { en: 'False run', zh: '区段索引不实' },
    description: {
      en: 'A record claims a merged index of batches that merging them does not give.',
      zh: '记录所声明的合并索引与实际合并各批次所得的结果不一致。',
    },
  },
}

/** What an alert is called and means, whoever raised it. */
export function meaningOf({ alert }: ShownAlert, language: Language): { title: string; description: string } {
  const meaning =
    alert.kind === 'rule' ? RULES.find(({ name }) => name === alert.rule) : KIND_MEANINGS[alert.kind]
  const name = alert.kind === 'rule' ? alert.rule : alert.kind
  return { title: meaning?.title[language] ?? name, description: meaning?.description[language] ?? '' }
}

/** Rules first, then kinds of batches. */
export const ABOUT: readonly (readonly [name: string, title: Pair])[] = [
  ...RULES.map(({ name, title }) => [name, title] as const),
  ...Object.entries(KIND_MEANINGS).map(([kind, { title }]) => [kind, title] as const),
]

/** The members of a rule's values (docs/rules.md). */
const VALUE_NAMES: Record<string, Pair> = {
  reason: { en: 'Reason', zh: '原因' },
  fault: { en: 'Fault', zh: '问题' },
  authorization: { en: 'Grant', zh: '授权' },
  consumer: { en: 'Consumer', zh: '使用方' },
  provider: { en: 'Provider', zh: '提供方' },
  resource: { en: 'Resource', zh: '资源' },
  target: { en: 'What was tripped', zh: '熔断对象' },
  trippedAt: { en: 'Tripped at', zh: '熔断时间' },
  requestId: { en: 'Request', zh: '请求编号' },
  afterMs: { en: 'Repeated after', zh: '间隔' },
  disagreeOn: { en: 'They disagree on', zh: '不一致的内容' },
  silent: { en: 'Has no record of it', zh: '未留记录的一方' },
  silentSide: { en: 'In the role of', zh: '其身份' },
  time: { en: 'Time', zh: '时间' },
  usualDays: { en: 'Usual days', zh: '平时出现的天数' },
  peak: { en: 'Calls at the peak', zh: '峰值调用次数' },
  limit: { en: 'Limit', zh: '上限' },
  source: { en: 'Source', zh: '来源' },
  sequence: { en: 'Submission', zh: '提交序号' },
  silentMs: { en: 'Silent for', zh: '静默时长' },
  firstMissing: { en: 'First missing', zh: '首个缺失序号' },
  lastMissing: { en: 'Last missing', zh: '末个缺失序号' },
  lateMs: { en: 'Late by', zh: '延误' },
}

/** Words that rules use as values. */
const VALUE_WORDS: Record<string, Pair> = {
  'no-grant': { en: 'cites no grant', zh: '未引用授权' },
  prohibited: { en: 'the resource is shared with nobody', zh: '资源禁止共享' },
  'unknown-grant': { en: 'the grant was never given', zh: '所引授权不存在' },
  'other-consumer': { en: 'the grant is for another consumer', zh: '授权属于其他使用方' },
  'other-resource': { en: 'the grant is for another resource', zh: '授权针对其他资源' },
  'other-purpose': { en: 'the grant is for another purpose', zh: '授权用于其他用途' },
  'other-person': { en: 'the grant is of another person', zh: '授权属于其他数据主体' },
  'not-yet-in-force': { en: 'the grant was not yet in force', zh: '授权尚未生效' },
  expired: { en: 'the grant had expired', zh: '授权已过期' },
  revoked: { en: 'the grant had been withdrawn', zh: '授权已撤回' },
  'used-up': { en: 'the grant was used up', zh: '授权次数已用完' },
  silence: { en: 'silence', zh: '静默' },
  gap: { en: 'missing numbers', zh: '序号缺口' },
  late: { en: 'anchored late', zh: '上链延误' },
  'not-anchored': { en: 'not on the chain', zh: '未上链' },
  consumer: { en: 'consumer', zh: '使用方' },
  provider: { en: 'provider', zh: '提供方' },
  '*': { en: 'everything', zh: '全部' },
}

/** The members whose values are words of the rule and not names out of records. */
const WORD_MEMBERS = ['reason', 'fault', 'silentSide', 'target']

export const nameOfValue = (name: string, language: Language): string | undefined =>
  Object.hasOwn(VALUE_NAMES, name) ? VALUE_NAMES[name]?.[language] : undefined

export const wordOfValue = (name: string, value: string, language: Language): string | undefined =>
  WORD_MEMBERS.includes(name) && Object.hasOwn(VALUE_WORDS, value)
    ? VALUE_WORDS[value]?.[language]
    : undefined
