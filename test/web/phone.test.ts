import { afterAll, beforeAll, expect, test } from 'vitest'
import { overflow, startWeb, type Web } from './harness.ts'

let web: Web
beforeAll(async () => {
  web = await startWeb()
})
afterAll(() => web?.close())

test('on a phone the header is two rows, in which the shown view is seen, and one button holds the rest', async () => {
  const { page, complaints, close } = await web.open('/ledger', { width: 375 })
  const heightPx = async () => (await page.getByRole('banner').boundingBox())?.height
  expect(await heightPx()).toBeLessThan(110)
  const current = await page.getByRole('link', { name: 'Ledger' }).boundingBox()
  expect((current?.x ?? 375) + (current?.width ?? 0)).toBeLessThanOrEqual(375)
  expect(await page.getByLabel('Language').isVisible()).toBe(false)
  const more = page.getByRole('button', { name: 'More' })
  expect(await more.getAttribute('aria-expanded')).toBe('false')
  await more.click()
  expect(await more.getAttribute('aria-expanded')).toBe('true')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('dialog', { name: 'Sign in' }).waitFor()
  await page.keyboard.press('Escape')
  await page.getByLabel('Language').selectOption('zh')
  await page.getByRole('button', { name: '更多' }).click()
  await page.getByLabel('语言').waitFor({ state: 'hidden' })
  expect(await overflow(page)).toBe(0)
  expect(complaints).toEqual([])
  await close()
})
