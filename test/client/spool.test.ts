import { execFile, spawn } from 'node:child_process'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { ProblemError } from '../../src/client/gateway-api.ts'
import { freePort } from '../api/world.ts'
import { eventually, temporaryFolder } from '../store/temporary.ts'
import { eventOf } from './event.ts'
import { connect, finish, idsOf, isSubmission, standBetween, startLedger } from './world.ts'

const SERVICE = fileURLToPath(new URL('./spooling-service.ts', import.meta.url))

const segmentsOf = async (path: string) =>
  (await readdir(path)).filter((name) => name.includes('.wal')).sort()

test('GATEWAY AWAY AT START: records are safe at once, and drained in order when it comes', async () => {
  const port = await freePort()
  const spoolPath = await temporaryFolder()
  const url = `http://127.0.0.1:${port}`
  const receipts: string[][] = []
  const { ledger, errors } = await connect({
    url,
    spoolPath,
    submissionRecords: 4,
    onReceipt: (_, ids) => void receipts.push([...ids]),
  })
  const ids = idsOf('a', 10)
  expect(await Promise.all(ids.map((id) => ledger.record(eventOf(id))))).toEqual(ids.map((id) => ({ id })))
  expect(errors[0]).toMatchObject({ code: 'GATEWAY_UNREACHABLE' })
  expect(ledger.waitingBytes).toBeGreaterThan(1_000)
  const gateway = await startLedger({ port })
  await ledger.flush()
  expect(ledger.waitingBytes).toBe(0)
  expect(receipts).toEqual([ids.slice(0, 4), ids.slice(4, 8), ids.slice(8)])
  await finish(ledger)
  expect(await gateway.submissionsOf('urn:service')).toEqual(receipts)
})

test('GATEWAY ENDED AND STARTED AGAIN under a recording client: every record is on the ledger once, in order', async () => {
  const port = await freePort()
  const spoolPath = await temporaryFolder()
  const dataPath = await temporaryFolder()
  const { ledger } = await connect({ url: `http://127.0.0.1:${port}`, spoolPath, submissionRecords: 5 })
  const ids = idsOf('a', 60)
  let gateway = await startLedger({ port, dataPath })
  for (const [i, id] of ids.entries()) {
    if (i % 20 === 10) await gateway.system.stop()
    if (i % 20 === 19) gateway = await startLedger({ port, dataPath })
    await ledger.record(eventOf(id))
  }
  await finish(ledger)
  expect((await gateway.submissionsOf('urn:service')).flat()).toEqual(ids)
})

test('what a closed client leaves is sent by the next, under the number it may have been sent under before', async () => {
  const gateway = await startLedger()
  let fault: 'pass' | 'lose' = 'lose'
  const between = await standBetween(gateway.url, (heard) => (isSubmission(heard) ? fault : 'pass'))
  const spoolPath = await temporaryFolder()
  const first = await connect({ url: between.url, spoolPath })
  await Promise.all(idsOf('a', 3).map((id) => first.ledger.record(eventOf(id))))
  await eventually(() => first.errors.length > 0 || undefined)
  await first.ledger.record(eventOf('later'))
  await expect(connect({ url: between.url, spoolPath })).rejects.toMatchObject({ code: 'STORE_FAILED' })
  await first.ledger.close({ timeoutMs: 1 })
  expect(await segmentsOf(spoolPath)).toEqual(['000000000000.wal.0', '000000000001.wal'])
  fault = 'pass'
  const second = await connect({ url: between.url, spoolPath })
  await second.ledger.record(eventOf('last'))
  await finish(second.ledger)
  expect(await gateway.submissionsOf('urn:service')).toEqual([idsOf('a', 3), ['later'], ['last']])
})

