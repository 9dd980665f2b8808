import { readdir, readFile } from 'node:fs/promises'
import { expect, onTestFinished, test } from 'vitest'
import { createRpc } from '../../src/chain/rpc.ts'
import { eventually } from '../store/temporary.ts'
import { callOf, exchange, NDJSON, ndjson, startTestSystem, type TestSystem } from './world.ts'

const AFTER_MS = 300

/** A system whose chain takes transactions and mines none, and has one batch that waits for it. */
async function startStalled(failClosed: boolean) {
  const world = await startTestSystem({ stall: { afterMs: AFTER_MS, failClosed } })
  onTestFinished(world.close)
  const rpc = createRpc(world.system.rpcUrl)
  await rpc.call('evm_setAutomine', [false])
  // Whatever becomes of the test, the system ends by waiting for the chain.
  onTestFinished(() => resume(world))
  expect((await post(world, 'before')).status).toBe(201)
  const health = await eventually(async () => {
    const answer = await exchange(world.system.url, 'GET', '/healthz')
    return answer.status === 503 ? JSON.parse(answer.text) : undefined
  })
  return { world, health }
}

async function resume({ system }: TestSystem): Promise<void> {
  const rpc = createRpc(system.rpcUrl)
  await rpc.call('evm_setAutomine', [true])
  await rpc.call('evm_mine', [])
}

const post = ({ system }: TestSystem, id: string, headers: Record<string, string> = {}) =>
  exchange(system.url, 'POST', '/v1/submissions', {
    headers: { ...NDJSON, ...headers },
    body: ndjson(callOf('urn:stall', id)),
  })

async function metric({ system }: TestSystem, name: string): Promise<number> {
  const { text } = await exchange(system.url, 'GET', '/metrics')
  return Number(new RegExp(`^tidemark_${name} (\\S+)$`, 'm').exec(text)?.[1])
}

test('A CHAIN THAT MINES NOTHING: health says so with the backlog and its age, and work goes on', async () => {
  const { world, health } = await startStalled(false)
  expect(health).toMatchObject({ status: 'degraded', batchesSealed: '1', batchesAnchored: '0' })
  expect(health.batchesNotAnchored).toBe(1)
  expect(health.problems).toEqual([
    expect.stringMatching(
      /^the chain has stalled: 1 sealed batches wait for it, the oldest for \d+ seconds$/,
    ),
  ])
  expect(await metric(world, 'batches_not_anchored')).toBe(1)
  expect(await metric(world, 'oldest_not_anchored_seconds')).toBeGreaterThan(AFTER_MS / 1_000)
  expect(await metric(world, 'problems')).toBe(1)
  expect((await post(world, 'during')).status).toBe(201)

  await resume(world)
  await eventually(
    async () => (await exchange(world.system.url, 'GET', '/healthz')).status === 200 || undefined,
  )
  await eventually(async () => (await metric(world, 'batches\\{state="final"\\}')) === 2 || undefined)
  expect(await metric(world, 'batches_not_anchored')).toBe(0)
})

test('A CHAIN THAT MINES NOTHING with fail-closed: new work is refused and told why, what is known is answered', async () => {
  const { world } = await startStalled(true)
  const refused = await post(world, 'during')
  expect(refused.status).toBe(503)
  expect(refused.headers['retry-after']).toBe('30')
  expect(JSON.parse(refused.text)).toMatchObject({
    code: 'CHAIN_STALLED',
    detail: expect.stringContaining('the chain has stalled: 1 sealed batches wait for it'),
  })
  const repeated = await post(world, 'before', { 'tidemark-sequence': '0' })
  expect(repeated.status, 'what was taken before gets its receipt again').toBe(201)

  await resume(world)
  await eventually(async () => (await post(world, 'after')).status === 201 || undefined)
})

test('A FROZEN CHAIN that answers nothing at all: health and work go on, and all arrives once it thaws', async () => {
  const world = await startTestSystem({ stall: { afterMs: AFTER_MS, failClosed: false } })
  onTestFinished(world.close)
  const pids = await anvilsOf(world.dataPath)
  expect(pids).toHaveLength(1)
  const signal = (name: NodeJS.Signals) => {
    for (const pid of pids) process.kill(pid, name)
  }
  signal('SIGSTOP')
  onTestFinished(() => signal('SIGCONT'))
  expect((await post(world, 'frozen')).status).toBe(201)
  await eventually(async () => {
    const { text } = await exchange(world.system.url, 'GET', '/healthz')
    return text.includes('the chain has stalled: 1 sealed batches') || undefined
  })
  expect((await post(world, 'frozen too')).status).toBe(201)
  expect(await metric(world, 'records_accepted_total')).toBe(2)
  signal('SIGCONT')
  // What is frozen is saved rarely for a while: saving seems to take long.
  const thawed = async () => (await metric(world, 'batches\\{state="final"\\}')) === 2 || undefined
  await eventually(thawed)
})

/** The EVMs that work in a folder, not their guards. */
async function anvilsOf(folder: string): Promise<number[]> {
  const found: number[] = []
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    // A process may end while it is looked at.
    const [program = '', ...args] = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split(
      '\0',
    )
    if (/anvil/.test(program) && args.some((arg) => arg.startsWith(folder))) found.push(Number(pid))
  }
  return found
}
