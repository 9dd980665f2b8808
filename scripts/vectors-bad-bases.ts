import type { BadBase } from './vectors-bad.ts'
import {
  type OwnAlteration,
  ownOfAuthorized,
  ownOfProof,
  ownOfReceipt,
  ownOfSubmission,
  type Read,
} from './vectors-bad-own.ts'
import { ownOfHistory, ownOfRunHistory } from './vectors-bad-own-histories.ts'
import {
  anchoredRules,
  authorizationRules,
  historyRules,
  offlineRules,
  placeRules,
  type Rule,
  recordRules,
} from './vectors-bad-rules.ts'

/** A good bundle, and what is done to it. */
interface Base {
  good: BadBase
  /** come before the rules of all kinds */
  rules: readonly Rule[]
  /** names of what is left out: it is not bad, or is done to another bundle already */
  skip: RegExp
  own: (read: Read) => OwnAlteration[]
}

const proofRules: readonly Rule[] = [
  [/^without \/inclusion\/path\/0$/, 'batch', 'MALFORMED_PATH'],
  [/^more in \/inclusion\/path$/, 'batch', 'MALFORMED_PATH'],
  [/^(more in \/disclosures|(misspelt|another) \/disclosures\/0)$/, 'record', 'BAD_DISCLOSURE'],
  [/^without \/record\/data\/_sd_pseudonyms$/, 'record', 'BAD_DISCLOSURE'],
  ...recordRules('batch'),
  ...anchoredRules,
]
const noLedgerKnown: Rule = [/^another \/anchor\/ledger$/, 'anchor', 'NOT_ANCHORED']
const ledgerKnown: Rule = [/^another \/anchor\/ledger$/, 'anchor', 'WRONG_LEDGER']

/** A good bundle of a file, and its chain. */
const of = (file: string, bundle: string, prefix = ''): BadBase => ({
  file,
  bundle: `${prefix}${bundle}`,
  chain: `${prefix}/chain`,
})

