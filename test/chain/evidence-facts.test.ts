import { encodeRlp, keccak256 } from 'ethers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hashHeader } from '../../src/batch/index.ts'
import { fromHex, type Hex, toHex } from '../../src/bytes/hex.ts'
import { administerGrants } from '../../src/chain/administer-grants.ts'
import { administerRegistry } from '../../src/chain/administer-registry.ts'
import { deployRights } from '../../src/chain/deploy.ts'
import { devWallet, LOCAL_CHAIN_ID } from '../../src/chain/dev-accounts.ts'
import { chainFacts } from '../../src/chain/facts.ts'
import { rightsFacts } from '../../src/chain/rights-facts.ts'
import type { Rpc } from '../../src/chain/rpc.ts'
import { consistencyPath, listKey, listTrie, withoutEmbedded } from '../../src/merkle/index.ts'
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

type Json = Record<string, Hex>

const even = (quantity: Hex): Hex => {
  const digits = quantity.slice(2).replace(/^0+/, '')
  return `0x${digits.length % 2 === 1 ? '0' : ''}${digits}`
}

/** The header's bytes, of whatever members the chain's fork has; their hash must be the block's. */
function headerOf(block: Json): Uint8Array {
  const names =
    'parentHash sha3Uncles miner stateRoot transactionsRoot receiptsRoot logsBloom difficulty number gasLimit gasUsed timestamp extraData mixHash nonce baseFeePerGas withdrawalsRoot blobGasUsed excessBlobGas parentBeaconBlockRoot requestsHash'
  const numbers = /^(?:difficulty|number|gasLimit|gasUsed|timestamp|baseFeePerGas|blobGasUsed|excessBlobGas)$/
  const members = names.split(' ').filter((name) => block[name] !== undefined && block[name] !== null)
  const header = encodeRlp(
    members.map((name) => (numbers.test(name) ? even(block[name] ?? '0x') : (block[name] ?? '0x'))),
  )
  expect(keccak256(header)).toBe(block.hash)
  return fromHex(header)
}

interface Receipt extends Record<'type' | 'status' | 'cumulativeGasUsed' | 'logsBloom', Hex> {
  logs: { address: Hex; topics: Hex[]; data: Hex }[]
}

function receiptOf({ type, status, cumulativeGasUsed, logsBloom, logs }: Receipt): Uint8Array {
  const shown = logs.map(({ address, topics, data }) => [address, topics, data])
  const bytes = fromHex(encodeRlp([even(status), even(cumulativeGasUsed), logsBloom, shown]))
  return Number(type) === 0 ? bytes : Uint8Array.of(Number(type), ...bytes)
}

const nodesOf = (proof: readonly Hex[] = []) => withoutEmbedded(proof.map((node) => fromHex(node)))

interface StateProof {
  accountProof: Hex[]
  storageProof: { proof: Hex[] }[]
}

/** What a node says of a block and of contracts after it, with all transactions shown. */
async function capture(
  rpc: Rpc,
  number: bigint,
  contracts: readonly (readonly [address: Hex, slots: readonly Hex[]])[] = [],
): Promise<BlockEvidence> {
  const tag = `0x${number.toString(16)}`
  const block = (await rpc.call('eth_getBlockByNumber', [tag, false])) as Json & { transactions: Hex[] }
  const receipts = (await rpc.call('eth_getBlockReceipts', [tag])) as Receipt[]
  const raw: Uint8Array[] = []
  for (const hash of block.transactions) {
    raw.push(fromHex((await rpc.call('eth_getRawTransactionByHash', [hash])) as Hex))
  }
  const transactions = listTrie(raw)
  const outcomes = listTrie(receipts.map(receiptOf))
  expect(toHex(transactions.root)).toBe(block.transactionsRoot)
  expect(toHex(outcomes.root)).toBe(block.receiptsRoot)
  const accounts: BlockEvidence['accounts'] = []
  for (const [address, slots] of contracts) {
    const state = (await rpc.call('eth_getProof', [address, slots, tag])) as StateProof
    accounts.push({
      address,
      accountProof: nodesOf(state.accountProof),
      storage: slots.map((slot, i) => ({ slot, proof: nodesOf(state.storageProof[i]?.proof) })),
    })
  }
  let logs = 0
  return {
    header: headerOf(block),
    transactions: receipts.map((receipt, index) => {
      const firstLogIndex = logs
      logs += receipt.logs.length
      const [transactionProof, receiptProof] = [
        transactions.prove(listKey(index)),
        outcomes.prove(listKey(index)),
      ]
      return { index, transactionProof, receiptProof, firstLogIndex }
    }),
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
