import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { axe, overflow, PATHS, startWeb, untranslated, type Web } from './harness.ts'

let web: Web
beforeAll(async () => {
  web = await startWeb()
})
afterAll(() => web?.close())

describe('the pages of a running system, with nothing in the ledger', () => {
  test.each([...PATHS, '/verify'])('%s opens under its policy, and asks nobody else', async (path) => {
    const { page, complaints, close } = await web.open(path)
    await page.getByRole('heading', { level: 1 }).waitFor()
    expect(await axe(page)).toEqual([])
    expect(await untranslated(page)).toEqual([])
    expect(await overflow(page)).toBe(0)
    expect(complaints).toEqual([])
    await close()
  })
})
