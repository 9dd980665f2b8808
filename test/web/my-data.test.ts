import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Hex } from '../../src/bytes/hex.ts'
import { createAuthorizations } from '../../src/chain/authorizations.ts'
import { devWallet, LOCAL_CHAIN_ID } from '../../src/chain/dev-accounts.ts'
import { createRpc } from '../../src/chain/rpc.ts'
import { callOf } from '../api/world.ts'
import { grantRecord, makeGrant } from '../indexer/rights-world.ts'
import { exampleOf, type Json } from '../record/examples.ts'
import { axe, overflow, startWeb, untranslated, type Web } from './harness.ts'
import { addToken } from './tokens.ts'

const [TAX, CIVIL, PEOPLE] = ['urn:my:tax', 'urn:my:civil', 'urn:my:people']
const ME = 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA'
const OTHER = 'A'.repeat(43)
const FORMULA = '=HYPERLINK("https://example.org")'

let web: Web
let token: string
let given: Awaited<ReturnType<typeof makeGrant>>
let authorizations: Hex

const call = (source: string, id: string, day: number, data: Json): Json =>
  callOf(source, id, {
    time: `2026-03-${String(day).padStart(2, '0')}T08:00:00.000Z`,
    subject: 'births',
    data: {
      ...{ side: source === TAX ? 'consumer' : 'provider', consumer: TAX, provider: CIVIL, operation: 'get' },
      ...{ requestId: id, outcome: 'success', purpose: 'school', person: ME },
      ...data,
    },
  })

beforeAll(async () => {
  web = await startWeb({ reading: 'tokens' })
  token = await addToken(web, { role: 'subject', person: ME })
  authorizations = web.world.system.rights?.authorizations ?? '0x'
  const domain = { chainId: LOCAL_CHAIN_ID, contract: authorizations }
  given = await makeGrant(
    domain,
    { names: [TAX, 'births', 'school'], notAfter: 4_000_000_000n, maxCalls: 5 },
    devWallet('subject', LOCAL_CHAIN_ID),
  )
  const record = grantRecord(PEOPLE, 'my-grant', given)
  await web.send([{ ...record, subject: 'births', data: { ...record.data, person: ME } }])
  await web.send([
    call(TAX, 'one', 5, { requestId: 'r-one', authorization: given.id }),
    call(TAX, 'two', 6, { requestId: 'r-two', purpose: FORMULA }),
    call(TAX, 'not-mine', 7, { requestId: 'r-not-mine', person: OTHER }),
  ])
  await web.send([
    call(CIVIL, 'one', 5, { requestId: 'r-one', authorization: given.id }),
    call(CIVIL, 'three', 8, { requestId: 'r-three', consumer: 'urn:my:police', outcome: 'refused' }),
    { ...exampleOf('tidemark.refusal.v1'), id: 'refusal', source: CIVIL },
  ])
})
afterAll(() => web?.close())

const sectionOf = (page: Page, heading: string) =>
  page.locator('section', { has: page.getByRole('heading', { name: heading, level: 2 }) })

describe('a person concerned', () => {
  test('sees every use of the own data, by whom, for what and by what right, and nobody else’s', async () => {
    const { page, complaints, close } = await web.open('/my-data', { token })
    const uses = sectionOf(page, 'Who used your data')
    const tax = uses.locator('details', { hasText: TAX })
    await tax.getByText('used 2 times').waitFor()
    expect(await tax.getByRole('row').count()).toBe(3)
    await tax.getByRole('row', { name: 'both sides' }).getByText('your grant').waitFor()
    await uses.locator('details', { hasText: 'urn:my:police' }).getByText('refused once').waitFor()
    expect(await page.content()).not.toContain('r-not-mine')
    expect(await axe(page)).toEqual([])
    expect(await untranslated(page)).toEqual([])
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByText('How to see your own').waitFor()
    for (const own of [ME, TAX, given.id]) expect(await page.content()).not.toContain(own)
    expect(complaints).toEqual([])
    await close()
  })

  test('reads it in Chinese on a phone', async () => {
    const { page, complaints, close } = await web.open('/my-data', { token, language: 'zh', width: 375 })
    await page.getByRole('heading', { name: '谁使用了您的数据' }).waitFor()
    expect(await untranslated(page)).toEqual([])
    expect(await overflow(page)).toBe(0)
    expect(await axe(page)).toEqual([])
    expect(complaints).toEqual([])
    await close()
  })

  test('is told that all is there, with whose word was taken for it, be its evidence a little late', async () => {
    const { page, close } = await web.open('/', { token })
    const late = { type: 'about:blank', status: 409, code: 'NOT_READY', detail: 'not captured yet' }
    await page.route(
      '**/v1/histories?**evidence=true',
      (route) => route.fulfill({ status: 409, json: late }),
      {
        times: 1,
      },
    )
    await page.goto(new URL('/my-data?from=2026-03-01&to=2026-03-31', web.url).href)
    const complete = sectionOf(page, 'Is this everything?')
    await complete.getByText('about you in this period, 6 in number').waitFor()
    expect(await complete.getAttribute('data-verdict')).toBe('verified')
    await complete.getByText('this server’s word').waitFor()
    await close()
  })

  test('is told when a record was held back, and by which step that came out', async () => {
    const { page, close } = await web.open('/', { token })
    await page.route('**/v1/histories?**', async (route) => {
      const response = await route.fetch()
      const value = await response.json()
      const { batches } = value.bundle ?? value
      const { found } = batches.findLast((batch: { found?: unknown }) => batch.found !== undefined)
      found.items.pop()
      await route.fulfill({ response, json: value })
    })
    await page.getByRole('link', { name: 'My data' }).click()
    const complete = sectionOf(page, 'Is this everything?')
    await complete.getByText('something was left out, added or changed').waitFor()
    expect(await complete.getAttribute('data-verdict')).toBe('refuted')
    expect(await complete.locator('[data-state="failed"]').getAttribute('data-step')).toBe('batches')
    await close()
  })

  test('keeps the uses as a table in which nothing is a formula', async () => {
    const { page, close } = await web.open('/my-data', { token })
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download as a table' }).click(),
    ])
    const text = await readFile(await download.path(), 'utf8')
    const lines = text.trimEnd().split('\r\n')
    expect(lines).toHaveLength(1 + 4)
    expect(text).toContain(`"'${FORMULA.replaceAll('"', '""')}"`)
    await close()
  })
})

