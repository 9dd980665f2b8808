import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { eventually } from '../store/temporary.ts'

export const PAGE_FILE = join(import.meta.dirname, '../../dist/web/verify/index.html')

/** What the page says of a file. */
export interface Shown {
  verdict: string
  /** by the names of the steps */
  failed?: string
  passed: string[]
  code?: string
}

export interface OpenedPage {
  page: Page
  context: BrowserContext
  /** every address that the page asked for */
  requests: string[]
  /** what it complains of: a script that fails, or a policy that refuses something */
  complaints: string[]
}

/** Opens the page, from its file if no address is given. */
export async function openVerifier(
  browser: Browser,
  url = pathToFileURL(PAGE_FILE).href,
  options: BrowserContextOptions & { offline?: boolean } = {},
): Promise<OpenedPage> {
  const context = await browser.newContext({ locale: 'en-GB', ...options })
  const page = await context.newPage()
  const requests: string[] = []
  const complaints: string[] = []
  page.on('request', (request) => requests.push(request.url()))
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  await page.goto(url)
  return { page, context, requests, complaints }
}

/** Chooses files, and waits until every file that was given has its verdict. */
export async function give(page: Page, files: Record<string, unknown>): Promise<Map<string, Shown>> {
  await page.setInputFiles(
    'input[type=file]',
    Object.entries(files).map(([name, content]) => ({
      name,
      mimeType: 'application/json',
      buffer: Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)),
    })),
  )
  return await shown(page, Object.keys(files).length)
}

/** What the page says of each file, once it says something of all. */
export async function shown(page: Page, least = 1): Promise<Map<string, Shown>> {
  // Not page.waitForFunction, which makes code of a text: the page's policy forbids that.
  await eventually(() =>
    page.evaluate((count) => {
      const files = document.querySelectorAll('article[data-file]')
      return files.length >= count && [...files].every((file) => file.querySelector('.verdict'))
    }, least),
  )
  const entries = await page.evaluate(() =>
    [...document.querySelectorAll('article[data-file]')].map((file) => {
      const steps = [...file.querySelectorAll<HTMLElement>('li[data-step]')]
      const inState = (state: string) =>
        steps.filter(({ dataset }) => dataset.state === state).map(({ dataset }) => dataset.step ?? '')
      const [failed] = inState('failed')
      const code = file.querySelector('.verdict-reason code')?.textContent
      return [
        file.getAttribute('data-file') ?? '',
        {
          verdict: file.querySelector('.verdict')?.getAttribute('data-verdict') ?? '',
          passed: inState('passed'),
          ...(failed !== undefined && { failed }),
          ...(code && { code }),
        },
      ] as const
    }),
  )
  return new Map(entries)
}

/** Opens what the reader may say of whom it trusts. */
export async function openSettings(page: Page): Promise<void> {
  await page.locator('.trust-settings > summary').click()
}
