import type { JsonProof, Trust } from '../src/index.ts'
import type { ChainData } from '../test/verify/chain.ts'
import { add, type Patch, remove, replace } from './vectors-patch.ts'

export interface Subject {
  proof: JsonProof
  chain: ChainData
  trust: Trust
}

const bytes = (size: number) => `0x${'77'.repeat(size)}`

/**
 * Altered proofs and chains: the step and code of the refusal (or the family of the error, where there is no step),
 * what was done, and how.
 */
export const ALTERED: readonly (readonly [stepOrFamily: string, code: string, name: string, ...Patch[]])[] = [
  ['InputError', 'BAD_BUNDLE', 'an unknown format', replace('/proof/format', 'tidemark-proof/3')],
  ['InputError', 'BAD_BUNDLE', 'no format', remove('/proof/format')],
  ['read', 'MALFORMED_BUNDLE', 'a member more', add('/proof/extra', null)],
  ['read', 'MALFORMED_BUNDLE', 'a member less', remove('/proof/log')],
  ['read', 'MALFORMED_BUNDLE', 'uppercase hex', replace('/proof/anchor/ledger', `0x${'1E'.repeat(20)}`)],
  ['read', 'MALFORMED_BUNDLE', 'hex without 0x', replace('/proof/anchor/blockHash', '77'.repeat(32))],
  ['read', 'MALFORMED_BUNDLE', 'leading zeros', replace('/proof/log/index', '02')],
  ['read', 'MALFORMED_BUNDLE', 'a number where a decimal string stands', replace('/proof/log/size', 4)],
  ['read', 'MALFORMED_BUNDLE', 'a string where a number stands', replace('/proof/inclusion/index', '3')],
  ['read', 'MALFORMED_HEADER', 'a header with a member more', add('/proof/batch/extra', 1)],
  ['read', 'MALFORMED_RECORD', 'a sealed member in the open', add('/proof/record/data/agent', 'clerk 17')],
  [
    'read',
    'MALFORMED_RECORD',
    'a record of an unknown type',
    replace('/proof/record/type', 'tidemark.call.v2'),
  ],
  [
    'read',
    'MALFORMED_RECORD',
    'a record with half of a surrogate pair',
    replace('/proof/record/id', '\ud800'),
  ],
  [
    'read',
    'MALFORMED_RECORD',
    'a time that is not normal',
    replace('/proof/record/time', '2026-03-01T09:30:03Z'),
  ],
  [
    'read',
    'MALFORMED_RECORD',
    'digests out of order',
    replace('/proof/record/data/_sd/0', 'zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzA'),
  ],
  [
    'record',
    'BAD_DISCLOSURE',
    'a foreign disclosure',
    replace('/proof/disclosures/0', 'WyJBUUVCQVFFQkFRRUJBUUVCQVFFQkFRIiwicGVyc29uIiwieCJd'),
  ],
  ['batch', 'ROOT_MISMATCH', 'another resource', replace('/proof/record/subject', 'civil-registry/deaths')],
  ['batch', 'ROOT_MISMATCH', 'another outcome', replace('/proof/record/data/outcome', 'refused')],
  ['batch', 'ROOT_MISMATCH', 'another place in the batch', replace('/proof/inclusion/index', 2)],
  ['batch', 'INDEX_OUT_OF_RANGE', 'a place beyond the batch', replace('/proof/inclusion/index', 7)],
  ['batch', 'MALFORMED_PATH', 'an inclusion path too short', remove('/proof/inclusion/path/2')],
  ['batch', 'MALFORMED_PATH', 'an inclusion path too long', add('/proof/inclusion/path/3', bytes(32))],
  [
    'batch',
    'ROOT_MISMATCH',
    'another hash in the inclusion path',
    replace('/proof/inclusion/path/1', bytes(32)),
  ],
  ['batch', 'ROOT_MISMATCH', 'another records root', replace('/proof/batch/recordsRoot', bytes(32))],
  [
    'batch',
    'BATCH_MISMATCH',
    'a time of the batch that leaves the record out',
    replace('/proof/batch/lastTime', '1772357401000'),
  ],
  ['anchor', 'HEADER_MISMATCH', 'another index root', replace('/proof/batch/indexRoot', bytes(32))],
  ['anchor', 'HEADER_MISMATCH', 'another sequence', replace('/proof/batch/sequence', '3')],
  ['anchor', 'WRONG_CHAIN', 'another chain', replace('/proof/anchor/chainId', '1')],
  ['anchor', 'NOT_ANCHORED', 'another ledger', replace('/proof/anchor/ledger', bytes(20))],
  ['anchor', 'NOT_CANONICAL', 'another block', replace('/proof/anchor/blockHash', bytes(32))],
  ['anchor', 'NOT_ANCHORED', 'another transaction', replace('/proof/anchor/transactionHash', bytes(32))],
  ['anchor', 'HEADER_MISMATCH', 'another event', replace('/proof/anchor/logIndex', 2)],
  ['anchor', 'NOT_ANCHORED', 'an event that is not there', replace('/proof/anchor/logIndex', 99)],
  ['anchor', 'HEADER_MISMATCH', 'another index of the log', replace('/proof/log/index', '1')],
  ['log', 'HEADER_MISMATCH', 'another size of the log', replace('/proof/log/size', '5')],
  ['log', 'ROOT_MISMATCH', 'another hash in the path of the log', replace('/proof/log/path/0', bytes(32))],
  ['log', 'MALFORMED_PATH', 'an empty path of the log', replace('/proof/log/path', [])],
  ['anchor', 'WRONG_LEDGER', 'a verifier who trusts another ledger', add('/trust/ledger', bytes(20))],
  ['OperationError', 'NOT_FINAL', 'a block that is not final', replace('/chain/finalBlock', '1')],
  [
    'OperationError',
    'RPC_LAGS',
    'a chain that lags',
    replace('/chain/headBlock', '1'),
    replace('/chain/blocks', []),
    replace('/chain/receipts', []),
  ],
  [
    'OperationError',
    'RPC_MALFORMED',
    'a chain that has another block',
    replace('/chain/blocks/2/hash', bytes(32)),
  ],
  ['OperationError', 'RPC_REFUSED', 'a chain whose node forgot the receipt', replace('/chain/receipts', [])],
  [
    'anchor',
    'NOT_ANCHORED',
    'a transaction that was reverted',
    replace('/chain/receipts/1/succeeded', false),
  ],
  [
    'anchor',
    'NOT_ANCHORED',
    'an event of another contract',
    replace('/chain/receipts/1/logs/3/address', bytes(20)),
  ],
  ['log', 'ROOT_MISMATCH', 'a ledger with another root', replace('/chain/ledgerRoots/4/root', bytes(32))],
]

/** A copy with the patches applied. */
export function patched<Subject>(subject: Subject, patches: readonly Patch[]): Subject {
  const copy = structuredClone(subject)
  for (const { op, path, value } of patches) {
    const names = path.slice(1).split('/')
    const name = names.pop() ?? ''
    let parent: unknown = copy
    for (const step of names) parent = (parent as Record<string, unknown>)[step]
    if (Array.isArray(parent))
      parent.splice(Number(name), op === 'add' ? 0 : 1, ...(op === 'remove' ? [] : [value]))
    else if (op === 'remove') delete (parent as Record<string, unknown>)[name]
    else (parent as Record<string, unknown>)[name] = value
  }
  return copy
}
