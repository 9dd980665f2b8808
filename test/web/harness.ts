import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import axeCore, { type AxeResults } from 'axe-core'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { exchange, NDJSON, ndjson, startTestSystem, type TestSystem } from '../api/world.ts'
import { launchChromium, WAIT_MS } from '../browser/chromium.ts'
import type { Json } from '../record/examples.ts'
import { eventually } from '../store/temporary.ts'

/** A running system and a browser to look at it with. */
export interface Web {
  world: TestSystem
  url: string
  open(path: string, options?: OpenOptions): Promise<Opened>
  /** Hands over records, of one source, and waits until they are verified. */
  send(records: readonly Json[]): Promise<void>
  close(): Promise<void>
}

interface OpenOptions {
  language?: 'en' | 'zh'
  theme?: 'light' | 'dark'
  /** of the window in CSS pixels */
  width?: number
  /** of who reads */
  token?: string
  context?: BrowserContextOptions
}

interface Opened {
  page: Page
  /** what went wrong in it: a script that failed, what its policy refused, a request to anybody else */
  complaints: string[]
  close(): Promise<void>
}

/** The console's views. */
export const PATHS = ['/', '/explore', '/departments', '/my-data', '/alerts', '/ledger'] as const

/** @param change of the system, as `startTestSystem` takes it */
export async function startWeb(change?: Parameters<typeof startTestSystem>[0]): Promise<Web> {
  const [browser, world] = await Promise.all([launchChromium(), startTestSystem(change)])
  const { url } = world.system
  const open: Web['open'] = async (path, options = {}) => {
    const { language = 'en', theme = 'light', width = 1280, token } = options
    const context = await browser.newContext({
      viewport: { width, height: 900 },
      // What moves would be another picture each time.
      reducedMotion: 'reduce',
      ...options.context,
    })
    await context.addInitScript(
      ({ kept, token }) => {
        for (const [name, value] of kept) {
          if (localStorage.getItem(name) === null) localStorage.setItem(name, value)
        }
        if (token !== undefined && sessionStorage.getItem('tidemark-token') === null) {
          sessionStorage.setItem('tidemark-token', token)
        }
      },
      { kept: [...keptSettings(language, theme)], token },
    )
    context.setDefaultTimeout(WAIT_MS)
    const page = await context.newPage()
    const complaints: string[] = []
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
    })
    page.on('dialog', (dialog) => {
      complaints.push(`a dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    page.on('request', (request) => {
      const asked = new URL(request.url())
      if (asked.protocol !== 'blob:' && asked.origin !== url) complaints.push(`it asked ${asked.href}`)
    })
    await visit(page, new URL(path, url).href)
    return { page, complaints, close: () => context.close() }
  }
  return {
    world,
    url,
    open,
    async send(records) {
      const answer = await exchange(url, 'POST', '/v1/submissions', {
        headers: NDJSON,
        body: ndjson(...records),
      })
      if (answer.status !== 201) throw new Error(`not taken: ${answer.text}`)
      const location = String(answer.headers.location)
      await eventually(async () => {
        const { text } = await exchange(url, 'GET', location)
        return JSON.parse(text).state === 'final' || undefined
      })
      await eventually(async () => {
        const { text } = await exchange(url, 'GET', '/v1/batches?limit=500')
        return !text.includes('"state":"announced"') || undefined
      })
    },
    async close() {
      await browser.close()
      await world.close()
    },
  }
}

/** Goes to a page, and waits until all of it is shown. */
export async function visit(page: Page, url: string): Promise<void> {
  await page.goto(url)
  await page.getByRole('heading', { level: 1 }).waitFor()
  await eventually(async () => (await page.locator('[aria-busy="true"], .loading').count()) === 0)
}

const keptSettings = (language: string, theme: string) =>
  new Map([
    ['tidemark-language', language],
    ['tidemark-theme', theme],
  ])

/** What axe finds that is serious or worse, one line for each place. */
export async function axe(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page)
  // Not as a script of the page, which its policy would refuse.
  await session.send('Runtime.evaluate', { expression: axeCore.source })
  await session.detach()
  const { violations } = await page.evaluate(
    (): Promise<AxeResults> => (globalThis as unknown as { axe: typeof axeCore }).axe.run(),
  )
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html}`))
}

/** The same in every language: units, formats, protocols, and commands to type. */
const NAMES = /\b(?:[kMG]B|ms|gas|gwei|wei|ETH|JSON|CSV|PDF|RPC|SHA-256|UTC|Tidemark)\b|“[a-z][^”]*”/g

/**
 * What is shown, or told to a screen reader, in another language than the page's.
 *
 * Data is in no language: it stands within `translate="no"`.
 */
export async function untranslated(page: Page): Promise<string[]> {
  const language = await page.locator('html').getAttribute('lang')
  const texts = [await page.title(), ...(await page.locator('body').evaluate(shownTexts))]
  const foreign = language?.startsWith('zh') ? /\p{Script=Latin}{2,}/u : /\p{Script=Han}/u
  return [...new Set(texts.filter((text) => foreign.test(text.replaceAll(NAMES, ''))))]
}

/** What this needs of the browser's elements, which the types of Node do not know. */
interface Shown {
  querySelectorAll(selector: string): Iterable<Shown>
  closest(selector: string): unknown
  checkVisibility(): boolean
  getAttribute(name: string): string | null
  childNodes: Iterable<{ nodeType: number; textContent: string }>
}

/** Runs in the page. */
function shownTexts(body: Shown): string[] {
  const said = ['aria-label', 'title', 'alt', 'placeholder', 'aria-description', 'aria-valuetext']
  return [...body.querySelectorAll('*')]
    .filter((one) => one.closest('[translate="no"], script, style') === null && one.checkVisibility())
    .flatMap((one) => [
      ...said.map((name) => one.getAttribute(name) ?? ''),
      ...[...one.childNodes].filter(({ nodeType }) => nodeType === 3).map(({ textContent }) => textContent),
    ])
}

/** How many pixels the page is wider than its window. */
export const overflow = (page: Page): Promise<number> =>
  page
    .locator('html')
    .evaluate(
      ({ scrollWidth, clientWidth }: { scrollWidth: number; clientWidth: number }) =>
        scrollWidth - clientWidth,
    )

const PICTURES =
  process.env.TIDEMARK_SCREENSHOTS ?? join(import.meta.dirname, '../../artifacts-web/screenshots')

/** Keeps a picture of the whole page after the run. */
export async function keepPicture(page: Page, name: string): Promise<void> {
  await mkdir(PICTURES, { recursive: true })
  await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true })
}
