import { expect } from 'vitest'
import type { ChaosChain } from './chain.ts'
import type { Step } from './plan.ts'
import { type Result, runPlan } from './run.ts'
import type { Fault } from './steps.ts'

/** A life with one fault; the one before ends in order. */
export const lifeWith = (fault: Omit<Fault, 'times'>, times = 1): Step => ({
  victim: 0,
  end: 'SIGTERM',
  faults: [{ ...fault, times }],
})

/** Runs a life for each fault; every one must strike, and nothing may be lost or doubled. */
export async function expectToHold(chain: ChaosChain, name: string, faults: Step[]): Promise<Result> {
  const result = await runPlan({ name, gateways: 1, patient: true, steps: faults }, chain)
  expect(result.violations).toEqual([])
  for (const {
    faults: [fault],
    struck,
  } of result.trace) {
    expect(struck, JSON.stringify(fault)).toContainEqual(
      JSON.stringify({ step: fault?.step, when: fault?.when, act: fault?.act }),
    )
  }
  return result
}
