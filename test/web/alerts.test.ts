import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { withSources } from '../../src/cli/catalogue.ts'
import { toJsonAlert } from '../../src/indexer/alert.ts'
import { parseRulePolicy } from '../../src/rules/policy.ts'
import { Alerts } from '../../src/store/alerts.ts'
import { openDatabase } from '../../src/store/database.ts'
import { exchange } from '../api/world.ts'
import { call, HOUR_MS, MONDAY_MS } from '../rules/seen.ts'
import { headerOf } from '../store/headers.ts'
import { eventually } from '../store/temporary.ts'
import { axe, overflow, startWeb, untranslated, type Web } from './harness.ts'

const HOSTILE = '<img src=x onerror=alert(1)>'
const NINE = MONDAY_MS + 9 * HOUR_MS
const [HANDLER, AUDITOR, REVOKED] = ['tidemark_handler', 'tidemark_auditor', 'tidemark_revoked']

let web: Web
let revoked = ''

beforeAll(async () => {
  web = await startWeb({
    rules: parseRulePolicy({ reorderMs: 0, trip: { 'call-without-grant': 'everything' } }),
  })
  const path = web.world.dataPath
  await withSources(path, 'existing', (sources) => {
    sources.addToken(HANDLER, { role: 'handler' }, 'desk', 0)
    sources.addToken(AUDITOR, { role: 'auditor' }, '', 0)
    revoked = sources.addToken(REVOKED, { role: 'handler' }, '', 0).id
  })
  // An answered call to what nobody shares, of a consumer whose name would be script.
  const planted = [0, 1, 2].map((i) =>
    call(NINE + i * 1_000, { sharing: 'prohibited', side: 'provider', consumer: HOSTILE }),
  )
  await web.send(planted.map(({ record }) => ({ ...record })))
  await eventually(async () => (await alerts('rule=call-without-grant')).length === 3 || undefined)
  raiseFraud(path)
  await eventually(async () => {
    const { text } = await exchange(web.url, 'GET', '/v1/breaker')
    return JSON.parse(text).trips.length > 0 || undefined
  })
})
afterAll(() => web?.close())

async function alerts(search: string): Promise<{ id: string; state?: string }[]> {
  return JSON.parse((await exchange(web.url, 'GET', `/v1/alerts?${search}`)).text).alerts
}

/** As an indexer does that finds a batch altered. */
function raiseFraud(path: string): void {
  const database = openDatabase(join(path, 'catalogue.sqlite'))
  const hash = `0x${'ab'.repeat(32)}` as const
  const entry = {
    ...{ logIndex: 99n, header: headerOf(99), blockNumber: 7n, blockHash: hash },
    ...{ transactionHash: hash, eventIndex: 0, state: 'fraud' as const, reason: undefined },
    attempts: 1,
  }
  const files = [{ name: 'records.ndjson.zst', sha256: hash, sizeBytes: 1, from: HOSTILE }]
  const document = toJsonAlert(
    { kind: 'fraud', entry, expected: 'the root of the header', found: HOSTILE, files },
    web.world.system.identity,
  )
  try {
    const key = { logIndex: 99n, kind: 'fraud', subject: '' }
    new Alerts(database).raise(key, JSON.stringify(document), Date.now())
  } finally {
    database.close()
  }
}

const cards = (page: Page, title: string) =>
  page.locator('.alert', { has: page.getByRole('heading', { name: title, exact: true }) })

