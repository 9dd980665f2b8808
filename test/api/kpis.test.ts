import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { MonthlyReport } from '../../src/audit/monthly-report.ts'
import { createRpc } from '../../src/chain/rpc.ts'
import { nameId } from '../../src/record/index.ts'
import { tidemark } from '../e2e/processes.ts'
import { administer } from '../indexer/rights-world.ts'
import { exampleOf } from '../record/examples.ts'
import { eventually, temporaryFolder } from '../store/temporary.ts'
import { exchange, NDJSON, ndjson, startTestSystem, type TestSystem } from './world.ts'

let world: TestSystem

// Each test counts all of its ledger.
beforeEach(async () => {
  world = await startTestSystem()
})
afterEach(() => world.close())

const ask = (path: string) => exchange(world.system.url, 'GET', path)

async function send(source: string, sequence: number, records: readonly unknown[]): Promise<void> {
  const sent = await exchange(world.system.url, 'POST', '/v1/submissions', {
    headers: NDJSON,
    body: ndjson(...records),
  })
  expect(sent.status, sent.text).toBe(201)
  const state = async () => (await ask(`/v1/submissions?source=${source}&sequence=${sequence}`)).text
  await eventually(async () => JSON.parse(await state()).state === 'final' || undefined)
}

const call = (source: string, id: string, side: string, time: string) => {
  const example = exampleOf('tidemark.call.v1')
  const data = { ...example.data, side, consumer: 'urn:b', provider: 'urn:a', requestId: id }
  return { ...example, source, id, time, data }
}

async function kpis(month: string): Promise<MonthlyReport> {
  const { status, text } = await ask(`/v1/kpis?month=${month}&utcOffset=0`)
  expect(status, text).toBe(200)
  return JSON.parse(text)
}

test('the report of a month grows with the ledger, and anybody computes the same from the batch files', {
  timeout: 120_000,
}, async () => {
  const may = '2026-05-10T00:00:00.000Z'
  await send(
    'urn:a',
    0,
    ['p', 'q'].map((id) => call('urn:a', id, 'provider', may)),
  )
  const first = await kpis('2026-05')
  expect(first).toMatchObject({ format: 'tidemark-report/1', leftOut: [], ledger: { size: '1' } })
  expect(first.total).toMatchObject({ asProvider: { calls: 2 }, asConsumer: { calls: 0, toldByOthers: 2 } })

  await send(
    'urn:b',
    0,
    ['p', 'r'].map((id) => call('urn:b', id, 'consumer', may)),
  )
  await send('urn:a', 1, [
    call('urn:a', 'late', 'provider', may),
    call('urn:a', 's', 'provider', '2026-06-01T00:00:00.000Z'),
  ])
  const [second, june, again] = await Promise.all([kpis('2026-05'), kpis('2026-06'), kpis('2026-05')])
  expect(second.total).toMatchObject({ asProvider: { calls: 3, toldByOthers: 2 }, asConsumer: { calls: 2 } })
  expect(june.total).toMatchObject({ asProvider: { calls: 1 }, resources: { shared: 1, used: 1 } })
  expect(again).toEqual(second)
  const ledger = JSON.parse((await ask('/v1/ledger')).text)
  expect(second.ledger).toEqual({
    chainId: ledger.chainId,
    ledger: ledger.ledger,
    size: '3',
    root: ledger.root,
  })

  const file = join(await temporaryFolder(), 'report.json')
  const compare = async (report: unknown) => {
    await writeFile(file, JSON.stringify(report))
    return tidemark(['report', '--batches', join(world.dataPath, 'batches'), '--compare', file])
  }
  // The one that was made before the ledger grew says which entries it is about.
  for (const report of [first, second]) {
    const { code, stdout } = await compare(report)
    expect(code, stdout).toBe(0)
    expect(stdout).toContain(`root ${report.ledger?.root}`)
  }
  const forged = structuredClone(second)
  forged.total.asProvider.calls = 4
  expect(await compare(forged)).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('total.asProvider.calls: the report says 4, it is 3'),
  })
  const shortened = { ...second, ledger: { ...second.ledger, size: '1' }, batches: first.batches }
  expect((await compare(shortened)).stdout).toContain('ledger.root: the report says')
  const printed = await tidemark([
    'report',
    '--api',
    world.system.url,
    '--month',
    '2026-05',
    '--utc-offset',
    '0',
  ])
  expect(printed.stdout).toMatch(/^urn:a +3 /m)
  expect(world.troubles).toEqual([])
})

test('what departments share is what the registry says, once it knows a resource', {
  timeout: 120_000,
}, async () => {
  const { rights, rpcUrl } = world.system
  if (rights === undefined) throw new Error('the embedded chain has a registry')
  const { registrar } = administer(createRpc(rpcUrl), rights)
  for (const source of ['urn:a', 'urn:b']) await registrar.addSource(source)
  for (const [name, owner, sharing] of [
    ['weather', 'urn:b', 'unconditional'],
    ['civil-registry/births', 'urn:a', 'conditional'],
    ['secrets', 'urn:a', 'prohibited'],
  ] as const) {
    await registrar.setResource(name, { owner: nameId(owner), sharing, level: 1, digest: nameId(name) })
  }
  await send('urn:a', 0, [call('urn:a', 't', 'provider', '2026-07-01T00:00:00.000Z')])
  const report = await eventually(async () => {
    const july = await kpis('2026-07')
    return july.shared?.length === 2 ? july : undefined
  })
  expect(report.shared).toEqual([
    { resource: 'civil-registry/births', owner: 'urn:a' },
    { resource: 'weather', owner: 'urn:b' },
  ])
  const resources = report.departments.map(({ department, resources }) => [department, resources])
  expect(resources).toEqual([
    ['urn:a', { shared: 1, used: 1 }],
    ['urn:b', { shared: 1, used: 0 }],
  ])
  const file = join(await temporaryFolder(), 'report.json')
  await writeFile(file, JSON.stringify(report))
  const compared = await tidemark(['report', '--batches', join(world.dataPath, 'batches'), '--compare', file])
  expect(compared.code, compared.stdout).toBe(0)
})
