import { expect, test } from 'vitest'
import { chainFacts } from '../../src/chain/facts.ts'
import { type Rpc, RpcRefusal } from '../../src/chain/rpc.ts'

const answering = (answer: () => unknown): Rpc => ({ url: 'http://node.test', call: async () => answer() })
const finalBlock = (rpc: Rpc) => chainFacts(rpc, { finality: { kind: 'tag' } }).finalBlock()

test.each([
  ['answers that there is none', () => null],
  [
    'refuses to name one',
    () => {
      throw new RpcRefusal('eth_getBlockByNumber', -32000, 'finalized block not found')
    },
  ],
])('a chain without a finalized block, whose node %s, has none yet', async (_, answer) => {
  await expect(finalBlock(answering(answer))).rejects.toMatchObject({
    code: 'NOT_FINAL',
    message: expect.stringContaining('--finality'),
  })
})

test('a node that is busy says nothing about finality', async () => {
  const busy = answering(() => {
    throw new RpcRefusal('eth_getBlockByNumber', -32005, 'too many requests')
  })
  await expect(finalBlock(busy)).rejects.toMatchObject({ code: 'RPC_REFUSED', retryable: true })
})
