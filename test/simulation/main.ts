/**
 * Indexers among reorgs, nodes and publishers that fail and lie, again and again: `npm run simulate -- --seed N` for one,
 * `--seeds A..B` or `--count N` for many. Exits with 1 when an index is not what a quiet run makes of the same chain,
 * or when many seeds left out a kind of fault.
 */
import { parseArgs } from 'node:util'
import { SEED_OPTIONS, seedsOf, whole } from '../chaos/seeds.ts'
import { NODE_FAULTS } from './node.ts'
import { planOf, REORGS, RESTARTS } from './plan.ts'
import { PUBLISHER_FAULTS } from './publisher.ts'
import { type Result, runPlan } from './run.ts'
import { Tally } from './tally.ts'

const DEFAULT_STEPS = 6
/** So many seeds meet every kind of fault. */
const MEET_ALL = 20

const { values } = parseArgs({
  options: {
    ...SEED_OPTIONS,
    steps: { type: 'string', default: String(DEFAULT_STEPS) },
  },
})
const steps = whole(values.steps, 'steps')
const seeds = seedsOf(values)
const tally = new Tally([...NODE_FAULTS, ...PUBLISHER_FAULTS, ...REORGS, ...RESTARTS])
const started = performance.now()
const failed: number[] = []
let batches = 0
let next = 0
await Promise.all(Array.from({ length: Math.min(whole(values.jobs, 'jobs'), seeds.length) }, work))

const seconds = Math.round((performance.now() - started) / 1_000)
console.log(`met: ${tally}`)
console.log(
  `${seeds.length} seeds of ${steps} steps in ${seconds} s, ${batches} batches, ${failed.length} failed`,
)
if (failed.length > 0) process.exitCode = 1
if (seeds.length >= MEET_ALL && tally.missing().length > 0) {
  console.log(`no seed met: ${tally.missing().join(', ')}`)
  process.exitCode = 1
}

async function work(): Promise<void> {
  while (next < seeds.length) {
    const seed = seeds[next++] ?? 0
    report(seed, await runPlan(planOf(seed, steps), tally))
  }
}

function report(seed: number, result: Result): void {
  batches += result.batches
  const passed = result.violations.length === 0
  console.log(
    `seed ${seed}: ${passed ? 'the same index' : 'FAILS'}, ${result.batches} batches, ${result.records} records, ${result.ms} ms`,
  )
  if (passed) return
  failed.push(seed)
  for (const violation of result.violations) console.log(`  ${violation}`)
  console.log(`  again: npm run simulate -- --seed ${seed} --steps ${steps}`)
}
