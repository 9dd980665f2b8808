import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ChaosChain, startChaosChain } from './chain.ts'
import { expectToHold, lifeWith } from './lives.ts'
import { DURABLE_STEPS } from './steps.ts'

let chain: ChaosChain
beforeAll(async () => {
  chain = await startChaosChain()
})
afterAll(() => chain.close())

describe('every acknowledged record is on the chain once, in order, and the store agrees with the chain', () => {
  test.concurrent.for(DURABLE_STEPS)('KILLED BEFORE AND AFTER: %s', async (step) => {
    const result = await expectToHold(chain, step, [
      lifeWith({ step, when: 'before', act: 'kill', nth: 2 }),
      lifeWith({ step, when: 'after', act: 'kill', nth: 2 }),
    ])
    expect(result.trace.map(({ ending }) => ending)).toEqual(['SIGKILL', 'SIGKILL'])
  })
})
