import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { WAIT_MS } from '../browser/chromium.ts'

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
  context.setDefaultTimeout(WAIT_MS)
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
  await page
    .locator('article[data-file]')
    .nth(least - 1)
    .waitFor({ state: 'attached' })
  await page.locator('.files[aria-busy="false"]').waitFor()
  return new Map(await page.locator('body').evaluate(readShown))
}

/** What this needs of the browser's elements, which the types of Node do not know. */
interface Element {
  querySelector(selector: string): Element | null
  querySelectorAll(selector: string): Iterable<Element>
  getAttribute(name: string): string | null
  textContent: string
}

/** Runs in the page. */
function readShown(body: Element): [name: string, Shown][] {
  return [...body.querySelectorAll('article[data-file]')].map((file) => {
    const inState = (state: string) =>
      [...file.querySelectorAll(`li[data-state="${state}"]`)].map(
        (one) => one.getAttribute('data-step') ?? '',
      )
    const [failed] = inState('failed')
    const code = file.querySelector('.verdict-reason > code')?.textContent
    return [
      file.getAttribute('data-file') ?? '',
      {
        verdict: file.querySelector('.verdict')?.getAttribute('data-verdict') ?? '',
        passed: inState('passed'),
        ...(failed !== undefined && { failed }),
        ...(code !== undefined && { code }),
      },
    ]
  })
}

/** Opens what the reader may say of whom it trusts. */
export async function openSettings(page: Page): Promise<void> {
  await page.locator('.trust-settings > summary').click()
}
