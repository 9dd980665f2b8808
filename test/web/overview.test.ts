import { afterAll, beforeAll, expect, test } from 'vitest'
import { callOf } from '../api/world.ts'
import { eventually } from '../store/temporary.ts'
import { keepPicture, startWeb, type Web } from './harness.ts'

let web: Web
beforeAll(async () => {
  web = await startWeb()
})
afterAll(() => web?.close())

test('an empty ledger says how to begin; records appear as they come; a line that is lost is said to be', async () => {
  const { page, complaints, close } = await web.open('/')
  await page.getByRole('heading', { name: 'The ledger is empty' }).waitFor()
  const command = await page.locator('pre').first().textContent()
  expect(command).toBe(`npx tidemark sample --count 1000 | npx tidemark send - --api ${web.url}`)
  await page.getByText('Live', { exact: true }).waitFor()
  await keepPicture(page, 'overview-empty-1280-light-en')

  await web.send(Array.from({ length: 40 }, (_, i) => callOf('urn:live', `${i}`)))
  const records = page.locator('.tile', { has: page.getByRole('heading', { name: 'Records in the ledger' }) })
  await records.getByText('40', { exact: true }).waitFor()
  await page
    .getByRole('listitem')
    .filter({ hasText: /^Verified 1 batches$/ })
    .waitFor()
  expect(await page.getByRole('heading', { name: 'The ledger is empty' }).count()).toBe(0)
  expect(complaints).toEqual([])

  await web.world.system.stop()
  await page.getByText('Not live: the line is lost, trying again.').waitFor()
  // What was known stays, with its time.
  expect(await records.textContent()).toContain('40')
  expect(await page.getByText(/^As of /).count()).toBe(1)
  await eventually(() => complaints.length > 0 || undefined)
  await close()
})
