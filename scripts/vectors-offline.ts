import { keccak256 } from 'ethers'
import type { Hex } from '../src/bytes/hex.ts'
import {
  fromHex,
  type JsonOffline,
  nameId,
  resourceSlot,
  revokedAtSlot,
  type Trust,
  toHex,
  verifyAny,
} from '../src/index.ts'
import {
  AUTHORIZATIONS,
  authorizedWorld,
  REGISTRY,
  rightsOf,
  timeOfBlock,
} from '../test/verify/authorized-world.ts'
import { factsOf, LEDGER } from '../test/verify/chain.ts'
import { mint } from '../test/verify/evidence-world.ts'
import { historyWorld, minutes, personOf, runWorld } from '../test/verify/history-world.ts'
import { worldOf } from '../test/verify/world.ts'
import { add, remove, replace } from './vectors-patch.ts'
import { type Altered, toJsonAltered } from './vectors-receipt.ts'

export interface OfflineSubject {
  offline: JsonOffline
  trustedBlocks: Hex[]
  trust: Trust
}

const bytes = (size: number) => `0x${'77'.repeat(size)}` as const

const hashesOf = ({ evidence }: JsonOffline): Hex[] =>
  evidence.blocks.map(({ header }) => keccak256(header) as Hex) // of bytes, it is lowercase hex

/** Blocks 1 to 3 hold two headers, one and one; the third of them is shown, by the state after the last. */
const world = () => worldOf([[[1], [1]], [[2]], [[1]]])
const shapes = { before: 2, after: 1, types: [0, 2, 1, 3, 4] }

async function goodOnes() {
  const records = world()
  const { wrap } = mint(records.data, undefined, shapes)
  const crowd = mint(records.data, undefined, { before: 130, types: [0, 2] })
  const calls = [
    [{ person: 0, minute: 5 }],
    [
      { person: 1, minute: 9 },
      { person: 0, minute: 10 },
    ],
  ]
  const history = historyWorld(calls)
  const run = await runWorld([...calls, { first: 0, count: 2 }, [{ person: 0, minute: 30 }]])
  const period = { from: minutes(0), to: minutes(60) }
  return [
    ['a proof, by the state after its own block', wrap(records.prove(2, 1), { state: 2 })],
    ['a proof of a log of 3 headers, by the state of 4', wrap(records.prove(2, 1))],
    ['a proof of a log of 2 headers, by the state of 4', wrap(records.prove(1, 0))],
    ['a proof in a block of 131 transactions', crowd.wrap(records.prove(2, 1))],
    ['a proof of a submission', wrap(records.proveSubmission(2, 0, 2))],
    ['a history', mint(history.data).wrap(await history.history('person', personOf(0), { period }))],
    ['a history over runs', mint(run.data).wrap(await run.runHistory('person', personOf(0)))],
    ['an authorised call', await authorized({})],
    ['an authorised call whose grant the contract was given', await authorized({ consent: 'given' })],
    ['an authorised call whose grant was withdrawn since', await authorized({ revokedAt: timeOfBlock(5) })],
  ] as const
}

async function authorized(options: Parameters<typeof authorizedWorld>[0]) {
  const { proof, chain, rights, id } = await authorizedWorld(options)
  const { wrap, ledgerSlots } = mint(chain, rights)
  const slots = [
    [LEDGER, ledgerSlots(6)],
    [AUTHORIZATIONS, [revokedAtSlot(id)]],
    [REGISTRY, [resourceSlot(nameId('urn:example:civil:births'))]],
  ] as const
  return wrap(proof(), { slots })
}

