import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { MonthlyReport } from '../../src/audit/monthly-report.ts'
import { callOf, exchange } from '../api/world.ts'
import type { Json } from '../record/examples.ts'
import { axe, overflow, startWeb, untranslated, type Web } from './harness.ts'

/** Names that would be script, markup of a tooltip, or a member that every object has. */
const HOSTILE = '<img src=x onerror=alert(1)>{b|x}'
const A = 'urn:office:a'
const B = 'urn:office:b'

let web: Web

beforeAll(async () => {
  web = await startWeb()
  const call = (source: string, id: string, time: string, data: Json): Json => {
    const example = callOf(source, id, { time })
    return { ...example, data: { ...(example.data as Json), requestId: id, ...data } }
  }
  // Each calls the other: who draws that as one row of departments goes round in circles.
  await web.send([
    call(A, 'a1', '2026-05-04T02:00:00.000Z', { side: 'provider', consumer: B, provider: A }),
    call(A, 'a2', '2026-05-04T17:00:00.000Z', { side: 'provider', consumer: B, provider: A }),
    call(A, 'a3', '2026-05-04T18:00:00.000Z', { side: 'provider', consumer: A, provider: A }),
    call(A, 'a4', '2026-05-20T02:00:00.000Z', {
      ...{ side: 'provider', consumer: HOSTILE, provider: A },
      outcome: 'refused',
    }),
    call(A, 'b1', '2026-05-04T02:00:00.000Z', { side: 'consumer', consumer: A, provider: B }),
  ])
  await web.send([
    call(B, 'b1', '2026-05-04T02:00:00.000Z', { side: 'provider', consumer: A, provider: B }),
    call(B, 'b2', '2026-05-31T15:59:59.000Z', { side: 'provider', consumer: '__proto__', provider: B }),
    call(B, 'b4', '2026-05-31T15:59:59.500Z', { side: 'provider', consumer: 'x\n__proto__', provider: B }),
    // It is June already, eight hours east of Greenwich.
    call(B, 'b3', '2026-05-31T16:00:00.000Z', { side: 'provider', consumer: A, provider: B }),
  ])
})
afterAll(() => web?.close())

const tableOf = async (page: Page, caption: string): Promise<string[][]> => {
  const table = page.locator('table', { has: page.locator('caption', { hasText: caption }) })
  const rows: string[][] = []
  for (const row of await table.locator('tbody tr').all())
    rows.push(await row.locator('th, td').allTextContents())
  return rows
}

/** Waits until everything is painted: as many canvases as there are charts. */
async function painted(page: Page, charts: number): Promise<void> {
  await page
    .locator('.chart canvas')
    .nth(charts - 1)
    .waitFor()
}

