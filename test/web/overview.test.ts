import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { callOf } from '../api/world.ts'
import { keepPicture, startWeb, type Web } from './harness.ts'

let web: Web
beforeAll(async () => {
  web = await startWeb()
})
afterAll(() => web?.close())

test('from an empty ledger to a verified record: begin, send, see it come, find it, verify it', async () => {
  const { page, complaints, close } = await web.open('/')
  await page.getByRole('heading', { name: 'The ledger is empty' }).waitFor()
  const command = await page.locator('pre').first().textContent()
  expect(command).toBe(`npx tidemark sample --count 1000 | npx tidemark send - --api ${web.url}`)
  await page.getByText('Live', { exact: true }).waitFor()
  await keepPicture(page, 'overview-empty-1280-light-en')

  await web.send(Array.from({ length: 40 }, (_, i) => callOf('urn:live', `${i}`)))
  await tile(page, 'Records in the ledger').getByText('40', { exact: true }).waitFor()
  await page
    .getByRole('listitem')
    .filter({ hasText: /^Verified 1 batches$/ })
    .waitFor()
  expect(await page.getByRole('heading', { name: 'The ledger is empty' }).count()).toBe(0)

  await page.getByRole('link', { name: 'Explore' }).click()
  await page.getByLabel('Consumer').fill('traffic-office')
  await page.getByRole('button', { name: 'Search' }).click()
  await page.getByRole('table').getByRole('link').first().click()
  await page.getByRole('button', { name: 'Verify here' }).click()
  await page.locator('.verdict').waitFor()
  expect(await page.locator('.verdict').getAttribute('data-verdict')).toBe('verified')
  expect(complaints).toEqual([])
  await close()
})

test('a line that is lost is said to be, and what was known stays with its time', async () => {
  const { page, close } = await web.open('/')
  await page.getByText('Live', { exact: true }).waitFor()
  await web.world.system.stop()
  await page.getByText('Not live: the line is lost, trying again.').waitFor()
  expect(await tile(page, 'Records in the ledger').textContent()).toContain('40')
  expect(await page.getByText(/^As of /).count()).toBe(1)
  await close()
})

const tile = (page: Page, name: string) => page.locator('.tile', { has: page.getByRole('heading', { name }) })
