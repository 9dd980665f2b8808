import { afterAll, beforeAll, expect, test } from 'vitest'
import { callOf } from '../api/world.ts'
import { startWeb, type Web } from './harness.ts'

let web: Web
beforeAll(async () => {
  web = await startWeb()
})
afterAll(() => web?.close())

test('batches and what they cost appear as they come, and a batch opens under a URL of its own', async () => {
  const { page, complaints, close } = await web.open('/ledger')
  await page.getByText('The ledger has no batch yet.').waitFor()
  await page.getByText('Nothing has been sent yet.').waitFor()
  await web.send([callOf('urn:paid', 'a'), callOf('urn:paid', 'b'), callOf('urn:paid', 'c')])

  const batches = page.getByRole('region', { name: 'Batches of the ledger' }).getByRole('row')
  await batches.filter({ hasText: 'verified · final' }).waitFor()
  const sent = page.getByRole('region', { name: 'Transactions of the publisher' }).getByRole('row')
  const gas = sent.filter({ hasText: 'in a block' }).getByRole('cell').nth(4)
  expect(Number((await gas.textContent())?.replaceAll(',', ''))).toBeGreaterThan(21_000)

  await batches.getByRole('link', { name: '0', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: 'Batch' })
  await dialog.getByRole('row').filter({ hasText: 'urn:paid' }).waitFor()
  expect(new URL(page.url()).searchParams.get('batch')).toBe(`${web.world.system.publisher}/0`)
  await page.reload()
  await dialog.getByRole('row').filter({ hasText: 'urn:paid' }).waitFor()
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  await page.waitForURL((url) => url.search === '')
  expect(complaints).toEqual([])
  await close()
})

test('a page of the list is in the URL, and leads back to the newest', async () => {
  for (let i = 0; i < 3; i++) await web.send([callOf('urn:paged', `${i}`)])
  const { page, complaints, close } = await web.open('/ledger?before=2')
  const batches = page.getByRole('region', { name: 'Batches of the ledger' }).getByRole('rowheader')
  await batches.first().waitFor()
  expect(await batches.allTextContents()).toEqual(['1', '0'])
  await page
    .getByRole('navigation', { name: 'Pages of batches' })
    .getByRole('link', { name: 'Newest' })
    .click()
  await batches.getByText('3', { exact: true }).waitFor()
  expect(new URL(page.url()).search).toBe('')
  expect(complaints).toEqual([])
  await close()
})

test('a batch that is not there is said not to be, and so is a page that nobody has', async () => {
  const { page, complaints, close } = await web.open('/ledger?batch=0x00/none')
  await page.getByRole('dialog').getByRole('alert').waitFor()
  // The browser reports the answer 404 by itself.
  expect(complaints.filter((one) => !one.includes('404'))).toEqual([])
  await close()
})
