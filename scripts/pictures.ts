/**
 * Takes the pictures of the console that README.md shows: a system over a temporary folder takes a made-up month, and
 * a browser opens each view.
 *
 * The Chinese picture needs a font with Chinese characters and is left out where there is none.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Browser, BrowserContextOptions } from 'playwright-core'
import { SAMPLE_MONTH, sampleMonth } from '../src/client/sample-month.ts'
import type { FlowRecord } from '../src/record/index.ts'
import { DEFAULT_POLICY, parseRulePolicy } from '../src/rules/policy.ts'
import { startTestSystem, type TestSystem } from '../test/api/world.ts'
import { launchChromium } from '../test/browser/chromium.ts'

const OUT = join(import.meta.dirname, '../docs/pictures')
/** Of the usual volume of normal work: some ten thousand records. */
const PERCENT = 3
const LARGEST_BYTES = 150_000
const RECORDS_AT_ONCE = 1_000

interface Picture {
  name: string
  path: string
  /** what is there once all is there */
  ready: string
  language?: string
  options?: BrowserContextOptions
  height?: number
  /** what is clicked before it is taken */
  opened?: string
  /** the upper part of one element is taken, the whole window if left out */
  part?: { of: string; height: number }
}

const DEPARTMENT = '/departments?month=2026-05&department=urn%3Atidemark%3Asample%3Atax'
const PICTURES: Picture[] = [
  { name: 'overview', path: '/', ready: 'main h1' },
  { name: 'explore', path: '/explore?consumer=urn:tidemark:sample:tax', ready: 'main table, main li' },
  { name: 'departments', path: '/departments', ready: '.chart canvas', height: 900 },
  {
    name: 'flows',
    path: '/departments',
    ready: '.chart canvas',
    part: { of: '.departments > div.card', height: 470 },
    options: { viewport: { width: 900, height: 2600 } },
  },
  {
    name: 'alerts',
    path: '/alerts?rule=call-without-grant',
    ready: '.alert',
    opened: '.alert summary',
    height: 900,
  },
  { name: 'ledger', path: '/ledger', ready: 'main h1' },
  {
    name: 'phone',
    path: DEPARTMENT,
    ready: '.chart canvas',
    options: { viewport: { width: 375, height: 812 }, deviceScaleFactor: 2 },
  },
  {
    name: 'chinese-dark',
    path: '/departments',
    ready: '.chart canvas',
    language: 'zh',
    options: { colorScheme: 'dark', locale: 'zh-CN' },
    height: 900,
  },
]

/** All, or those that are named on the command line. */
const wanted = PICTURES.filter(({ name }) => process.argv.length === 2 || process.argv.includes(name))

const world = await startTestSystem({
  rules: parseRulePolicy({
    ...DEFAULT_POLICY.settings,
    office: {
      ...DEFAULT_POLICY.settings.office,
      ...{ holidays: SAMPLE_MONTH.holidays, workdays: SAMPLE_MONTH.workdays },
    },
  }),
  limits: { bodyBytes: 8_000_000, submissionRecords: RECORDS_AT_ONCE, inFlightBytes: 64_000_000 },
  policy: { maxWaitingRecords: 100_000 },
})
try {
  await sendMonth(world)
  await untilJudged(world)
  mkdirSync(OUT, { recursive: true })
  const browser = await launchChromium()
  try {
    for (const picture of wanted) await take(browser, picture)
  } finally {
    await browser.close()
  }
} finally {
  await world.close()
}

async function sendMonth({ system }: TestSystem): Promise<void> {
  const bySource = new Map<string, FlowRecord[]>()
  for (const item of sampleMonth({ ...SAMPLE_MONTH, seed: 1, percent: PERCENT })) {
    if (item.kind !== 'record') continue
    const { source } = item.record
    const waiting = bySource.get(source) ?? []
    bySource.set(source, waiting)
    if (waiting.push(item.record) === RECORDS_AT_ONCE) await send(system.url, waiting.splice(0))
  }
  for (const waiting of bySource.values()) if (waiting.length > 0) await send(system.url, waiting)
  for (const source of bySource.keys()) await untilFinal(system.url, source)
}

async function send(url: string, records: readonly FlowRecord[]): Promise<void> {
  const response = await fetch(new URL('/v1/submissions', url), {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-ndjson' },
    body: records.map((record) => `${JSON.stringify(record)}\n`).join(''),
  })
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`)
}

async function untilFinal(url: string, source: string): Promise<void> {
  const ask = async (query: Record<string, string>) =>
    (await fetch(new URL(`/v1/submissions?${new URLSearchParams(query)}`, url))).json() as Promise<{
      nextSequence: string
      state: string
    }>
  const { nextSequence } = await ask({ source })
  const sequence = String(BigInt(nextSequence) - 1n)
  while ((await ask({ source, sequence })).state !== 'final') await delay(200)
}

/** The rules wait a minute for what comes late; then it is quiet. */
async function untilJudged({ system }: TestSystem): Promise<void> {
  let [before, quiet] = ['', 0]
  while (quiet < 5) {
    await delay(2_000)
    const alerts = await (
      await fetch(new URL('/v1/alerts?rule=call-without-grant&limit=1', system.url))
    ).text()
    quiet = alerts === before && alerts.includes('"rule"') ? quiet + 1 : 0
    before = alerts
  }
}

async function take(browser: Browser, picture: Picture): Promise<void> {
  const { name, path, ready, language = 'en', options, height = 800, opened, part } = picture
  if (language === 'zh' && !hasChineseFont()) {
    console.log(`${name}: left out, no font here has Chinese characters`)
    return
  }
  const context = await browser.newContext({
    viewport: { width: 1280, height },
    locale: 'en-GB',
    timezoneId: 'Asia/Shanghai',
    reducedMotion: 'reduce',
    ...options,
  })
  const page = await context.newPage()
  await page.goto(new URL(path, world.system.url).href)
  await page.locator(ready).first().waitFor()
  if (opened !== undefined) await page.locator(opened).first().click()
  // What is asked for besides, and painted, has no sign of its own.
  await page.waitForTimeout(1_500)
  const file = join(OUT, `${name}.png`)
  const box = part && (await page.locator(part.of).first().boundingBox())
  await page.screenshot({ path: file, ...(part && box && { clip: { ...box, height: part.height } }) })
  await context.close()
  const sizeBytes = statSync(file).size
  console.log(
    `${name}: ${sizeBytes} bytes${sizeBytes > LARGEST_BYTES ? ', more than a picture should have' : ''}`,
  )
}

function hasChineseFont(): boolean {
  try {
    return execFileSync('fc-list', [':lang=zh'], { encoding: 'utf8' }).trim() !== ''
  } catch {
    return false
  }
}