test('A FULL SPOOL refuses more, and takes it again when it has been drained', async () => {
  const gateway = await startLedger()
  let isAway = true
  const between = await standBetween(gateway.url, () => (isAway ? 'cut' : 'pass'))
  const spoolPath = await temporaryFolder()
  const { ledger } = await connect({ url: between.url, spoolPath, waitingBytes: 10_000 })
  const taken: string[] = []
  let refusal: unknown
  for (let i = 0; refusal === undefined; i++) {
    await ledger.record(eventOf(`${i}`)).then(
      ({ id }) => taken.push(id),
      (error: unknown) => {
        refusal = error
      },
    )
  }
  expect(refusal).toMatchObject({ code: 'OVERLOADED', message: expect.stringContaining('the spool is full') })
  expect(taken.length).toBeGreaterThan(3)
  isAway = false
  await ledger.flush()
  await ledger.record(eventOf('last'))
  await finish(ledger)
  expect((await gateway.submissionsOf('urn:service')).flat()).toEqual([...taken, 'last'])
})

test('A FULL DISK below the spool refuses what does not fit, and loses nothing of what it took', async () => {
  const spoolPath = await temporaryFolder()
  // Blocks of 1,024 bytes a file: a segment of 25 records of 4 kB does not fit.
  const { stdout } = await promisify(execFile)('bash', [
    '-c',
    'ulimit -f 60; exec "$0" "$@"',
    process.execPath,
    SERVICE,
    `http://127.0.0.1:${await freePort()}`,
    spoolPath,
    'full',
    '200',
    '3500',
  ])
  const lines = stdout.trimEnd().split('\n')
  const taken = lines.filter((line) => line.startsWith('full-'))
  expect(taken.length).toBeGreaterThan(10)
  expect(lines).toContain('refused STORE_FAILED')
  const gateway = await startLedger()
  const { ledger } = await connect({ url: gateway.url, spoolPath })
  await finish(ledger)
  expect((await gateway.submissionsOf('urn:service')).flat()).toEqual(taken)
})

test('A SPOOL WHOSE NEXT FILE CANNOT BE MADE refuses, and goes on as soon as it can', async () => {
  const gateway = await startLedger()
  const spoolPath = await temporaryFolder()
  let isAway = true
  const between = await standBetween(gateway.url, () => (isAway ? 'cut' : 'pass'))
  const { ledger, errors } = await connect({ url: between.url, spoolPath, submissionRecords: 2 })
  await mkdir(join(spoolPath, '000000000001.wal'))
  const taken: string[] = []
  const give = (id: string) =>
    ledger.record(eventOf(id)).then(
      () => taken.push(id),
      (error: { code: string }) => error.code,
    )
  await Promise.all(idsOf('a', 2).map(give))
  expect(await give('refused')).toBe('STORE_FAILED')
  await rm(join(spoolPath, '000000000001.wal'), { recursive: true })
  await eventually(async () => (await give(`b-${taken.length}`)) !== 'STORE_FAILED' || undefined)
  isAway = false
  await finish(ledger)
  expect(taken.length).toBeGreaterThan(2)
  expect(errors.length).toBeGreaterThan(0)
  expect((await gateway.submissionsOf('urn:service')).flat()).toEqual(taken)
})

test('what the gateway will not take is set aside and told of, and the rest goes on', async () => {
  const gateway = await startLedger({
    limits: { bodyBytes: 200_000, submissionRecords: 3, inFlightBytes: 1_000_000 },
  })
  const spoolPath = await temporaryFolder()
  const { ledger, errors } = await connect({ url: gateway.url, spoolPath, submissionRecords: 5 })
  await Promise.all(idsOf('many', 5).map((id) => ledger.record(eventOf(id))))
  await Promise.all(idsOf('few', 2).map((id) => ledger.record(eventOf(id))))
  await ledger.flush()
  expect(errors).toEqual([expect.any(ProblemError)])
  expect(errors[0]).toMatchObject({ status: 413 })
  const aside = (await segmentsOf(spoolPath)).filter((name) => name.endsWith('.refused'))
  expect(aside).toEqual(['000000000000.wal.refused'])
  expect(await readFile(join(spoolPath, aside[0] ?? ''), 'utf8')).toContain('many-4')
  await finish(ledger)
  expect(await gateway.submissionsOf('urn:service')).toEqual([idsOf('few', 2)])
})

