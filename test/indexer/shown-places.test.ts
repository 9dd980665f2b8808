import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Hex } from '../../src/bytes/hex.ts'
import { chainFacts } from '../../src/chain/facts.ts'
import { type Rpc, RpcRefusal } from '../../src/chain/rpc.ts'
import { ShownPlaces } from '../../src/indexer/shown-places.ts'
import { append, makeHeaders, startUnsavedTestChain, type TestChain } from '../chain/fixture.ts'

let chain: TestChain
let place: { blockHash: Hex; transactionHash: Hex }

beforeAll(async () => {
  chain = await startUnsavedTestChain()
  const transactionHash = await append(chain.rpc, chain.ledger, makeHeaders(0, 1))
  const facts = chainFacts(chain.rpc, { finality: { kind: 'depth', confirmations: 1 } })
  const receipt = await facts.receipt(transactionHash)
  if (receipt === undefined) throw new Error('it is mined')
  place = { blockHash: receipt.blockHash, transactionHash }
})
afterAll(() => chain.close())

/** A node that counts the whole blocks it is asked for, and those at once. */
function counting(refuses = () => false) {
  const count = { blocks: 0, now: 0, most: 0 }
  const rpc: Rpc = {
    url: chain.rpc.url,
    async call(method, params) {
      if (method !== 'eth_getBlockByHash') return await chain.rpc.call(method, params)
      count.blocks++
      count.most = Math.max(count.most, ++count.now)
      try {
        if (refuses()) throw new RpcRefusal(method, -32000, 'it was forgotten')
        return await chain.rpc.call(method, params)
      } finally {
        count.now--
      }
    },
  }
  return { places: new ShownPlaces(rpc), count }
}

const elsewhere = (i: number): typeof place => ({
  ...place,
  transactionHash: `0x${i.toString(16).padStart(64, '0')}`,
})

describe('what shows a transaction', () => {
  test('is made once, however many ask for it', async () => {
    const { places, count } = counting()
    const all = await Promise.all(Array.from({ length: 100 }, () => places.show(place)))
    expect(new Set([...all, await places.show(place)]).size).toBe(1)
    expect(all[0]?.transactions).toHaveLength(1)
    expect(count.blocks).toBe(1)
  })

  test('is made for one block at a time, and refused at once where too many wait', async () => {
    const { places, count } = counting()
    const asked = Array.from({ length: 40 }, (_, i) => places.show(elsewhere(i)).catch(({ code }) => code))
    const codes = await Promise.all(asked)
    expect(codes.filter((code) => code === 'RPC_MALFORMED')).toHaveLength(32)
    expect(codes.filter((code) => code === 'OVERLOADED')).toHaveLength(8)
    expect(count.most).toBe(1)
    expect(await places.show(place)).toBeDefined()
  })

  test('is asked for again where the node refused', async () => {
    let isGone = true
    const { places } = counting(() => isGone)
    await expect(places.show(place)).rejects.toMatchObject({ code: 'RPC_REFUSED' })
    isGone = false
    expect(await places.show(place)).toBeDefined()
  })
})
