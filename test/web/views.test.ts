import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { withSources } from '../../src/cli/catalogue.ts'
import { parseRulePolicy } from '../../src/rules/policy.ts'
import type { Role } from '../../src/store/roles.ts'
import { exchange } from '../api/world.ts'
import { exampleOf } from '../record/examples.ts'
import { eventually } from '../store/temporary.ts'
import { axe, keepPicture, overflow, PATHS, startWeb, untranslated, visit, type Web } from './harness.ts'
import { hostileCalls } from './hostile.ts'

let web: Web
const person = String(Object(exampleOf('tidemark.call.v1').data).person)
const SECRETS = { auditor: 'tidemark_of-an-auditor', subject: 'tidemark_of-a-subject' }

beforeAll(async () => {
  web = await startWeb({ rules: parseRulePolicy({ reorderMs: 0 }) })
  const { dataPath } = web.world
  const add = (secret: string, role: Role) =>
    withSources(dataPath, 'existing', (sources) => sources.addToken(secret, role, '', 0))
  await add(SECRETS.auditor, { role: 'auditor' })
  await add(SECRETS.subject, { role: 'subject', person })
  await Promise.all(hostileCalls().map((call) => web.send([call])))
  await eventually(async () => {
    const { alerts } = JSON.parse((await exchange(web.url, 'GET', '/v1/alerts')).text)
    return alerts.length >= hostileCalls().length
  })
})
afterAll(() => web?.close())

/** Where a reader may get to, and all that the hostile records stand in. */
const PLACES: readonly (readonly [name: string, path: () => string])[] = [
  ...PATHS.map((path) => [path.slice(1) || 'overview', () => path] as const),
  ['explore-found', () => `/explore?${new URLSearchParams({ person })}`],
  [
    'explore-record',
    () => {
      const [call] = hostileCalls()
      return `/explore?${new URLSearchParams({ source: String(call?.source), id: String(call?.id) })}`
    },
  ],
  [
    'explore-nothing',
    () => `/explore?${new URLSearchParams({ resource: '<img src=x onerror=globalThis.ran=1>' })}`,
  ],
  ['ledger-batch', () => `/ledger?batch=${web.world.system.publisher}/0`],
  ['verify', () => '/verify'],
]

interface Reader {
  role: 'public' | 'auditor' | 'subject'
  width: number
  theme: 'light' | 'dark'
  language: 'en' | 'zh'
  only?: readonly string[]
}

/** With `only`, the places that show a reader more than the public. */
const READERS: readonly Reader[] = [
  { role: 'public', width: 1280, theme: 'light', language: 'en' },
  { role: 'public', width: 375, theme: 'dark', language: 'zh' },
  {
    role: 'auditor',
    width: 1280,
    theme: 'light',
    language: 'zh',
    only: ['explore-record', 'my-data', 'alerts'],
  },
  { role: 'auditor', width: 375, theme: 'dark', language: 'en', only: ['explore-record', 'alerts'] },
  { role: 'subject', width: 1280, theme: 'dark', language: 'zh', only: ['explore-found', 'my-data'] },
  { role: 'subject', width: 375, theme: 'light', language: 'en', only: ['explore-found', 'my-data'] },
]

describe.each(READERS)('$role, $width pixels, $theme, $language', ({ role, only, ...settings }) => {
  let opened: Awaited<ReturnType<Web['open']>>
  beforeAll(async () => {
    opened = await web.open('/', { ...settings, ...(role !== 'public' && { token: SECRETS[role] }) })
  })
  afterAll(() => opened?.close())

  const places = PLACES.filter(([name]) => only?.includes(name) ?? true)
  test.each(places)('%s, with whatever is in the records', async (name, path) => {
    const { page, complaints } = opened
    await visit(page, new URL(path(), web.url).href)
    await keepPicture(page, [name, ...Object.values(settings), role].join('-'))
    expect({
      serious: await axe(page),
      untranslated: await untranslated(page),
      overflow: await overflow(page),
      ran: await page.evaluate('globalThis.ran'),
      complaints: complaints.splice(0),
    }).toEqual({ serious: [], untranslated: [], overflow: 0, ran: undefined, complaints: [] })
  })
})