test('A REFUSED TOKEN is no reason to drop anything: it is tried again', async () => {
  const gateway = await startLedger()
  let tokenIsGood = false
  const between = await standBetween(gateway.url, (heard) =>
    isSubmission(heard) && !tokenIsGood ? { status: 401, body: '{"code":"UNKNOWN_TOKEN"}' } : 'pass',
  )
  const { ledger, errors } = await connect({ url: between.url, spoolPath: await temporaryFolder() })
  await ledger.record(eventOf('a'))
  await eventually(() => errors.length > 2 || undefined)
  tokenIsGood = true
  await finish(ledger)
  expect((await gateway.submissionsOf('urn:service')).flat()).toEqual(['a'])
})

test('A TORN END is cut off, A DAMAGED SEGMENT is set aside and told of; the others are sent', async () => {
  const gateway = await startLedger()
  const spoolPath = await temporaryFolder()
  const away = `http://127.0.0.1:${await freePort()}`
  const first = await connect({ url: away, spoolPath, submissionRecords: 1 })
  for (const id of idsOf('a', 3)) await first.ledger.record(eventOf(id))
  await first.ledger.close({ timeoutMs: 1 })
  const files = (await segmentsOf(spoolPath)).map((name) => join(spoolPath, name))
  expect(files).toHaveLength(3)
  const [, damaged = '', torn = ''] = files
  const bytes = await readFile(damaged)
  bytes[60] = (bytes[60] ?? 0) ^ 1
  await writeFile(damaged, bytes)
  await writeFile(torn, Buffer.concat([await readFile(torn), Buffer.from([0, 0, 9, 9, 1, 2, 3])]))
  const second = await connect({ url: gateway.url, spoolPath })
  await finish(second.ledger)
  expect(second.errors).toEqual([expect.objectContaining({ code: 'STORE_DAMAGED' })])
  expect(await segmentsOf(spoolPath)).toContain('000000000001.wal.refused')
  expect((await gateway.submissionsOf('urn:service')).flat()).toEqual(['a-0', 'a-2'])
})

test('A RECEIPT THAT NOBODY COULD KEEP is given again: nothing is deleted before', async () => {
  const gateway = await startLedger()
  const given: string[] = []
  const { ledger, errors } = await connect({
    url: gateway.url,
    spoolPath: await temporaryFolder(),
    onReceipt(receipt) {
      given.push(receipt.root)
      if (given.length < 3) throw new Error('the cabinet is locked')
    },
  })
  await ledger.record(eventOf('a'))
  await finish(ledger)
  expect([given.length, new Set(given).size, errors.length]).toEqual([3, 1, 2])
  expect((await gateway.submissionsOf('urn:service')).flat()).toEqual(['a'])
})

test('A SERVICE KILLED 8 TIMES AT ANY MOMENT: what it was told is safe is on the ledger once, in order, whatever the network does', async () => {
  const gateway = await startLedger()
  let exchanges = 0
  const faults = ['pass', 'lose', 'pass', 'cut', 'pass'] as const
  const between = await standBetween(gateway.url, () => faults[exchanges++ % faults.length] ?? 'pass')
  const spoolPath = await temporaryFolder()
  const told: string[] = []
  for (let round = 0; round < 8; round++) {
    const child = spawn(process.execPath, [SERVICE, between.url, spoolPath, `r${round}`, '100000'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8')
    })
    await eventually(() => text.length > 300 || undefined)
    await delay(37 * round)
    const closed = new Promise((resolve) => child.once('close', resolve))
    child.kill('SIGKILL')
    await closed
    told.push(
      ...text
        .split('\n')
        .filter((line) => line.startsWith(`r${round}-`))
        .slice(0, -1),
    )
  }
  const { ledger } = await connect({ url: gateway.url, spoolPath })
  await finish(ledger)
  expect(await segmentsOf(spoolPath)).toHaveLength(1)
  const ids = (await gateway.submissionsOf('urn:service')).flat()
  expect(new Set(ids).size, 'none twice').toBe(ids.length)
  const places = new Map(ids.map((id, i) => [id, i]))
  expect(
    told.filter((id) => !places.has(id)),
    'none lost',
  ).toEqual([])
  const order = ids.map((id) => id.slice(1).split('-').map(Number))
  const inOrder = order.toSorted(([r = 0, i = 0], [s = 0, k = 0]) => r - s || i - k)
  expect(order).toEqual(inOrder)
  expect(told.length).toBeGreaterThan(200)
}, 90_000)