describe('alerts', () => {
  test('are listed with their clock, what shows them, and links to the records; hostile names are text', async () => {
    const { page, complaints, close } = await web.open('/alerts')
    const card = cards(page, 'Call without a grant').first()
    await card.waitFor()
    expect(await card.locator('.clock').textContent()).toMatch(
      /^0:\d\d:\d\d left to report it to be reported by/,
    )
    await card.getByText('What shows it').click()
    expect(await card.locator('.values').textContent()).toContain('the resource is shared with nobody')
    expect(await card.locator('.values').textContent()).toContain(HOSTILE)
    const link = card.locator('.records a').first()
    expect(await link.getAttribute('href')).toMatch(/^\/explore\?source=.+&id=.+/)
    const fraud = cards(page, 'Altered batch')
    await fraud.getByText('What shows it').click()
    expect(await fraud.locator('.values').textContent()).toContain(HOSTILE)
    expect(await fraud.locator('.values').textContent()).toContain('99')
    expect(await page.locator('img').count()).toBe(0)
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      card.getByRole('button', { name: 'Download as JSON' }).click(),
    ])
    const [newest] = await alerts('rule=call-without-grant&limit=1')
    expect(JSON.parse(await readFile(await download.path(), 'utf8'))).toEqual(newest)
    expect(complaints).toEqual([])
    await close()
  })

  test('have a clock that goes by the time of the server, warns, and says how long it is over', async () => {
    const { page, complaints, close } = await web.open('/ledger')
    // Whenever it hears of something new, the page sets its clock by the server again: here it hears of nothing.
    const silence = { contentType: 'text/event-stream', body: 'retry: 600000\n\n' }
    await page.route('**/v1/events', (route) => route.fulfill(silence))
    // A reader whose own clock is years off.
    await page.clock.install({ time: new Date('2031-03-01T12:00:00Z') })
    await page.goto(new URL('/alerts?rule=call-without-grant', web.url).href)
    const clock = page.locator('.alert .clock').first()
    await clock.getByText(/^0:5\d:\d\d left to report it$/).waitFor()
    await page.clock.fastForward('50:00')
    await clock.getByText(/^Only 0:0\d:\d\d left to report it$/).waitFor()
    await page.clock.fastForward('02:00:00')
    await clock.getByText(/^Overdue by 1:\d\d:\d\d$/).waitFor()
    expect(complaints).toEqual([])
    await close()
  })

  test('are filtered by what the URL says, and the filters change it', async () => {
    const { page, complaints, close } = await web.open('/alerts?rule=fraud')
    await cards(page, 'Altered batch').waitFor()
    expect(await page.locator('.alert').count()).toBe(1)
    await page.getByLabel('Rule').selectOption({ label: 'Call without a grant' })
    await cards(page, 'Call without a grant').nth(2).waitFor()
    expect(await page.locator('.alert').count()).toBe(3)
    await page.getByLabel('Department').fill(HOSTILE)
    await page.keyboard.press('Enter')
    await page.waitForURL(/department=/)
    await cards(page, 'Call without a grant').nth(2).waitFor()
    await page.getByLabel('Severity').selectOption('low')
    await page.getByText('No alert is like that.').waitFor()
    await page.getByRole('link', { name: 'Show all' }).click()
    await cards(page, 'Altered batch').waitFor()
    expect(complaints).toEqual([])
    await close()
  })

  test('show what the breaker stopped', async () => {
    const { page, close } = await web.open('/alerts')
    const row = page.locator('.breaker tbody tr').first()
    await row.waitFor()
    expect(await row.textContent()).toMatch(/^everything.*call-without-grant.*in force$/)
    await close()
  })
})

describe('handling', () => {
  test('is for who has a token for it: it is reported, then closed, and the list says so', async () => {
    const { page, complaints, close } = await web.open('/alerts?rule=call-without-grant', { token: HANDLER })
    const card = page.locator('.alert').first()
    await card.getByText('Handle', { exact: true }).click()
    await card.getByLabel(/^Note/).fill('called the office')
    await card.getByRole('button', { name: 'It has been reported' }).click()
    await card.locator('.clock', { hasText: /^Reported/ }).waitFor()
    const [found] = await alerts('rule=call-without-grant')
    expect(found?.state).toBe('reported')
    await card.getByRole('button', { name: 'Close it' }).click()
    await card.locator('.clock', { hasText: /^Closed/ }).waitFor()
    expect((await alerts('rule=call-without-grant&open=false')).map(({ id }) => id)).toEqual([found?.id])
    expect(complaints).toEqual([])
    await close()
  })

  test('is refused in words to everybody else, and to a token that was revoked meanwhile', async () => {
    const open = async (token?: string) => {
      const opened = await web.open('/alerts?open=true&rule=call-without-grant', {
        ...(token !== undefined && { token }),
      })
      const card = opened.page.locator('.alert').first()
      await card.getByText('Handle', { exact: true }).click()
      return { ...opened, card }
    }
    const anybody = await open()
    await anybody.card.getByText(/^Who has a token that handles alerts/).waitFor()
    await anybody.close()
    const auditor = await open(AUDITOR)
    await auditor.card.getByText(/^The token that you are signed in with does not/).waitFor()
    await auditor.close()
    const late = await open(REVOKED)
    const button = late.card.getByRole('button', { name: 'Close it' })
    await button.waitFor()
    await withSources(web.world.dataPath, 'existing', (sources) => sources.revokeToken(revoked, 1))
    await button.click()
    await late.card.getByText('Your token is not known here any more. Sign in again.').waitFor()
    await late.close()
  })

  test('of a new alert begins by itself, without a reload', async () => {
    const { page, close } = await web.open('/alerts?open=true&rule=call-without-grant')
    await page.locator('.alert').nth(1).waitFor()
    const { record } = call(NINE + 10_000, { sharing: 'prohibited', side: 'provider' })
    await web.send([{ ...record }])
    await page.locator('.alert').nth(2).waitFor()
    await close()
  })
})

test.each([
  ['en', 'light', 1280],
  ['zh', 'dark', 375],
] as const)('alerts are for everybody: %s, %s, %i pixels', async (language, theme, width) => {
  const { page, complaints, close } = await web.open('/alerts', { language, theme, width, token: HANDLER })
  await page.locator('.alert').nth(1).waitFor()
  for (const summary of await page.locator('summary').all()) await summary.click()
  expect(await overflow(page)).toBe(0)
  expect(await untranslated(page)).toEqual([])
  expect(await axe(page)).toEqual([])
  expect(complaints).toEqual([])
  await close()
})
