/**
 * Holds every decision of a running system against the contract's at the block that it names: `npm run prove:decisions --
 * [--seed TEXT] [--resources 50] [--grants 10000] [--calls 200000] [--phases 8]`. Exits with 1 when one is another, or
 * when a reason never came up.
 */
import { parseArgs } from 'node:util'
import { whole } from '../test/chaos/seeds.ts'
import { judge } from '../test/decisions/run.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    resources: { type: 'string', default: '50' },
    grants: { type: 'string', default: '10000' },
    calls: { type: 'string', default: '200000' },
    phases: { type: 'string', default: '8' },
  },
})
const started = performance.now()
const seconds = () => `${Math.round((performance.now() - started) / 1_000)} s`
const verdict = await judge({
  seed: values.seed,
  resources: whole(values.resources, 'resources'),
  grants: whole(values.grants, 'grants'),
  calls: whole(values.calls, 'calls'),
  phases: whole(values.phases, 'phases'),
  onProgress: (message) => console.log(`${seconds()}: ${message}`),
})
const { counts, missing, mismatches, mismatchCount, decisions, blocks, latenciesMs, perSecond } = verdict
for (const [reason, count] of [...counts].sort(([, a], [, b]) => b - a)) {
  console.log(`${reason.padEnd(16)} ${String(count).padStart(8)}`)
}
const percentile = (share: number) => latenciesMs[Math.floor(share * (latenciesMs.length - 1))]?.toFixed(2)
console.log(
  `${decisions} decisions at ${blocks} blocks, seed ${values.seed}: ${mismatchCount} are not the contract's, in ${seconds()}`,
)
console.log(
  `the API gave ${perSecond} a second, half of them in lists of 100; single ones in ${percentile(0.5)} ms (median), ${percentile(0.99)} ms (99th percentile)`,
)
for (const mismatch of mismatches) console.log(`  ${mismatch}`)
if (missing.length > 0) console.log(`no decision was: ${missing.join(', ')}`)
if (mismatchCount > 0 || missing.length > 0) process.exitCode = 1