/** Block 0 of the subject is the anchor's, block 1 the one whose state is shown. */
function alterations({ evidence }: JsonOffline): Altered {
  const [anchor, state] = evidence.blocks
  const [transaction] = anchor?.transactions ?? []
  const [account] = state?.accounts ?? []
  const [slot, other] = account?.storage ?? []
  const at = '/offline/evidence/blocks/0/transactions/0'
  const held = '/offline/evidence/blocks/1/accounts/0'
  /** The last of a list with one bit flipped. */
  const flipped = (place: string, list: readonly Hex[] = []) => {
    const last = fromHex(list.at(-1) ?? '0x')
    const middle = last.length >> 1
    last[middle] = (last[middle] ?? 0) ^ 1
    return replace(`${place}/${list.length - 1}`, toHex(last))
  }
  const last = (list: readonly unknown[] = []) => list.length - 1
  return [
    ['InputError', 'BAD_BUNDLE', 'another format', replace('/offline/format', 'tidemark-offline/2')],
    [
      'InputError',
      'BAD_BUNDLE',
      'a wrapper in the wrapper',
      replace('/offline/bundle/format', 'tidemark-offline/1'),
    ],
    ['read', 'MALFORMED_BUNDLE', 'a member more', add('/offline/evidence/extra', null)],
    ['read', 'MALFORMED_BUNDLE', 'no evidence', remove('/offline/evidence')],
    ['read', 'MALFORMED_BUNDLE', 'no accounts', remove('/offline/evidence/blocks/0/accounts')],
    ['read', 'MALFORMED_BUNDLE', 'a header of no bytes', replace('/offline/evidence/blocks/0/header', '0x')],
    ['read', 'MALFORMED_BUNDLE', 'uppercase hex', replace(`${held}/address`, `0x${'1E'.repeat(20)}`)],
    ['read', 'MALFORMED_BUNDLE', 'a position as a text', replace(`${at}/index`, '2')],
    ['read', 'MALFORMED_BUNDLE', 'a transaction twice', add(`${at}`, transaction)],
    ['read', 'MALFORMED_BUNDLE', 'an account twice', add(`${held}`, account)],
    [
      'read',
      'MALFORMED_BUNDLE',
      'slots out of order',
      replace(`${held}/storage/0`, other),
      replace(`${held}/storage/1`, slot),
    ],
    ['read', 'MALFORMED_BUNDLE', 'a slot of 31 bytes', replace(`${held}/storage/0/slot`, bytes(31))],
    ['read', 'MALFORMED_BUNDLE', 'a node of no bytes', replace(`${at}/receiptProof/0`, '0x')],
    [
      'read',
      'MALFORMED_BUNDLE',
      'a path of half a hash',
      replace('/offline/evidence/consistency/0', bytes(16)),
    ],
    ['OperationError', 'BLOCK_NOT_TRUSTED', 'nobody who trusts its blocks', replace('/trustedBlocks', [])],
    ['OperationError', 'BLOCK_NOT_TRUSTED', 'one block that nobody trusts', remove('/trustedBlocks/1')],
    [
      'OperationError',
      'BLOCK_NOT_TRUSTED',
      'another header',
      replace('/offline/evidence/blocks/0/header', anchor?.header.replace(/0(.{10})$/, '1$1')),
    ],
    [
      'evidence',
      'BAD_EVIDENCE',
      'a header that is no RLP',
      replace('/offline/evidence/blocks/0/header', '0x8100'),
    ],
    [
      'evidence',
      'BAD_EVIDENCE',
      'a header that is no header',
      replace('/offline/evidence/blocks/0/header', '0xc0'),
    ],
    ['evidence', 'BAD_EVIDENCE', 'a block twice', add('/offline/evidence/blocks/0', anchor)],
    [
      'evidence',
      'BAD_EVIDENCE',
      'another node of a transaction',
      flipped(`${at}/transactionProof`, transaction?.transactionProof),
    ],
    [
      'evidence',
      'BAD_EVIDENCE',
      'another node of a receipt',
      flipped(`${at}/receiptProof`, transaction?.receiptProof),
    ],
    [
      'evidence',
      'BAD_EVIDENCE',
      'a transaction for its receipt',
      replace(`${at}/receiptProof`, transaction?.transactionProof),
    ],
    [
      'evidence',
      'BAD_EVIDENCE',
      'a node less',
      remove(`${at}/receiptProof/${last(transaction?.receiptProof)}`),
    ],
    ['evidence', 'BAD_EVIDENCE', 'a node more', add(`${at}/receiptProof/0`, transaction?.receiptProof[0])],
    ['evidence', 'BAD_EVIDENCE', 'another position', replace(`${at}/index`, 1)],
    ['evidence', 'BAD_EVIDENCE', 'a position beyond the block', replace(`${at}/index`, 4)],
    [
      'evidence',
      'BAD_EVIDENCE',
      'logs before the first transaction',
      replace(`${at}/index`, 0),
      replace(`${at}/firstLogIndex`, 1),
    ],
    [
      'evidence',
      'BAD_EVIDENCE',
      'another node of an account',
      flipped(`${held}/accountProof`, account?.accountProof),
    ],
    ['evidence', 'BAD_EVIDENCE', 'another account', replace(`${held}/address`, bytes(20))],
    ['evidence', 'BAD_EVIDENCE', 'another node of a slot', flipped(`${held}/storage/0/proof`, slot?.proof)],
    ['evidence', 'BAD_EVIDENCE', 'another slot', replace(`${held}/storage/1/slot`, bytes(32))],
    [
      'evidence',
      'BAD_EVIDENCE',
      'another consistency path',
      flipped('/offline/evidence/consistency', evidence.consistency),
    ],
    [
      'evidence',
      'BAD_EVIDENCE',
      'a consistency path too long',
      add('/offline/evidence/consistency/0', bytes(32)),
    ],
    ['OperationError', 'NOT_IN_EVIDENCE', 'no block', replace('/offline/evidence/blocks', [])],
    [
      'OperationError',
      'NOT_IN_EVIDENCE',
      'no transaction',
      replace('/offline/evidence/blocks/0/transactions', []),
    ],
    ['OperationError', 'NOT_IN_EVIDENCE', 'no state', replace('/offline/evidence/blocks/1/accounts', [])],
    ['OperationError', 'NOT_IN_EVIDENCE', 'a slot less', remove(`${held}/storage/0`)],
    ['OperationError', 'NOT_IN_EVIDENCE', 'no consistency path', remove('/offline/evidence/consistency')],
    [
      'OperationError',
      'NOT_IN_EVIDENCE',
      'another transaction',
      replace('/offline/bundle/anchor/transactionHash', bytes(32)),
    ],
    [
      'batch',
      'ROOT_MISMATCH',
      'another record',
      replace('/offline/bundle/record/subject', 'civil-registry/deaths'),
    ],
    ['anchor', 'WRONG_LEDGER', 'a verifier who trusts another ledger', add('/trust/ledger', bytes(20))],
    ['anchor', 'WRONG_CHAIN', 'another chain', replace('/offline/bundle/anchor/chainId', '1')],
    ['anchor', 'NOT_CANONICAL', 'another block', replace('/offline/bundle/anchor/blockHash', bytes(32))],
    ['anchor', 'HEADER_MISMATCH', 'another batch', replace('/offline/bundle/batch/sequence', '9')],
    ['anchor', 'NOT_ANCHORED', 'logs counted from another', replace(`${at}/firstLogIndex`, 9)],
    ['log', 'HEADER_MISMATCH', 'another size of the log', replace('/offline/bundle/log/size', '4')],
    ['log', 'ROOT_MISMATCH', 'another path in the log', replace('/offline/bundle/log/path/0', bytes(32))],
  ]
}

