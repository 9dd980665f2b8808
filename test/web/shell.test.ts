import { afterAll, beforeAll, expect, test } from 'vitest'
import { axe, overflow, PATHS, startWeb, untranslated, visit, type Web } from './harness.ts'

let web: Web
beforeAll(async () => {
  web = await startWeb()
})
afterAll(() => web?.close())

test('every page of a system with nothing in its ledger opens under its policy, and asks nobody else', async () => {
  const { page, complaints, close } = await web.open('/')
  for (const path of [...PATHS, '/verify']) {
    await visit(page, new URL(path, web.url).href)
    expect({
      path,
      serious: await axe(page),
      untranslated: await untranslated(page),
      overflow: await overflow(page),
      complaints: complaints.splice(0),
    }).toEqual({ path, serious: [], untranslated: [], overflow: 0, complaints: [] })
  }
  await close()
})

test('by keyboard alone: past the menu, into a dialog, out of it with Escape, and on', async () => {
  const { page, complaints, close } = await web.open('/')
  const focused = () =>
    page.locator(':focus').evaluate(({ textContent }: { textContent: string }) => textContent)
  await page.keyboard.press('Tab')
  expect(await focused()).toBe('Skip to content')
  for (const name of ['Overview', 'Explore', 'Departments', 'My data', 'Alerts', 'Ledger']) {
    await page.keyboard.press('Tab')
    expect(await focused()).toBe(name)
  }
  await page.keyboard.press('Tab')
  await page.keyboard.press('Tab')
  expect(await focused()).toBe('Sign in')
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog', { name: 'Sign in' })
  await dialog.waitFor()
  await page.keyboard.type('of nobody')
  await page.keyboard.press('Enter')
  await dialog.getByRole('alert').waitFor()
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'hidden' })
  expect(await focused()).toBe('Sign in')
  // The browser reports the answer 401 by itself.
  expect(complaints.filter((one) => !one.includes('401'))).toEqual([])
  await close()
})

test('the language and the colours are switched where one reads, and kept', async () => {
  const { page, complaints, close } = await web.open('/ledger')
  await page.getByLabel('Language').selectOption('zh')
  await page.getByRole('heading', { level: 1, name: '账本' }).waitFor()
  await page.getByLabel('配色').selectOption('dark')
  await page.reload()
  await page.getByRole('heading', { level: 1, name: '账本' }).waitFor()
  expect(await page.locator('html').getAttribute('lang')).toBe('zh-CN')
  expect(await page.locator('html').getAttribute('data-theme')).toBe('dark')
  expect(complaints).toEqual([])
  await close()
})
