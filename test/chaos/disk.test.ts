import { afterAll, beforeAll, describe, test } from 'vitest'
import { type ChaosChain, startChaosChain } from './chain.ts'
import { expectToHold, lifeWith } from './lives.ts'
import { DISK_STEPS } from './steps.ts'

let chain: ChaosChain
beforeAll(async () => {
  chain = await startChaosChain()
})
afterAll(() => chain.close())

describe('every acknowledged record is on the chain once, in order, and the store agrees with the chain', () => {
  test.concurrent.for(DISK_STEPS)('THE DISK FAILS, THEN IS FULL: %s', async (step) => {
    await expectToHold(chain, step, [
      lifeWith({ step, when: 'before', act: 'EIO', nth: 1 }),
      lifeWith({ step, when: 'after', act: 'EIO', nth: 3 }),
      lifeWith({ step, when: 'before', act: 'ENOSPC', nth: 2 }, 3),
    ])
  })

  test.concurrent('THE DISK TAKES HALF OF A GROUP, AND SAYS SO BY THE COUNT ALONE', async () => {
    await expectToHold(chain, 'short', [
      lifeWith({ step: 'log write', when: 'before', act: 'short', nth: 2 }, 3),
    ])
  })
})
