/**
 * Gateways under a storm of faults, again and again: `npm run chaos -- --seed N --steps M` for one storm,
 * `--seeds A..B` or `--count N` for many. Exits with 1 when something acknowledged was lost or doubled.
 */
import { parseArgs } from 'node:util'
import { startChaosChain } from './chain.ts'
import { planOf } from './plan.ts'
import { type Result, runPlan } from './run.ts'
import { SEED_OPTIONS, seedsOf, whole } from './seeds.ts'

const DEFAULT_STEPS = 4
/** A chain keeps what it has mined; a fresh one now and then stays quick. */
const SEEDS_A_CHAIN = 40

const { values } = parseArgs({
  options: {
    ...SEED_OPTIONS,
    steps: { type: 'string', default: String(DEFAULT_STEPS) },
    trace: { type: 'boolean', default: false },
  },
})
const steps = whole(values.steps, 'steps')
const seeds = seedsOf(values)
const started = performance.now()
const failed: number[] = []
const totals = { acknowledged: 0, batches: 0, struck: 0, planned: 0 }
let next = 0
await Promise.all(Array.from({ length: Math.min(whole(values.jobs, 'jobs'), seeds.length) }, work))

const seconds = Math.round((performance.now() - started) / 1_000)
console.log(
  `${seeds.length} seeds of ${steps} steps in ${seconds} s, ${failed.length} failed: ${totals.acknowledged} submissions acknowledged, ${totals.batches} batches, ${totals.struck} of ${totals.planned} planned faults struck`,
)
if (failed.length > 0) process.exitCode = 1

async function work(): Promise<void> {
  while (next < seeds.length) {
    const chain = await startChaosChain()
    try {
      for (let i = 0; i < SEEDS_A_CHAIN && next < seeds.length; i++) {
        const seed = seeds[next++] ?? 0
        report(seed, await runPlan(planOf(seed, steps), chain))
      }
    } finally {
      await chain.close()
    }
  }
}

function report(seed: number, { violations, trace, acknowledged, batches, ms }: Result): void {
  totals.acknowledged += acknowledged
  totals.batches += batches
  for (const { faults, struck } of trace) {
    totals.planned += faults.length
    totals.struck += Math.min(new Set(struck).size, faults.length)
  }
  const passed = violations.length === 0
  console.log(
    `seed ${seed}: ${passed ? 'holds' : 'FAILS'}, ${acknowledged} acknowledged, ${batches} batches, ${ms} ms`,
  )
  if (!passed || values.trace) for (const step of trace) console.log(`  ${JSON.stringify(step)}`)
  if (passed) return
  failed.push(seed)
  for (const violation of violations) console.log(`  ${violation}`)
  console.log(`  again: npm run chaos -- --seed ${seed} --steps ${steps}`)
}
