import type { IndexName } from '../../lookup/index.ts'
import type { Sharing } from '../../record/index.ts'
import type { Said } from '../../verify/index.ts'
import type { Checked, StepName } from './checked.ts'

export const VERDICT_WORDS: Readonly<Record<Checked['verdict'] | 'kept', { word: Said; meaning: Said }>> = {
  verified: {
    word: { en: 'Verified', zh: '验证通过' },
    meaning: { en: 'All that follows is proven.', zh: '以下内容均已得到证明。' },
  },
  kept: {
    word: { en: 'Promise kept', zh: '承诺已履行' },
    meaning: { en: 'The receipt is good, and its promise was kept.', zh: '回执有效，且承诺已如期履行。' },
  },
  refuted: {
    word: { en: 'Refuted', zh: '验证不通过' },
    meaning: { en: 'What the file claims is false.', zh: '文件所声称的内容不成立。' },
  },
  unchecked: {
    word: { en: 'Not checked', zh: '未能验证' },
    meaning: {
      en: 'Neither proven nor refuted: not every step could be made.',
      zh: '既未证明，也未否定：并非所有步骤都能完成。',
    },
  },
  unreadable: {
    word: { en: 'Unreadable', zh: '无法读取' },
    meaning: { en: 'This is no file that Tidemark made.', zh: '这不是 Tidemark 生成的文件。' },
  },
}

export const STEP_WORDS: Readonly<Record<StepName, Said>> = {
  read: { en: 'The file is whole and well-formed', zh: '文件完整且格式正确' },
  record: { en: 'What is disclosed belongs to the record', zh: '所披露的内容属于该记录' },
  batch: { en: 'The batch holds the record', zh: '批次中包含该记录' },
  batches: {
    en: 'Each batch holds exactly the records shown',
    zh: '各批次中的记录与所列完全一致',
  },
  evidence: { en: 'The evidence leads to blocks that are trusted', zh: '证据可追溯至受信任的区块' },
  anchor: { en: 'A final block of the chain holds the batch', zh: '批次已写入链上最终确认的区块' },
  log: { en: 'The batch has its place in the ledger', zh: '批次在账本中的位置正确' },
  grant: { en: 'The grant allows this call', zh: '授权允许该调用' },
  signature: { en: 'The person concerned gave the grant', zh: '授权由当事人作出' },
  registry: { en: 'The registry allowed the call', zh: '资源登记允许该调用' },
  revocation: { en: 'The grant had not been withdrawn', zh: '授权当时未被撤回' },
  publisher: { en: 'A publisher of the ledger signed the receipt', zh: '回执由账本的发布者签署' },
  submission: { en: 'The chain holds the very records promised', zh: '链上有所承诺的全部记录' },
  promise: { en: 'The promise was kept in time', zh: '承诺如期履行' },
}

export const KEY_WORDS: Readonly<Record<IndexName, Said>> = {
  record: { en: 'record', zh: '记录' },
  person: { en: 'data subject', zh: '数据主体' },
  authorization: { en: 'grant', zh: '授权' },
  request: { en: 'request', zh: '请求' },
  resource: { en: 'resource', zh: '资源' },
  consumer: { en: 'consumer', zh: '使用方' },
  provider: { en: 'provider', zh: '提供方' },
}

export const SHARING_WORDS: Readonly<Record<Sharing, Said>> = {
  none: { en: 'not registered', zh: '未登记' },
  unconditional: { en: 'shared unconditionally', zh: '无条件共享' },
  conditional: { en: 'shared conditionally', zh: '有条件共享' },
  prohibited: { en: 'not to be shared', zh: '不予共享' },
}

