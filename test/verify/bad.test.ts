import { describe, expect, test } from 'vitest'
import { badBundles, goodBundles } from '../vectors/bad.ts'
import { refusalOf, verifyText } from './verdict.ts'

const bad = [...badBundles()]

test('there are many bad bundles of every kind, each named once', () => {
  const kinds = Map.groupBy(bad, ({ kind }) => kind)
  expect([...kinds.keys()].sort()).toEqual([
    'tidemark-history',
    'tidemark-offline',
    'tidemark-proof',
    'tidemark-receipt',
    'tidemark-submission',
  ])
  for (const [kind, all] of kinds) expect(all.length, kind).toBeGreaterThan(50)
  expect(new Set(bad.map(({ name }) => name)).size).toBe(bad.length)
})

test.each([...goodBundles()].map((one) => [one.name, one] as const))(
  'what is altered is good before: %s',
  async (_, one) => {
    await expect(verifyText(one)).resolves.toBeDefined()
  },
)

describe('a bad bundle is refused at its step', () => {
  test.each([...Map.groupBy(bad, ({ name }) => name.split(':')[0])])('%s', async (_, all) => {
    for (const { name, error, step, code, ...one } of all) {
      const expected = { error, code, ...(step !== undefined && { step }) }
      expect(await refusalOf(one), name).toEqual(expected)
    }
  })
})
