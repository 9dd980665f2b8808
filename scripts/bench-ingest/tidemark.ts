import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Hex } from '../../src/bytes/hex.ts'
import type { SigningDomain } from '../../src/chain/signing.ts'
import { withSources } from '../../src/cli/catalogue.ts'
import { createGatewayApi } from '../../src/client/gateway-api.ts'
import { endProcess, findDescendant, startServer, type Undo } from './processes.ts'
import { recordId, sourceKey, sourceName } from './records.ts'
import type { Stages, Subject } from './subject.ts'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const POLL_MS = 20
const SETTLE_MS = 30 * 60_000

export interface TidemarkOptions {
  folder: string
  sources: number
  /** where its processor profiles go */
  profile: string | undefined
}

/** `tidemark up` as everybody starts it, over its embedded chain; every source is registered with a key. */
export async function startTidemark(
  { folder, sources, profile }: TidemarkOptions,
  undo: Undo,
): Promise<Subject & { domain: SigningDomain }> {
  const data = join(folder, 'tidemark')
  await withSources(data, 'new', (registered) => {
    for (let source = 0; source < sources; source++) {
      registered.addKey(sourceName(source), sourceKey(source).address.toLowerCase() as Hex, Date.now())
    }
  })
  const profiling = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]
  const where = ['--data', data, '--port', '0', '--chain-port', '0']
  const args = [...profiling, MAIN, 'up', ...where, '--submissions', 'registered', '--json']
  const { child, said } = await startServer(process.execPath, args, undo)
  const url = String(said.api)
  const pid = child.pid ?? 0
  const anvil = findDescendant(pid, 'anvil')
  if (anvil === undefined) throw new Error('the system has started no anvil')
  const domain = await createGatewayApi(url).identity()
  return {
    domain,
    port: Number(new URL(url).port),
    pids: { tidemark: pid, anvil },
    settle: (records) => settle(url, records),
    loopDelay: () => loopDelay(url),
    stop: () => endProcess(child),
    disk: () => measureFolder(data),
  }
}

async function settle(url: string, records: number): Promise<Stages> {
  const stages: Partial<Stages> = {}
  const deadline = performance.now() + SETTLE_MS
  while (performance.now() < deadline) {
    const health = await getJson(url, '/healthz')
    const now = performance.now()
    const isSealed = health.recordsWaiting === 0
    const isAnchored = isSealed && health.batchesNotAnchored === 0
    const isSearchable = isAnchored && Number(health.batchesVerified) === Number(health.batchesSealed)
    if (isSealed) stages.sealed ??= now
    if (isAnchored) stages.anchored ??= now
    if (isSearchable) {
      await expectSearchable(url, records)
      return { sealed: now, anchored: now, ...stages, searchable: now }
    }
    await delay(POLL_MS)
  }
  throw new Error(
    `not everything is searchable after ${SETTLE_MS} ms: ${JSON.stringify(await getJson(url, '/healthz'))}`,
  )
}

/** What /healthz counts must be what was acknowledged. */
async function expectSearchable(url: string, records: number): Promise<void> {
  let found = 0
  for (let before: string | undefined = '18446744073709551615'; before !== undefined; ) {
    const page = (await getJson(url, `/v1/batches?limit=500&before=${before}`)) as {
      batches: { state: string; batch: { recordCount: number } }[]
      next?: string
    }
    for (const { state, batch } of page.batches) if (state === 'verified') found += batch.recordCount
    before = page.next
  }
  if (found !== records) throw new Error(`${records} records were acknowledged, ${found} can be found`)
}

/** Looks the last record of every source up. */
export async function expectLastRecords(port: number, size: number, sent: readonly number[]): Promise<void> {
  for (const [source, submissions] of sent.entries()) {
    if (submissions === 0) continue
    const query = new URLSearchParams({ source: sourceName(source), id: recordId(submissions * size - 1) })
    await getJson(`http://127.0.0.1:${port}`, `/v1/records?${query}`)
  }
}

async function loopDelay(url: string): Promise<{ p99: number; max: number }> {
  const text = await (await fetch(new URL('/metrics', url))).text()
  const read = (stat: string) =>
    1_000 *
    Number(new RegExp(`^tidemark_event_loop_delay_seconds\\{stat="${stat}"\\} (\\S+)$`, 'm').exec(text)?.[1])
  return { p99: read('p99'), max: read('max') }
}

async function getJson(url: string, path: string): Promise<Record<string, unknown>> {
  const response = await fetch(new URL(path, url))
  const text = await response.text()
  if (!(response.ok || path === '/healthz'))
    throw new Error(`${path} is answered with ${response.status}: ${text}`)
  return JSON.parse(text) as Record<string, unknown>
}

const PARTS: Record<string, RegExp> = {
  records: /\/records\.ndjson\.zst$/,
  tree: /\/tree\.bin$/,
  index: /\/index\.bin$/,
  vault: /\/vault\.ndjson\.zst$/,
  'submissions, header': /\/(?:submissions|header)\.json$/,
  catalogue: /\/catalogue\.sqlite/,
  log: /\/log\//,
  chain: /\/chain\//,
}

/** Bytes of all files, by the part of the system that they belong to. */
async function measureFolder(folder: string): Promise<Record<string, number>> {
  const sizes: Record<string, number> = Object.fromEntries(Object.keys(PARTS).map((part) => [part, 0]))
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const part = Object.entries(PARTS).find(([, pattern]) => pattern.test(path))?.[0] ?? 'other'
    sizes[part] = (sizes[part] ?? 0) + (await stat(path)).size
  }
  return sizes
}
