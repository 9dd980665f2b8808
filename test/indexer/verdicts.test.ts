import { afterAll, beforeAll, expect, test } from 'vitest'
import type { WaitingSubmission } from '../../src/batch/index.ts'
import { concatBytes } from '../../src/bytes/bytes.ts'
import { devWallet, LOCAL_CHAIN_ID } from '../../src/chain/dev-accounts.ts'
import type { Rpc } from '../../src/chain/rpc.ts'
import { signSubmission } from '../../src/chain/signing.ts'
import { treeRoot } from '../../src/merkle/index.ts'
import { leafHash } from '../../src/record/index.ts'
import { submissionOf } from '../batch/items.ts'
import { append, makeHeaders, startUnsavedTestChain, type TestChain } from '../chain/fixture.ts'
import { temporaryFolder } from '../store/temporary.ts'
import { sealFor, startIndexer } from './world.ts'

let chain: TestChain
let snapshot: unknown

beforeAll(async () => {
  chain = await startUnsavedTestChain()
  snapshot = await chain.rpc.call('evm_snapshot', [])
})
afterAll(() => chain.close())

const UNFINAL = { finality: { kind: 'depth', confirmations: 1_000 } } as const

/** An indexer over the empty ledger, and what puts batches onto it. */
async function fresh(rpc: Rpc = chain.rpc, mayLag = false) {
  await chain.rpc.call('evm_revert', [snapshot])
  snapshot = await chain.rpc.call('evm_snapshot', [])
  const indexer = startIndexer(await temporaryFolder(), rpc, chain.ledger, { ...UNFINAL, mayLag })
  const publish = async (...batches: ReturnType<typeof sealFor>[]) => {
    for (const batch of batches) await indexer.folder.save(batch)
    await append(
      chain.rpc,
      chain.ledger,
      batches.map(({ header }) => header),
    )
  }
  return { ...indexer, publish }
}

async function signedBy(
  account: 'admin' | 'publisher',
  submission: WaitingSubmission,
): Promise<WaitingSubmission> {
  const root = treeRoot(concatBytes(...submission.items.map(({ record }) => leafHash(record))))
  const signature = await signSubmission(
    devWallet(account, LOCAL_CHAIN_ID),
    { chainId: LOCAL_CHAIN_ID, ledger: chain.ledger },
    { ...submission, root, size: BigInt(submission.items.length) },
  )
  return { ...submission, signature }
}

test('A HEADER WHOSE COUNT LIES is fraud, and what follows it is verified', async () => {
  const { publish, folder, catchUp, open } = await fresh()
  const [lie, next] = [sealFor(0, submissionOf('urn:a', 0, 9)), sealFor(1, submissionOf('urn:b', 0, 4))]
  await folder.save(lie)
  await append(chain.rpc, chain.ledger, [{ ...lie.header, recordCount: 10 }])
  await publish(next)
  await catchUp()
  expect(open()).toEqual([[0, 'fraud']])
})

test('A SUBMISSION SIGNED BY A STRANGER is told, with both keys, and so is the next by the old one', async () => {
  const { publish, catchUp, open, told } = await fresh()
  const by = ['publisher', 'publisher', 'admin', 'publisher'] as const
  for (const [i, account] of by.entries()) {
    await publish(sealFor(i, await signedBy(account, submissionOf('urn:a', i, 3))))
  }
  await catchUp()
  expect(open()).toEqual([
    [2, 'foreign-signature', 'urn:a#2'],
    [3, 'foreign-signature', 'urn:a#3'],
  ])
  const [, stranger] = by.slice(1).map((account) => devWallet(account, LOCAL_CHAIN_ID).address.toLowerCase())
  expect(told[0]?.found).toContain(stranger)
})