export const words = {
  steps: { en: 'Steps', zh: '验证步骤' },
  passed: { en: 'passed', zh: '通过' },
  failed: { en: 'failed', zh: '不通过' },
  notReached: { en: 'not checked', zh: '未验证' },
  proven: { en: 'What is proven', zh: '已证明的内容' },
  claimed: { en: 'What the file says', zh: '文件所称的内容' },
  claimedOnly: { en: 'Nothing of this is proven.', zh: '以下内容均未得到证明。' },
  trusted: { en: 'What had to be trusted', zh: '所依赖的信任' },
  notShown: { en: 'What it does not show', zh: '未证明的内容' },
  node: { en: 'The node that was asked', zh: '所查询的节点' },
  block: { en: (number: bigint) => `Block ${number}`, zh: (number: bigint) => `区块 ${number}` },
  howToTrust: {
    en: 'Compare number and hash with somebody you trust and not with whoever gave you the file: a node of your own, an explorer of the chain, a published notice. If they are the same, say so.',
    zh: '请将区块号和哈希与您信任的一方核对，而不是与提供文件的人核对：自有节点、区块浏览器或公开公告均可。核对一致后再确认。',
  },
  trustOne: { en: 'I trust this block', zh: '我信任该区块' },
  trustAll: { en: 'I trust these blocks', zh: '我信任这些区块' },
  believedLedger: {
    en: 'That this is the ledger, as the file says',
    zh: '文件所称的账本地址',
  },
  believedAuthorizations: {
    en: 'That this contract decides on grants, as the file says',
    zh: '文件所称的授权合约地址',
  },
  believedRegistry: {
    en: 'That this is the registry it rests on, as the file says',
    zh: '文件所称的登记处地址',
  },
  believedPublisher: {
    en: 'That this is its publisher, as the file says',
    zh: '文件所称的发布者地址',
  },
}