describe('the departments', () => {
  test('are shown for the last month with a call, with the figures of the API', async () => {
    const { page, complaints, close } = await web.open('/departments')
    await painted(page, 3)
    // The last call is of June.
    expect(await page.locator('input[type=month]').inputValue()).toBe('2026-06')
    await page.getByRole('link', { name: 'May 2026' }).click()
    await page.waitForURL(/month=2026-05/)
    await page.locator('.figure', { hasText: '7' }).first().waitFor()
    const { text } = await exchange(web.url, 'GET', '/v1/kpis?month=2026-05&utcOffset=480')
    const report: MonthlyReport = JSON.parse(text)
    expect(report.total.asProvider).toMatchObject({ calls: 7, refused: 1 })
    expect((await page.locator('.figure').allTextContents()).slice(0, 2)).toEqual(['7', '1'])
    const rows = await tableOf(page, 'Departments')
    expect(rows.map(([name, answered, refused, , made]) => [name, answered, refused, made])).toEqual(
      report.departments.map(({ department, asProvider, asConsumer }) => [
        department,
        ...[asProvider.calls, asProvider.refused, asConsumer.calls].map(String),
      ]),
    )
    const shares = await tableOf(page, 'Shared resources')
    expect(shares).toEqual(
      report.departments
        .filter(({ resources }) => resources.shared > 0)
        .map(({ department, resources: { shared, used } }) => [
          ...[department, String(shared), String(used)],
          `${Math.round((1000 * used) / shared) / 10}%`,
        ]),
    )
    expect(complaints).toEqual([])
    await close()
  })

  test('show who calls whom, in a circle too, and hostile names as what they are', async () => {
    const { page, complaints, close } = await web.open('/departments?month=2026-05')
    await painted(page, 3)
    const flows = await tableOf(page, 'Who calls whom')
    const expected = [
      [B, A, '2', '0'],
      [HOSTILE, A, '1', '1'],
      ['__proto__', B, '1', '0'],
      ['x\n__proto__', B, '1', '0'],
      [A, A, '1', '0'],
      [A, B, '1', '0'],
    ]
    expect(flows.map((row) => row.join(' ')).sort()).toEqual(expected.map((row) => row.join(' ')).sort())
    expect(await page.locator('img').count()).toBe(0)
    for (const chart of await page.locator('.chart').all()) {
      await chart.hover({ position: { x: 30, y: 60 } })
    }
    expect(await page.evaluate(() => Object.getOwnPropertyNames(Object.prototype).length)).toBe(
      Object.getOwnPropertyNames(Object.prototype).length,
    )
    expect(complaints).toEqual([])
    await close()
  })

  test('show the calls of each day of local time, and of each hour of one', async () => {
    const { page, complaints, close } = await web.open('/departments?month=2026-05')
    await painted(page, 3)
    const nonzero = async () => {
      const rows = await tableOf(page, 'Calls answered, by provider')
      return rows.filter(([, ...counts]) => counts.some((count) => count !== '0'))
    }
    // By size: office a has answered four calls, office b three.
    expect(await nonzero()).toEqual([
      ['4 May', '1', '1'],
      ['5 May', '2', '0'],
      ['20 May', '1', '0'],
      ['31 May', '0', '2'],
    ])
    await page.getByLabel('Charts of').selectOption({ label: '5 May' })
    await page.waitForURL(/day=5/)
    await page.locator('th', { hasText: '01:00' }).first().waitFor({ state: 'attached' })
    expect(await nonzero()).toEqual([
      ['01:00', '1'],
      ['02:00', '1'],
    ])
    expect(complaints).toEqual([])
    await close()
  })

  test('have a page each, with both roles, refusals and their reasons, which a link opens', async () => {
    const place = `/departments?month=2026-05&department=${encodeURIComponent(A)}`
    const { page, complaints, close } = await web.open(place)
    await painted(page, 2)
    expect(await page.locator('h2').textContent()).toBe(A)
    const rows = await tableOf(page, 'Calls answered and made')
    expect(rows.filter(([, ...counts]) => counts.some((count) => count !== '0'))).toEqual([
      ['4 May', '1', '0', '0', '1'],
      ['5 May', '2', '0', '0', '0'],
      ['20 May', '0', '1', '0', '0'],
    ])
    const flows = await tableOf(page, 'Who calls whom')
    expect(flows.every(([consumer, provider]) => consumer === A || provider === A)).toBe(true)
    await page.getByText('The figures as a table').nth(1).click()
    await page.getByRole('link', { name: HOSTILE }).click()
    await page.locator('h2', { hasText: HOSTILE }).waitFor()
    expect(new URL(page.url()).searchParams.get('department')).toBe(HOSTILE)
    await page.goBack()
    await page.locator('h2', { hasText: A }).waitFor()
    expect(complaints).toEqual([])
    await close()
  })

  test('a month without records says so, and the charts follow the theme', async () => {
    const empty = await web.open('/departments?month=2020-01')
    await empty.page.getByText('Nothing was recorded for this month.').waitFor()
    await empty.close()
    const { page, complaints, close } = await web.open('/departments?month=2026-05')
    await painted(page, 3)
    const picture = () => page.locator('.chart').first().screenshot()
    const light = await picture()
    await page.getByLabel('Colours').selectOption('dark')
    await expect.poll(async () => (await picture()).equals(light)).toBe(false)
    expect(complaints).toEqual([])
    await close()
  })

  test.each([
    ['en', 'light', 1280, '/departments?month=2026-05'],
    ['zh', 'dark', 375, '/departments?month=2026-05'],
    ['zh', 'light', 375, `/departments?month=2026-05&department=${A}`],
  ] as const)('are for everybody: %s, %s, %i pixels, %s', async (language, theme, width, path) => {
    const { page, complaints, close } = await web.open(path, { language, theme, width })
    await painted(page, 2)
    for (const summary of await page.locator('summary').all()) await summary.click()
    expect(await overflow(page)).toBe(0)
    expect(await untranslated(page)).toEqual([])
    expect(await axe(page)).toEqual([])
    expect(complaints).toEqual([])
    await close()
  })
})