test('A NUMBER LEFT OUT AND ONE TAKEN TWICE are told, and taken back with the block that made them', async () => {
  const { publish, catchUp, open } = await fresh()
  await publish(sealFor(0, submissionOf('urn:a', 0, 3)))
  await publish(sealFor(1, submissionOf('urn:a', 2, 3)))
  await catchUp()
  expect(open()).toEqual([[1, 'sequence-gap', 'urn:a#2']])
  const before = await chain.rpc.call('evm_snapshot', [])
  await publish(sealFor(2, submissionOf('urn:a', 1, 3), submissionOf('urn:a', 2, 3)))
  await catchUp()
  expect(open(), 'the hole is filled').toEqual([[2, 'sequence-repeat', 'urn:a#2']])
  await chain.rpc.call('evm_revert', [before])
  await catchUp()
  expect(open(), 'and is there again').toEqual([[1, 'sequence-gap', 'urn:a#2']])
})

test('ONE ID TWICE IN A BATCH is told, with the places', async () => {
  const { publish, catchUp, open, told } = await fresh()
  await publish(sealFor(0, submissionOf('urn:a', 0, 5), { ...submissionOf('urn:a', 0, 3), sequence: 1n }))
  await catchUp()
  expect(open()).toEqual([[0, 'duplicate-id']])
  expect(told[0]?.positions).toEqual([5, 6, 7])
})

test('A NODE WHOSE LOGS LAG BEHIND ITS BLOCKS is asked again: no header is skipped', async () => {
  let lags = false
  const lagging: Rpc = {
    url: chain.rpc.url,
    call: async (method, params) => {
      const answer = await chain.rpc.call(method, params)
      return lags && method === 'eth_getLogs' ? (answer as unknown[]).slice(0, -1) : answer
    },
  }
  const { follower } = await fresh(lagging, true)
  await append(chain.rpc, chain.ledger, makeHeaders(0, 2))
  await follower.step()
  lags = true
  await append(chain.rpc, chain.ledger, makeHeaders(2, 5))
  await expect(follower.step()).rejects.toMatchObject({ code: 'RPC_LAGS' })
  await expect(follower.step()).rejects.toMatchObject({ code: 'RPC_LAGS' })
  lags = false
  await follower.step()
  expect(follower.log.size).toBe(5)
})

test('A NODE THAT TAKES BACK A FINAL BLOCK is not believed', async () => {
  await chain.rpc.call('evm_revert', [snapshot])
  snapshot = await chain.rpc.call('evm_snapshot', [])
  const indexer = startIndexer(await temporaryFolder(), chain.rpc, chain.ledger)
  const before = await chain.rpc.call('evm_snapshot', [])
  await append(chain.rpc, chain.ledger, makeHeaders(0, 2))
  await indexer.follower.step()
  await chain.rpc.call('evm_revert', [before])
  await append(chain.rpc, chain.ledger, makeHeaders(0, 1))
  await expect(indexer.follower.step()).rejects.toThrow('which was final')
  expect(indexer.entries.from(0n, 9)).toHaveLength(2)
})

test('A REORG WHILE A BATCH IS WRITTEN DOWN leaves nothing of it', async () => {
  const { publish, follower, verdicts, seen, entries, open } = await fresh()
  await publish(sealFor(0, submissionOf('urn:a', 0, 3)))
  await follower.step()
  const entry = entries.get(0n)
  if (entry === undefined) throw new Error('the batch is not announced')
  // Each of them leaves out a number.
  const submissions = Array.from({ length: 500 }, (_, i) => ({
    source: 'urn:many',
    sequence: BigInt(2 * i + 1),
    first: i,
    signer: undefined,
  }))
  const writing = verdicts.verified(
    entry,
    { submissions, repeated: { count: 0, positions: [] }, runs: [], grants: [] },
    [],
  )
  expect(seen.from(0n)).not.toEqual([])
  expect(open()).not.toEqual([])
  verdicts.takeBack(0n)
  await writing
  expect([entries.get(0n), seen.from(0n), open()]).toEqual([undefined, [], []])
})