export const factWords = {
  record: { en: 'Record', zh: '记录' },
  source: { en: 'Source', zh: '来源' },
  type: { en: 'Type', zh: '类型' },
  time: { en: 'Time, by its source', zh: '时间（来源所称）' },
  resource: { en: 'Resource', zh: '资源' },
  consumer: { en: 'Consumer', zh: '使用方' },
  provider: { en: 'Provider', zh: '提供方' },
  purpose: { en: 'Purpose', zh: '用途' },
  closed: { en: 'Kept closed', zh: '未披露' },
  closedMembers: {
    en: (count: number) => `${count} of its members`,
    zh: (count: number) => `其中 ${count} 项`,
  },
  whole: { en: 'The whole record', zh: '完整记录' },
  batch: { en: 'Batch', zh: '批次' },
  batchOf: {
    en: (sequence: bigint, count: string) => `number ${sequence}, ${count} records, by publisher`,
    zh: (sequence: bigint, count: string) => `第 ${sequence} 批，${count} 条记录，发布者`,
  },
  ledger: { en: 'Ledger', zh: '账本' },
  ledgerOn: {
    en: (chain: bigint) => `on chain ${chain},`,
    zh: (chain: bigint) => `链 ${chain}，`,
  },
  entryOn: {
    en: (index: bigint, chain: bigint) => `entry ${index}, on chain ${chain},`,
    zh: (index: bigint, chain: bigint) => `第 ${index} 项，链 ${chain}，`,
  },
  anchored: { en: 'Anchored', zh: '上链' },
  inBlock: { en: (number: bigint) => `block ${number}`, zh: (number: bigint) => `区块 ${number}` },
  final: { en: 'Final up to', zh: '最终确认至' },
  submission: { en: 'Submission', zh: '提交' },
  submissionOf: {
    en: (sequence: bigint) => `number ${sequence} of`,
    zh: (sequence: bigint) => `第 ${sequence} 次提交，来源`,
  },
  count: { en: 'Records', zh: '记录数' },
  records: {
    en: (count: number) => `${count} ${count === 1 ? 'record' : 'records'}`,
    zh: (count: number) => `${count} 条记录`,
  },
  signedBy: { en: 'Signed by publisher', zh: '签署的发布者' },
  taken: { en: 'Taken at', zh: '接收时间' },
  promised: { en: 'Promised on the chain by', zh: '承诺上链期限' },
  consent: { en: 'Consent of', zh: '授权人' },
  byKey: { en: 'signed with its key', zh: '由其密钥签署' },
  byAccount: { en: 'signed by its account as it is now', zh: '由其合约账户确认（以现状为准）' },
  given: { en: 'given on the chain', zh: '在链上作出' },
  validity: { en: 'Holds', zh: '授权期限' },
  mostCalls: {
    en: (count: string) => `for ${count} calls at most`,
    zh: (count: string) => `最多 ${count} 次`,
  },
  grantId: { en: 'Grant', zh: '授权编号' },
  withdrawal: { en: 'Withdrawal', zh: '撤回' },
  notWithdrawn: { en: 'not withdrawn,', zh: '未被撤回，' },
  withdrawnAfter: {
    en: 'withdrawn after the call, which stays lawful, at',
    zh: '在调用之后撤回，该调用仍属合法，撤回时间',
  },
  asOf: { en: (number: bigint) => `as of block ${number}`, zh: (number: bigint) => `截至区块 ${number}` },
  registered: { en: 'Registry', zh: '登记' },
  version: {
    en: (version: number, sharing: string, level: number) =>
      `version ${version} of the resource: ${sharing}, level ${level},`,
    zh: (version: number, sharing: string, level: number) =>
      `该资源第 ${version} 版：${sharing}，${level} 级，`,
  },
  from: { en: 'from', zh: '自' },
  until: { en: 'until', zh: '至' },
  key: { en: 'History of', zh: '历史对象' },
  period: { en: 'Period', zh: '期间' },
  always: { en: 'all times', zh: '全部时间' },
  found: { en: 'Found', zh: '查得' },
  foundRecords: {
    en: (count: string) => `${count} records, and there are no others`,
    zh: (count: string) => `${count} 条记录，再无其他`,
  },
  otherTimes: { en: 'Records of other times', zh: '其他期间的记录' },
  entries: { en: 'Ledger entries', zh: '账本项' },
  fromTo: {
    en: (from: string, to: string) => `${from} to ${to}`,
    zh: (from: string, to: string) => `${from} 至 ${to}`,
  },
  searched: { en: 'Searched', zh: '已查批次' },
  searchedOf: {
    en: (some: string, all: string) => `${some} of ${all} batches`,
    zh: (some: string, all: string) => `共 ${all} 批，查了 ${some} 批`,
  },
  run: { en: 'By the word of a run', zh: '依据汇编' },
  place: {
    en: (entry: bigint, position: number) => `entry ${entry}, record ${position}`,
    zh: (entry: bigint, position: number) => `第 ${entry} 项，第 ${position} 条`,
  },
  more: {
    en: (count: string) => `and ${count} more, which were checked too`,
    zh: (count: string) => `另有 ${count} 条，均已验证`,
  },
  openTruth: {
    en: 'That what the records say is true: the ledger shows what was said, by whom, and that it was not changed since.',
    zh: '记录所述是否属实：账本只证明谁说过什么，且此后未被更改。',
  },
  openTime: {
    en: 'The exact time of the record: that is its source’s word, and not later than its block.',
    zh: '记录的确切时间：以来源所称为准，且不晚于所在区块。',
  },
  openIndex: {
    en: 'That the indexes of these batches were made correctly: every indexer and “tidemark audit” recompute them.',
    zh: '各批次的索引是否正确生成：每个索引节点和“tidemark audit”都会重新计算。',
  },
  openRuns: {
    en: 'That the runs tell the truth of the batches that are not shown: a history without runs needs none of them.',
    zh: '汇编对未列批次的说法是否属实：不使用汇编的历史无须依赖它们。',
  },
  openGrant: {
    en: 'When the grant was signed, that it was not paused or used up, and that no breaker was tripped.',
    zh: '授权何时签署、是否曾被暂停或用尽、熔断是否曾触发。',
  },
}
