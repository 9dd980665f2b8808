import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ChainFault, type ChaosChain, startChaosChain } from './chain.ts'
import { planOf, type Step } from './plan.ts'
import type { RpcFault } from './proxy.ts'
import { type Result, runPlan } from './run.ts'

let chain: ChaosChain
beforeAll(async () => {
  chain = await startChaosChain()
})
afterAll(() => chain.close())

async function expectToHold(steps: readonly Partial<Step>[], gateways = 1): Promise<Result> {
  const plan = {
    name: 'weather',
    gateways,
    patient: true,
    steps: steps.map((step) => ({ victim: 0, end: undefined, faults: [], ...step })),
  }
  const result = await runPlan(plan, chain)
  expect(result.violations).toEqual([])
  expect(result.acknowledged).toBeGreaterThan(0)
  return result
}

describe('every acknowledged record is on the chain once, in order, and the store agrees with the chain', () => {
  const NODES: Record<string, RpcFault> = {
    'DROPS CALLS UNHEARD': { kind: 'cut', when: 'before', times: 5 },
    'DROPS ANSWERS': { kind: 'cut', when: 'after', times: 5 },
    'IS SLOW': { kind: 'delay', delayMs: 200, times: 4 },
    'HEARS EVERYTHING TWICE': { kind: 'duplicate', times: 40 },
    'IS BEHIND': { kind: 'old', blocks: 8, mixed: false, times: 60 },
    'IS ONE OF TWO, THE OTHER BEHIND': { kind: 'old', blocks: 4, mixed: true, times: 60 },
    'FAILS INSIDE': { kind: 'refuse', times: 5 },
    'CONFIRMS BROADCASTS AND FORGETS THEM': { kind: 'swallow', times: 2 },
  }
  test.for(Object.entries(NODES))('A NODE THAT %s', async ([, rpc]) => {
    const { trace } = await expectToHold([{}, { rpc }])
    expect(trace[1]?.rpcHits).toBe(rpc.times)
  })

  test('TRANSACTIONS VANISH FROM THE MEMPOOL', async () => {
    const { trace } = await expectToHold([{}, { chain: { kind: 'vanish' } }])
    expect(trace[1]?.chainDid).toMatch(/^\d+ transactions vanished$/)
  })

  test('THE BASE FEE RISES TENFOLD, TWICE', async () => {
    const rise: ChainFault = { kind: 'base fee', times: 10 }
    await expectToHold([{}, { chain: rise }, { chain: rise }])
  })

  test('REORGS OF 1 TO 32 BLOCKS', async () => {
    const depths = [1, 2, 3, 5, 8, 13, 21, 32]
    await expectToHold([{}, ...depths.map((depth) => ({ chain: { kind: 'reorg', depth } as const }))])
  })

  test('TWO PUBLISHERS AT ONCE, one killed after the other, and a reorg', async () => {
    const { batches } = await expectToHold(
      [{}, { end: 'SIGKILL' }, { victim: 1, end: 'SIGKILL' }, { chain: { kind: 'reorg', depth: 6 } }],
      2,
    )
    expect(batches).toBeGreaterThan(3)
  })
})

test('a seed gives the same plan again, and another seed another', () => {
  expect(planOf(7, 20)).toEqual(planOf(7, 20))
  expect(planOf(7, 20)).not.toEqual({ ...planOf(8, 20), name: 'seed 7' })
})