/** By the name of the file that tells what is done to it. */
export const BAD_BASES: Readonly<Record<string, Base>> = {
  'proof.json': {
    good: of('proof.json', '/proof'),
    rules: [
      [/^another \/inclusion\//, 'batch', 'ROOT_MISMATCH'],
      [/^another \/format$/, 'read', 'MALFORMED_BUNDLE'],
      [/^another \/record\/data\/_sd\/0$/, 'read', 'MALFORMED_RECORD'], // out of order
      noLedgerKnown,
      ...proofRules,
    ],
    // A proof may disclose less.
    skip: /^without \/disclosures\/0$/,
    own: (read) => ownOfProof(read('proof.json', '/proof') as Parameters<typeof ownOfProof>[0], read),
  },
  'authorized.json': {
    good: { ...of('authorized.json', '/proof'), rights: '/rights' },
    rules: [
      [/^another \/inclusion\/index$/, 'batch', 'MALFORMED_PATH'],
      [/^another \/inclusion\//, 'batch', 'ROOT_MISMATCH'],
      [/^another \/batch\/firstTime$/, 'batch', 'BATCH_MISMATCH'],
      [/^another \/anchor\/logIndex$/, 'anchor', 'NOT_ANCHORED'],
      [/^another \/format$/, 'InputError', 'BAD_BUNDLE'],
      noLedgerKnown,
      ...authorizationRules,
      ...proofRules,
    ],
    // The chain says what the next version is, where the proof does not.
    skip: /^without (\/disclosures\/0|\/authorization\/resource\/next)$| \/record\/data\/|^text: /,
    own: (read) =>
      ownOfAuthorized(read('authorized.json', '/proof') as Parameters<typeof ownOfProof>[0], read),
  },
  'given.json': {
    good: { ...of('authorized.json', '/proof', '/good/2'), rights: '/good/2/rights' },
    rules: authorizationRules,
    skip: / \/(?!authorization\/given)|^text: /,
    own: () => [],
  },
  'submission.json': {
    good: { ...of('submission.json', '/submission'), trust: '/trust' },
    rules: [
      [/^(without \/leaves\/0|more in \/leaves)$/, 'batch', 'MALFORMED_PATH'],
      [/^(without \/range\/path\/0|more in \/range\/path)$/, 'batch', 'MALFORMED_PATH'],
      [/^another \/(leaves|range)\//, 'batch', 'ROOT_MISMATCH'],
      ledgerKnown,
      ...anchoredRules,
    ],
    skip: /^$/,
    own: (read) =>
      ownOfSubmission(read('submission.json', '/submission') as Parameters<typeof ownOfSubmission>[0]),
  },
  'receipt.json': {
    good: {
      ...of('receipt.json', '/receipt'),
      trust: '/trust',
      publishers: '/publishers',
      submission: '/submission',
      nowMs: '/nowMs',
    },
    rules: [[/^another \/(?!format$)/, 'publisher', 'BAD_SIGNATURE']],
    skip: /^$/,
    own: (read) => ownOfReceipt(read('receipt.json', '/receipt') as Parameters<typeof ownOfReceipt>[0]),
  },
  'history.json': {
    good: { ...of('history.json', '/history'), trust: '/trust' },
    rules: [
      [/^another \/format$/, 'read', 'MALFORMED_BUNDLE'],
      [/^(misspelt|another) \/key\/value$/, 'batches', 'FOREIGN_RECORD'],
      [/^without \S*\/record\/data\/_sd_pseudonyms$/, 'batches', 'ROOT_MISMATCH'],
      [/^another \/anchor\/chainId$/, 'anchor', 'WRONG_CHAIN'],
      ledgerKnown,
      ...placeRules('/anchor', 'anchor', 'NOT_ANCHORED'),
      ...historyRules,
    ],
    // What was asked is the asker's to compare.
    skip: /^another \/period\//,
    own: (read) => ownOfHistory(read('history.json', '/history') as Parameters<typeof ownOfHistory>[0], read),
  },
  'run-history.json': {
    good: { ...of('run-history.json', '/history'), trust: '/trust' },
    rules: [
      [/^(misspelt|another) \/key\/value$/, 'batches', 'MISSING_BATCH'],
      [/^another (\/anchor|\/parts\/0\/run\/record\/data)\/chainId$/, 'batches', 'WRONG_CHAIN'],
      [/^another (\/anchor|\/parts\/0\/run\/record\/data)\/ledger$/, 'batches', 'WRONG_LEDGER'],
      [/^without \S*\/run\/record\/subject$/, 'batches', 'ROOT_MISMATCH'],
      [/^another \S*\/run\/record\/data\/(firstIndex|count)$/, 'batches', 'BATCH_MISMATCH'],
      [/^another \/parts\/0\/run\/index$/, 'batches', 'INDEX_OUT_OF_RANGE'],
      [/^another \/parts\/0\/run\/entry$/, 'log', 'MALFORMED_PATH'],
      [/^another \/path$/, 'log', 'ROOT_MISMATCH'],
      [/^(without \/parts\/0|more in \/parts)$/, 'batches', 'MISSING_BATCH'],
      ...placeRules('/anchor', 'anchor'),
      ...historyRules,
    ],
    skip: /^another \/period\/|\/found\/items\/0\/record\/|^text: /,
    own: (read) =>
      ownOfRunHistory(read('run-history.json', '/history') as Parameters<typeof ownOfRunHistory>[0]),
  },
  'offline.json': {
    good: { file: 'offline.json', bundle: '/offline', trustedBlocks: '/trustedBlocks', trust: '/trust' },
    // The event before it is one of the ledger too.
    rules: [[/^another \S*\/firstLogIndex$/, 'anchor', 'HEADER_MISMATCH'], ...offlineRules],
    // What stands in the bundle is refused as it is without evidence.
    skip: / \/bundle\//,
    own: () => [],
  },
  'offline-authorized.json': {
    good: { file: 'offline.json', bundle: '/good/7/offline', trustedBlocks: '/good/7/trustedBlocks' },
    // Before the first transaction of a block there are no logs.
    rules: [[/^another \S*\/firstLogIndex$/, 'evidence', 'BAD_EVIDENCE'], ...offlineRules],
    skip: / \/(format|bundle)|^text: /,
    own: () => [],
  },
}
