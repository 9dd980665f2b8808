import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createGatewayApi, type GatewayApi } from '../../src/client/gateway-api.ts'
import { callOf, exchange, freePort, NDJSON, ndjson, startTestSystem, type TestSystem } from '../api/world.ts'
import { launchChromium } from '../browser/chromium.ts'
import { eventually } from '../store/temporary.ts'
import { give, type OpenedPage, openSettings, openVerifier, PAGE_FILE, shown } from './verifier-page.ts'

const SOURCE = 'urn:tidemark:service:tax'
const CONSUMER = String(Object(callOf(SOURCE, 'a').data).consumer)

let browser: Browser
let world: TestSystem
let api: GatewayApi
let plain: Server
let receipt: unknown

beforeAll(async () => {
  ;[browser, world] = await Promise.all([launchChromium(), startTestSystem({ runHours: 0 })])
  api = createGatewayApi(world.system.url)
  const taken = await exchange(world.system.url, 'POST', '/v1/submissions', {
    headers: { ...NDJSON, 'tidemark-sequence': '0' },
    body: ndjson(callOf(SOURCE, 'a'), callOf(SOURCE, 'b')),
  })
  expect(taken.status, taken.text).toBe(201)
  receipt = JSON.parse(taken.text).receipt
  await eventually(async () => (await api.submissionState(SOURCE, '0')) === 'final')
  plain = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8')
    response.end(readFileSync(PAGE_FILE))
  }).listen(0, '127.0.0.1')
  await once(plain, 'listening')
})
afterAll(async () => {
  await browser?.close()
  await world?.close()
  await new Promise((resolve) => plain?.close(resolve) ?? resolve(undefined))
})

const proof = async (id = 'a') => (await api.proof({ source: SOURCE, id, disclose: [] })).bundle

async function askNode({ page }: OpenedPage, url = world.system.rpcUrl): Promise<void> {
  await openSettings(page)
  await page.getByLabel('Ask a node of the chain').check()
  await page.getByLabel('Address of a node').fill(url)
}

describe.each([
  ['our own server', () => new URL('/verify', world.system.url).href],
  ['any web server', () => `http://127.0.0.1:${(plain.address() as AddressInfo).port}/some/place.html`],
  ['a saved file', () => undefined],
])('opened from %s', (_, address) => {
  test('it checks a proof against the node that is named, and asks nobody else', async () => {
    const opened = await openVerifier(browser, address())
    const { page, requests, complaints } = opened
    const own = [page.url()]
    expect((await give(page, { 'proof.json': await proof() })).get('proof.json')?.verdict).toBe('unchecked')
    expect(requests).toEqual(own)
    await askNode(opened)
    await page.locator('[data-verdict=verified]').waitFor()
    expect((await shown(page)).get('proof.json')?.passed).toEqual([
      'read',
      'record',
      'batch',
      'anchor',
      'log',
    ])
    const strangers = requests.slice(1).filter((url) => !url.startsWith(world.system.rpcUrl))
    expect(strangers).toEqual([])
    expect(requests.length).toBeGreaterThan(1)
    expect(complaints).toEqual([])
    await opened.context.close()
  })
})

describe('with a node of the chain', () => {
  test('a receipt is kept when the proof of its submission lies beside it', async () => {
    const opened = await openVerifier(browser)
    const { page } = opened
    await askNode(opened)
    expect((await give(page, { 'receipt.json': receipt })).get('receipt.json')).toEqual({
      verdict: 'unchecked',
      passed: ['read', 'publisher'],
      code: 'NOT_IN_EVIDENCE',
    })
    const verdicts = await give(page, { 'submission.json': await api.submissionProof(SOURCE, 0n) })
    expect(verdicts.get('submission.json')?.verdict).toBe('verified')
    expect(verdicts.get('receipt.json')).toEqual({
      verdict: 'verified',
      passed: ['read', 'publisher', 'submission', 'promise'],
    })
    await page.getByText('Promise kept').waitFor()
    const forged = { ...Object(receipt), size: '3' }
    expect((await give(page, { 'forged.json': forged })).get('forged.json')).toEqual({
      verdict: 'refuted',
      passed: ['read'],
      failed: 'publisher',
      code: 'BAD_SIGNATURE',
    })
    await opened.context.close()
  })

  test('a history lists its records, and one that is taken out is missed', async () => {
    const opened = await openVerifier(browser)
    await askNode(opened)
    const history = JSON.parse(await text(await api.history({ consumer: CONSUMER })))
    const forged = structuredClone(history)
    for (const { found } of forged.batches) found?.items.pop()
    const verdicts = await give(opened.page, { 'history.json': history, 'forged.json': forged })
    expect(verdicts.get('history.json')?.passed).toEqual(['read', 'batches', 'anchor', 'log'])
    expect(verdicts.get('forged.json')).toMatchObject({ failed: 'batches', code: 'MISSING_RECORD' })
    const listed = opened.page.locator('article[data-file="history.json"] .verdict-records > li')
    expect(await listed.count()).toBe(2)
    await opened.context.close()
  })

  test('one that is away leaves everything unchecked, and no file is called forged for it', async () => {
    const opened = await openVerifier(browser)
    await askNode(opened, `http://127.0.0.1:${await freePort()}`)
    const verdicts = await give(opened.page, { 'proof.json': await proof() })
    expect(verdicts.get('proof.json')).toEqual({
      verdict: 'unchecked',
      passed: ['read', 'record', 'batch'],
      code: 'RPC_UNREACHABLE',
    })
    await opened.context.close()
  })
})
