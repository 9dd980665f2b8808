/**
 * Good bundles changed at random and verified: `npm run mutate -- --seed N --count M`. Exits with 1 when one is accepted
 * that shows something else, or is refused by no error that has a name.
 */
import { parseArgs } from 'node:util'
import { whole } from '../chaos/seeds.ts'
import { runMutations } from './run.ts'

const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, count: { type: 'string', default: '100000' } },
})
const seed = whole(values.seed, 'seed')
const count = whole(values.count, 'count')
const started = performance.now()
const { outcomes, met, wrong } = await runMutations(seed, count)
for (const { number, bundle, mutation, outcome, text } of wrong) {
  console.log(`mutation ${number} of ${bundle} (${mutation}): ${outcome}\n${text}`)
}
const seconds = Math.round((performance.now() - started) / 1_000)
console.log(
  Object.entries(met)
    .map(([name, times]) => `${name} ${times}`)
    .join(', '),
)
console.log(
  Object.entries(outcomes)
    .map(([name, times]) => `${name} ${times}`)
    .join(', '),
)
console.log(`${count} mutations of seed ${seed} in ${seconds} s, ${wrong.length} wrong`)
if (wrong.length > 0) process.exitCode = 1