describe('a grant', () => {
  test('is shown with its terms, and without a wallet the command that withdraws it', async () => {
    const { page, complaints, close } = await web.open('/my-data', { token })
    const grants = sectionOf(page, 'What you allow')
    await grants.getByText('in force').waitFor()
    await grants.getByText('Uses so far: 1, of 5 at most.').waitFor()
    await grants.getByRole('button', { name: 'Withdraw' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('This browser has no wallet').waitFor()
    const name = `grant-${given.id.slice(2, 10)}.json`
    await dialog
      .getByText(`tidemark grant revoke ${name} --keystore KEY.json --authorizations ${authorizations}`)
      .waitFor()
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      dialog.getByRole('button', { name: 'Keep the grant as a file' }).click(),
    ])
    expect(download.suggestedFilename()).toBe(name)
    const record = JSON.parse(await readFile(await download.path(), 'utf8'))
    expect(record.data).toMatchObject({ authorization: given.id, signature: given.signature })
    expect(await axe(page)).toEqual([])
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'hidden' })
    expect(complaints).toEqual([])
    await close()
  })

  test('is not withdrawn by another account, nor when its subject refuses', async () => {
    const { page, wallet, close } = await openWithWallet()
    wallet.accounts = [devWallet('admin', LOCAL_CHAIN_ID).address]
    await page.getByRole('button', { name: 'Withdraw', exact: true }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('button', { name: 'Withdraw with my wallet' }).click()
    await dialog.getByRole('alert').getByText('did not offer the account').waitFor()
    wallet.accounts = [devWallet('subject', LOCAL_CHAIN_ID).address]
    wallet.refuses = true
    await dialog.getByRole('button', { name: 'Withdraw with my wallet' }).click()
    await dialog.getByRole('alert').getByText('Nothing was sent').waitFor()
    expect(await revokedAt()).toBe(0n)
    await close()
  })

  test('is withdrawn for good in one click, and shown so when that is final', async () => {
    const { page, complaints, close } = await openWithWallet()
    const grants = sectionOf(page, 'What you allow')
    await grants.getByRole('button', { name: 'Withdraw', exact: true }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Uses before that stay lawful').waitFor()
    await dialog.getByRole('button', { name: 'Withdraw with my wallet' }).click()
    await dialog.locator('[data-progress="final"]').waitFor()
    expect(await revokedAt()).toBeGreaterThan(0n)
    await dialog.getByRole('button', { name: 'Close' }).click()
    await grants.locator('[data-state="withdrawn"]').waitFor()
    expect(await grants.getByRole('button', { name: 'Withdraw' }).count()).toBe(0)
    expect(complaints).toEqual([])
    await close()
  })
})

test('anybody else is told what this is and how to get a token, and no person’s data', async () => {
  const { page, complaints, close } = await web.open('/my-data')
  await page.getByText('Everyone has a right to see').waitFor()
  expect(await axe(page)).toEqual([])
  expect(complaints).toEqual([])
  await close()
  const auditor = await addToken(web, { role: 'auditor' })
  const other = await web.open('/my-data', { token: auditor, language: 'zh' })
  await other.page.getByText('您的令牌属于其他角色').waitFor()
  expect(await untranslated(other.page)).toEqual([])
  await other.close()
})

const revokedAt = () =>
  createAuthorizations(createRpc(web.world.system.rpcUrl), authorizations).revokedAt(given.id)

/** The page with a wallet that sends with the accounts that the chain's own node unlocks. */
async function openWithWallet() {
  const wallet = { accounts: [devWallet('subject', LOCAL_CHAIN_ID).address], refuses: false }
  const rpc = createRpc(web.world.system.rpcUrl)
  const { page, complaints, close } = await web.open('/', { token })
  await page.exposeFunction('askWallet', async (method: string, params: unknown[]) => {
    if (method === 'eth_requestAccounts') return { result: wallet.accounts }
    if (method === 'eth_sendTransaction' && wallet.refuses) return { refused: 4001 }
    return { result: await rpc.call(method, params) }
  })
  await page.addInitScript(() => {
    const ask = async ({ method, params = [] }: { method: string; params?: unknown[] }) => {
      const { askWallet } = globalThis as unknown as {
        askWallet: (method: string, params: unknown[]) => Promise<{ result?: unknown; refused?: number }>
      }
      const { result, refused } = await askWallet(method, params)
      if (refused !== undefined) throw Object.assign(new Error('no'), { code: refused })
      return result
    }
    Object.assign(globalThis, { ethereum: { request: ask } })
  })
  await page.goto(new URL('/my-data', web.url).href)
  await page.getByText('in force').waitFor()
  return { page, complaints, wallet, close }
}
