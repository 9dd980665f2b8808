import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestSystem, type TestSystem } from '../api/world.ts'
import { launchChromium } from '../browser/chromium.ts'

let browser: Browser
let world: TestSystem

beforeAll(async () => {
  ;[browser, world] = await Promise.all([launchChromium(), startTestSystem()])
})
afterAll(async () => {
  await browser?.close()
  await world?.close()
})

/** Opens a page, and keeps what it complains of: a script that fails, or a policy that refuses something. */
async function open(path: string): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  await page.goto(new URL(path, world.system.url).href)
  return { page, complaints }
}

describe('the pages of a running system', () => {
  test.each(['/', '/explore', '/departments', '/my-data', '/alerts', '/ledger', '/verify'])(
    '%s opens under its policy, and asks nobody else',
    async (path) => {
      const { page, complaints } = await open(path)
      await page.getByRole('heading', { level: 1 }).waitFor()
      expect(complaints).toEqual([])
      await page.close()
    },
  )
})
