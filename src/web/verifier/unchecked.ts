import type { Said } from '../../verify/index.ts'

/** What it means that nothing could be said of a file, by the code of the error. */
export const UNCHECKED: Readonly<Record<string, Said>> = {
  NOT_IN_EVIDENCE: {
    en: 'The file does not bring all that is needed to check it without a node of the chain.',
    zh: '文件未附带离线验证所需的全部证据，需要查询链上节点。',
  },
  BLOCK_NOT_TRUSTED: {
    en: 'Everything in the file fits together. It is proven once you know that its blocks are blocks of the chain.',
    zh: '文件内容前后一致。待您确认所列区块确属该链，即可视为已证明。',
  },
  STRANGE_BLOCK: {
    en: 'The evidence is of blocks that you have not named, and it does not show what the file says.',
    zh: '证据所依据的区块未经您确认，且未能证明文件所称的内容。',
  },
  NO_SUBMISSION: {
    en: 'Whether the promise was kept is shown by the proof of the submission: add that file.',
    zh: '承诺是否履行，须由提交证明来说明：请一并添加该文件。',
  },
  NOT_YET: {
    en: 'The receipt is good, and its promise has time left.',
    zh: '回执有效，承诺的期限尚未届满。',
  },
  NOT_FINAL: {
    en: 'The chain has not settled this yet. Try again later.',
    zh: '链上尚未最终确认，请稍后再试。',
  },
  FAULT: {
    en: 'This page has failed, whatever the file is. Use “tidemark verify”.',
    zh: '本页出现故障，与文件真伪无关，请改用“tidemark verify”。',
  },
  RPC_UNREACHABLE: { en: 'The node does not answer.', zh: '节点没有响应。' },
  RPC_LAGS: {
    en: 'The node lags behind. Try again, or ask another.',
    zh: '节点落后，请重试或改用其他节点。',
  },
  RPC_REFUSED: { en: 'The node refuses to answer. Ask another.', zh: '节点拒绝回答，请改用其他节点。' },
  RPC_MALFORMED: {
    en: 'What the node answers makes no sense. Ask another.',
    zh: '节点的回答有误，请改用其他节点。',
  },
  CHAIN_FAILED: {
    en: 'The chain that was asked has no such contract.',
    zh: '所查询的链上没有该合约。',
  },
}
