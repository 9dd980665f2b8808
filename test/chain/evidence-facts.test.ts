import { keccak256 } from 'ethers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hashHeader } from '../../src/batch/index.ts'
import type { Hex } from '../../src/bytes/hex.ts'
import { administerGrants } from '../../src/chain/administer-grants.ts'
import { administerRegistry } from '../../src/chain/administer-registry.ts'
import { parseBytes, parseMembers, toQuantity } from '../../src/chain/answers.ts'
import { deployRights } from '../../src/chain/deploy.ts'
import { devWallet, LOCAL_CHAIN_ID } from '../../src/chain/dev-accounts.ts'
import { fetchAccount, showTransaction } from '../../src/chain/evidence.ts'
import { chainFacts } from '../../src/chain/facts.ts'
import { rightsFacts } from '../../src/chain/rights-facts.ts'
import type { Rpc } from '../../src/chain/rpc.ts'
import { fetchWholeBlock } from '../../src/chain/whole-block.ts'
import { consistencyPath } from '../../src/merkle/index.ts'
import type { BlockEvidence } from '../../src/proof/index.ts'
import { grantId, nameId } from '../../src/record/index.ts'
import {
  evidenceFacts,
  LEDGER_SIZE_SLOT,
  ledgerPeakSlots,
  resourceSlot,
  revokedAtSlot,
} from '../../src/verify/index.ts'
import { append, headNumber, loadArtifact, makeHeaders, startTestChain, type TestChain } from './fixture.ts'

/** What a node shows of a block and of contracts after it, with all transactions. */
async function capture(
  rpc: Rpc,
  number: bigint,
  contracts: readonly (readonly [address: Hex, slots: readonly Hex[]])[] = [],
): Promise<BlockEvidence> {
  const { hash } = parseMembers(await rpc.call('eth_getBlockByNumber', [toQuantity(number), false]), 'block')
  const block = await fetchWholeBlock(rpc, parseBytes(hash, 'hash', 32))
  const accounts: BlockEvidence['accounts'] = []
  for (const [address, slots] of contracts) accounts.push(await fetchAccount(rpc, block, address, slots))
  return {
    header: block.header,
    transactions: block.transactions.map(({ hash }) => showTransaction(block, hash)),
    accounts,
  }
}

const trusting = (blocks: readonly BlockEvidence[]) => ({
  trustedBlocks: blocks.map(({ header }) => keccak256(header) as Hex),
  grantSigner: () => undefined,
})

let chain: TestChain
beforeAll(async () => {
  chain = await startTestChain()
})
afterAll(() => chain.close())

test('what evidence shows of a real chain is what its node says', async () => {
  const { rpc, ledger } = chain
  const first = await headNumber(rpc)
  const ends = [1, 4, 6, 11]
  const headers = makeHeaders(0, 11)
  for (const [i, end] of ends.entries()) await append(rpc, ledger, headers.slice(ends[i - 1] ?? 0, end))
  const last = await headNumber(rpc)
  const blocks: BlockEvidence[] = []
  for (let number = first + 1n; number <= last; number++) {
    const state = number === last ? [[ledger, [LEDGER_SIZE_SLOT, ...ledgerPeakSlots(11n)]] as const] : []
    blocks.push(await capture(rpc, number, state))
  }
  const theirs = chainFacts(rpc, { finality: { kind: 'depth', confirmations: 1 } })
  for (const end of ends) {
    const consistency = consistencyPath(headers.map(hashHeader), end)
    const { chain: ours } = evidenceFacts({ blocks, ...(end < 11 && { consistency }) }, trusting(blocks))
    expect(await ours.ledgerRoot(ledger, BigInt(end))).toEqual(await theirs.ledgerRoot(ledger, BigInt(end)))
    for (const question of ['chainId', 'headBlock', 'finalBlock'] as const) {
      expect(await ours[question]()).toBe(await theirs[question]())
    }
    for (let number = first + 1n; number <= last; number++) {
      const block = await theirs.blockByNumber(number)
      expect(await ours.blockByNumber(number)).toMatchObject(block ?? {})
      for (const hash of block?.transactionHashes ?? []) {
        expect(await ours.receipt(hash)).toEqual(await theirs.receipt(hash))
      }
    }
  }
})

test('what evidence shows of a registry and of authorisations is what their chain says', async () => {
  const { rpc } = chain
  const signer = devWallet('admin', LOCAL_CHAIN_ID)
  const address = signer.address.toLowerCase() as Hex // an ethers address in lowercase
  const artifacts = {
    registry: await loadArtifact('Registry'),
    authorizations: await loadArtifact('Authorizations'),
  }
  const roles = { governance: address, registrar: address, guardian: address }
  const { registry, authorizations } = await deployRights({ rpc, signer, artifacts, roles })
  const registrar = administerRegistry({ rpc, signer }, registry)
  await registrar.addSource('urn:civil')
  const entry = {
    owner: nameId('urn:civil'),
    sharing: 'conditional',
    level: 3,
    digest: nameId('entry'),
  } as const
  await registrar.setResource('births', entry)
  await registrar.setResource('births', { ...entry, level: 200 })
  await registrar.trip({ kind: 'resource', id: nameId('births') }, 'a leak')
  const terms = { consumer: nameId('urn:tax'), resource: nameId('births'), purpose: nameId('school') }
  const times = { notBefore: 0n, notAfter: 2n ** 40n }
  const [withdrawn, kept] = [1n, 2n].map((nonce) => ({
    ...terms,
    ...times,
    subject: address,
    maxCalls: 1,
    nonce,
  }))
  if (withdrawn === undefined || kept === undefined) throw new Error('there are two grants')
  await administerGrants({ rpc, signer }, authorizations).revoke(withdrawn)
  const ids = [withdrawn, kept].map((grant) =>
    grantId({ chainId: LOCAL_CHAIN_ID, contract: authorizations }, grant),
  )
  const resources = ['births', 'deaths'].map(nameId)
  const last = await headNumber(rpc)
  const blocks = []
  for (let number = last - 4n; number <= last; number++) {
    const state = [
      [registry, resources.map(resourceSlot)],
      [authorizations, ids.map(revokedAtSlot)],
    ] as const
    blocks.push(await capture(rpc, number, state))
  }
  const { chain: facts, rights: ours } = evidenceFacts({ blocks }, trusting(blocks))
  const theirs = rightsFacts(rpc, () => undefined)
  for (let number = last - 4n; number <= last; number++) {
    const { hash = '0x' } = (await facts.blockByNumber(number)) ?? {}
    for (const resource of resources) {
      const version = await theirs.resourceVersion(registry, resource, hash)
      expect(await ours.resourceVersion(registry, resource, hash)).toBe(version)
    }
    for (const id of ids) {
      expect(await ours.revokedAt(authorizations, id, hash)).toBe(
        await theirs.revokedAt(authorizations, id, hash),
      )
    }
  }
  const place = await ours.findResourceSet(registry, nameId('births'), 2, last)
  expect(place).toEqual(await theirs.findResourceSet(registry, nameId('births'), 2, last))
  const { hash: head = '0x' } = (await facts.blockByNumber(last)) ?? {}
  expect(await ours.revokedAt(authorizations, ids[0] ?? '0x', head)).not.toBe(0n)
  expect(await ours.resourceVersion(registry, nameId('births'), head)).toBe(2)
})
