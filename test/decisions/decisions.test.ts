import { expect, test } from 'vitest'
import { REASONS } from '../../src/record/index.ts'
import { judge } from './run.ts'

test('every decision of the API is the one of the contract at the block that it names', async () => {
  const { counts, mismatches, mismatchCount, decisions } = await judge({
    seed: 'small',
    resources: 10,
    grants: 130,
    calls: 2_000,
    phases: 3,
    onProgress: () => undefined,
  })
  expect(mismatches).toEqual([])
  expect([mismatchCount, decisions]).toEqual([0, 2_000])
  expect([...counts.keys()].sort()).toEqual([...REASONS].sort())
})
