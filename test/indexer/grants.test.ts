import { join } from 'node:path'
import { Wallet } from 'ethers'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { WaitingSubmission } from '../../src/batch/index.ts'
import { signGrant } from '../../src/chain/signing.ts'
import { Rights } from '../../src/indexer/rights.ts'
import { parseRecord } from '../../src/record/index.ts'
import { openDatabase } from '../../src/store/database.ts'
import type { Grants } from '../../src/store/grants.ts'
import { append, startUnsavedTestChain, type TestChain } from '../chain/fixture.ts'
import { temporaryFolder } from '../store/temporary.ts'
import { grantRecord, makeGrant } from './rights-world.ts'
import { sealFor, startIndexer } from './world.ts'

const AUTHORIZATIONS = `0x${'a7'.repeat(20)}` as const
const DOMAIN = { chainId: 31337n, contract: AUTHORIZATIONS }
type Given = Awaited<ReturnType<typeof makeGrant>>

let chain: TestChain
beforeAll(async () => {
  chain = await startUnsavedTestChain()
})
afterAll(() => chain.close())

function submission(sequence: number, given: readonly Given[]): WaitingSubmission {
  const items = given.map((one, i) => ({
    record: parseRecord(grantRecord('urn:people', `${sequence}-${i}`, one)),
    disclosures: [],
  }))
  return {
    source: 'urn:people',
    sequence: BigInt(sequence),
    receivedAt: Date.UTC(2026, 2, 1, 12),
    signature: null,
    items,
    vault: items.map(() => []),
  }
}

const idsOf = (grants: Grants, ...given: Given[]) =>
  given.map(({ id }) => grants.recorded(id, 9).map(({ record, signed }) => [record, signed]))

test('grants in records are known with their places and whether their key signed them, and a reorg takes them back', async () => {
  const [good, later] = [await makeGrant(DOMAIN), await makeGrant(DOMAIN)]
  const forged = { ...good, signature: await signGrant(Wallet.createRandom(), DOMAIN, good.grant) }
  const garbled: Given = { ...good, signature: '0x12' }
  const elsewhere = await makeGrant({ ...DOMAIN, chainId: 1n })
  const batches = [
    sealFor(0, submission(0, [forged, good, elsewhere])),
    sealFor(1, submission(1, [garbled, later])),
  ]
  const options = { authorizations: AUTHORIZATIONS, finality: { kind: 'depth', confirmations: 99 } } as const
  const indexer = startIndexer(await temporaryFolder(), chain.rpc, chain.ledger, options)
  const { folder, grants, catchUp } = indexer
  for (const batch of batches) await folder.save(batch)
  const [first, second] = batches.map(({ header }) => header)
  if (first === undefined || second === undefined) throw new Error('there are two')
  await append(chain.rpc, chain.ledger, [first])
  await catchUp()
  const before = await chain.rpc.call('evm_snapshot', [])
  await append(chain.rpc, chain.ledger, [second])
  await catchUp()
  expect(idsOf(grants, good, later, elsewhere)).toEqual([
    [
      ['0-1', true],
      ['0-0', false],
      ['1-0', false],
    ],
    [['1-1', true]],
    [],
  ])
  expect(grants.recorded(good.id, 1)[0]).toMatchObject({ terms: good.grant, signature: good.signature })
  await chain.rpc.call('evm_revert', [before])
  await catchUp()
  expect(idsOf(grants, good, later)).toEqual([
    [
      ['0-1', true],
      ['0-0', false],
    ],
    [],
  ])
})

test('batches that were verified before grants were looked at are read again, and again for another contract', async () => {
  const good = await makeGrant(DOMAIN)
  const path = await temporaryFolder()
  const sequence = 1
  const batch = sealFor(sequence, submission(9, [good]))
  const unaware = startIndexer(path, chain.rpc, chain.ledger)
  await unaware.folder.save(batch)
  await append(chain.rpc, chain.ledger, [batch.header])
  await unaware.catchUp()
  expect(idsOf(unaware.grants, good)).toEqual([[]])
  const database = openDatabase(join(path, 'catalogue.sqlite'))
  onTestFinished(() => database.close())
  new Rights(database, AUTHORIZATIONS)
  const aware = startIndexer(path, chain.rpc, chain.ledger, { authorizations: AUTHORIZATIONS })
  await aware.catchUp()
  expect(idsOf(aware.grants, good)).toEqual([[['9-0', true]]])
  expect(aware.entries.uncounted(9)).toEqual([])
  // What is known stays when it is asked about again.
  new Rights(database, AUTHORIZATIONS)
  expect(idsOf(aware.grants, good)).toEqual([[['9-0', true]]])
  new Rights(database, `0x${'a8'.repeat(20)}`)
  expect(idsOf(aware.grants, good)).toEqual([[]])
  expect(aware.entries.uncounted(9)).not.toEqual([])
})
