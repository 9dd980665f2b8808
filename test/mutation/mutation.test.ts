import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { goodBundles } from '../vectors/bad.ts'
import { judgeOf } from './judge.ts'
import { MUTATIONS } from './mutate.ts'
import { runMutations } from './run.ts'

test('no bundle is accepted that was changed at random, unless it shows nothing else', async () => {
  const count = process.env.CI === undefined ? 5_000 : 10_000
  const { met, outcomes, wrong } = await runMutations(7, count)
  expect(wrong).toEqual([])
  expect(Object.keys(met).sort()).toEqual(Object.keys(MUTATIONS).sort())
  expect(outcomes.refused).toBeGreaterThan(0.9 * count)
})

test('whoever judges sees when another bundle is accepted', async () => {
  const good = [...goodBundles()].find(({ name }) => name === 'history.json')
  if (good === undefined) throw new Error('there is a history')
  const { empty } = JSON.parse(readFileSync(join(import.meta.dirname, '../vectors/history.json'), 'utf8'))
  const judge = await judgeOf(good)
  expect(await judge(JSON.stringify(empty))).toBe('FALSE: it is accepted')
  expect(await judge(` ${good.bundle}`)).toBe('same meaning')
  expect(await judge(good.bundle.replace('"value":"A', '"value":"B'))).toBe('refused')
})