export async function offlineVectors() {
  const good = await Promise.all(
    (await goodOnes()).map(async ([name, offline]) => {
      const trustedBlocks = hashesOf(offline)
      const { kind, verified } = await verifyAny(offline, { trustedBlocks, grantSigner })
      const { finalBlock, blockTime } = verified
      return {
        name,
        offline,
        trustedBlocks,
        verified: { kind, finalBlock: String(finalBlock), blockTime: String(blockTime) },
      }
    }),
  )
  const { data, prove } = world()
  const { wrap, renamed } = mint(data, undefined, shapes)
  const offline = wrap(prove(2, 1))
  const chain = renamed(data)
  await verifyAny(offline, { chain: factsOf(chain) })
  return {
    about:
      'Sections 12.5 and 13.6: bundles with evidence, and the hashes of blocks under which they are verified. Each of the altered ones applies its patches (RFC 6902) to { offline, trustedBlocks, trust }, and must be refused at the step and with the code. With the chain in place of the trusted blocks, the same wrapper is verified; altered, it is not.',
    good,
    offline,
    trustedBlocks: hashesOf(offline),
    chain,
    trust: {},
    altered: toJsonAltered(alterations(offline)),
  }
}

const { grantSigner } = rightsOf(
  { registries: [], resources: [], revocations: [], accounts: [] },
  world().data,
)
