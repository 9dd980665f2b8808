import type { VerificationCode, VerificationError } from '../errors.ts'

/** What a person is told, in both languages. */
export type Said = Readonly<Record<'en' | 'zh', string>>

/** What it means that a step of a proof or a history refused. */
const REFUSED: Readonly<Record<string, Said>> = {
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
    en: 'The evidence does not lead to the blocks that it names.',
    zh: '证据与其所称的区块不符。',
  },
  publisher: {
    en: 'The receipt is not the word of a publisher of this ledger.',
    zh: '该回执并非本账本发布者所签。',
  },
  submission: {
    en: 'What is on the chain is not what the receipt promised.',
    zh: '链上的内容与回执所承诺的不符。',
  },
  promise: {
    en: 'The promise was broken.',
    zh: '承诺未履行。',
  },
  revocation: {
    en: 'What the proof says of a withdrawal is not what the chain says.',
    zh: '证明关于撤回的说法与链上不符。',
  },
}

/** Where the code says more than the step. */
const REFUSED_WITH: Readonly<Partial<Record<VerificationCode, Said>>> = {
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

/** A refusal in plain words; undefined where only its message says more. */
export const refusalWords = ({ code, step }: Pick<VerificationError, 'code' | 'step'>): Said | undefined =>
  REFUSED_WITH[code] ?? REFUSED[step ?? '']
