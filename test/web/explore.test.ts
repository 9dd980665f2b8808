import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { callOf } from '../api/world.ts'
import { exampleOf } from '../record/examples.ts'
import { axe, overflow, startWeb, untranslated, type Web } from './harness.ts'
import { addToken } from './tokens.ts'

const SOURCE = 'urn:explore:civil'
const TAG = 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA'
const CALLS = 30

let web: Web
let auditor: string

beforeAll(async () => {
  web = await startWeb({ reading: 'tokens' })
  auditor = await addToken(web, { role: 'auditor' })
  const calls = Array.from({ length: CALLS }, (_, i) =>
    callOf(SOURCE, `call-${i}`, { time: `2026-03-${String(i + 1).padStart(2, '0')}T12:00:00.000Z` }),
  )
  await web.send(calls)
  await web.send([{ ...exampleOf('tidemark.refusal.v1'), source: 'urn:explore:other', id: 'refused' }])
})
afterAll(() => web?.close())

const recordPath = (id: string, source = SOURCE) => `/explore?${new URLSearchParams({ source, id })}`

describe('a search', () => {
  test('goes from the form into the URL, and the URL opens it again, page by page', async () => {
    const { page, complaints, close } = await web.open('/explore')
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByRole('alert').getByText('at least one field').waitFor()
    await page.getByLabel('Record number').fill('call-1')
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByRole('alert').getByText('fill in both').waitFor()
    await page.getByLabel('Record number').fill('')
    await page.getByLabel('Consumer').fill('traffic-office')
    await page.getByLabel('Resource').fill('civil-registry/births')
    await page.getByLabel('From day').fill('2026-03-02')
    await page.getByRole('button', { name: 'Search' }).click()
    const rows = page.getByRole('table').getByRole('row')
    await rows.nth(25).waitFor()
    expect(await rows.count()).toBe(26)
    expect(Object.fromEntries(new URL(page.url()).searchParams)).toEqual({
      consumer: 'traffic-office',
      resource: 'civil-registry/births',
      from: '2026-03-02',
    })
    await page.getByRole('link', { name: 'Older' }).click()
    await page.getByRole('link', { name: 'Newest' }).waitFor()
    await expect.poll(() => rows.count()).toBe(5)
    const second = await web.open(page.url().slice(web.url.length))
    await expect.poll(() => second.page.getByRole('table').getByRole('row').count()).toBe(5)
    expect(await second.page.getByLabel('Consumer').inputValue()).toBe('traffic-office')
    await page.goBack()
    await expect.poll(() => rows.count()).toBe(26)
    expect([...complaints, ...second.complaints]).toEqual([])
    await second.close()
    await close()
  })

  test('that finds nothing says so, in the language of the reader', async () => {
    const { page, complaints, close } = await web.open('/explore?provider=nobody', { language: 'zh' })
    await page.getByText('没有符合条件的记录').waitFor()
    expect(complaints).toEqual([])
    expect(await untranslated(page)).toEqual([])
    await close()
  })

  test('shows cards on a narrow window, which nothing makes wider, and nothing that axe finds serious', async () => {
    const path = '/explore?resource=civil-registry/births'
    for (const options of [{ width: 375 }, { theme: 'dark', language: 'zh' }] as const) {
      const { page, close } = await web.open(path, options)
      await page.getByRole('table').waitFor()
      expect(await overflow(page)).toBe(0)
      expect(await axe(page)).toEqual([])
      expect(await untranslated(page)).toEqual([])
      await close()
    }
  })

  test('by person is for auditors: others are told so', async () => {
    const path = `/explore?person=${TAG}`
    const anybody = await web.open(path)
    await anybody.page.getByText('shown to auditors').waitFor()
    await anybody.close()
    const { page, close } = await web.open(path, { token: auditor })
    await page.getByRole('table').waitFor()
    await close()
  })
})

describe('the page of a record', () => {
  test('says what it says, keeps closed what is sealed, and shows its way to the block', async () => {
    const { page, complaints, close } = await web.open(recordPath('call-3'))
    const { anchor } = await firstRecord('call-3')
    const members = page.locator('section', { has: page.getByRole('heading', { name: 'What it says' }) })
    await members.getByText('licence-renewal').waitFor()
    await members.getByText('Closed members').waitFor()
    const way = page.locator('section', { has: page.getByRole('heading', { name: 'Its way' }) })
    await way.getByText('submission 0 of its source').waitFor()
    await way.getByTitle(anchor.transactionHash).waitFor()
    expect(await way.locator('[data-done="true"]').count()).toBe(6)
    await page.getByText('Only the provider recorded this call').waitFor()
    await page.getByRole('button', { name: 'Verify here' }).waitFor()
    expect(await axe(page)).toEqual([])
    expect(await untranslated(page)).toEqual([])
    expect(complaints).toEqual([])
    await close()
  })

  test('follows a record that is not final yet until it is', async () => {
    const { page, close } = await web.open('/explore')
    let asked = 0
    await page.route('**/v1/records?**', async (route) => {
      const response = await route.fetch()
      const found = await response.json()
      found.records[0].final = ++asked > 1
      await route.fulfill({ response, json: found })
    })
    await page.goto(new URL(recordPath('call-8'), web.url).href)
    await page.getByText('the block could still be replaced').waitFor()
    expect(await page.getByRole('button', { name: 'Verify here' }).isDisabled()).toBe(true)
    await page.getByText('cannot be taken back any more').waitFor()
    expect(await page.getByRole('button', { name: 'Verify here' }).isEnabled()).toBe(true)
    await close()
  })

  test('gives its proof as a file, with what an auditor wants disclosed and nothing else', async () => {
    const { page, complaints, close } = await web.open(recordPath('call-4'), { token: auditor })
    await page.getByText(TAG).waitFor()
    await page.getByLabel('Person (pseudonym)').check()
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download the proof' }).click(),
    ])
    const bundle = JSON.parse(await readFile(await download.path(), 'utf8'))
    const { record, disclosures } = bundle.bundle ?? bundle
    expect(record.id).toBe('call-4')
    expect(
      disclosures.map((text: string) => JSON.parse(atob(text.replace(/-/g, '+').replace(/_/g, '/')))[1]),
    ).toEqual(['person'])
    expect(complaints).toEqual([])
    await close()
  })

  test('checks its proof in the browser, and names the block that this server’s word was taken for', async () => {
    const { page, complaints, close } = await web.open(recordPath('call-5'))
    await page.getByRole('button', { name: 'Verify here' }).click()
    await page.locator('.verdict[data-verdict="verified"]').waitFor()
    const { anchor } = await firstRecord('call-5')
    await page.getByRole('listitem').filter({ hasText: 'Block' }).getByText(anchor.blockHash).waitFor()
    expect(await axe(page)).toEqual([])
    expect(complaints).toEqual([])
    await close()
  })

  test('whose proof was altered on the way is refuted, with the step that refuses', async () => {
    const { page, close } = await web.open(recordPath('call-5'))
    await page.route('**/v1/proofs?**', async (route) => {
      const response = await route.fetch()
      const value = await response.json()
      const proof = value.bundle ?? value
      proof.record.data.outcome = 'refused'
      await route.fulfill({ response, json: value })
    })
    await page.getByRole('button', { name: 'Verify here' }).click()
    await page.locator('.verdict[data-verdict="refuted"]').waitFor()
    expect(await page.locator('[data-state="failed"]').getAttribute('data-step')).toBe('batch')
    await close()
  })

  test('that the ledger does not hold says so', async () => {
    const { page, close } = await web.open(recordPath('none'))
    await page.getByText('No verified batch of the ledger holds this record').waitFor()
    await page.getByRole('button', { name: 'Look again' }).waitFor()
    await close()
  })

  test('in Chinese and at 375 px leaves nothing untranslated and nothing too wide', async () => {
    const { page, close } = await web.open(recordPath('refused', 'urn:explore:other'), {
      language: 'zh',
      width: 375,
    })
    await page.getByText('责任归属').waitFor()
    await page.getByText('目前只有提供方记录了此次调用').waitFor()
    expect(await untranslated(page)).toEqual([])
    expect(await overflow(page)).toBe(0)
    await close()
  })
})

test('nothing that the public is shown, or sent for it, says whom a record is about', async () => {
  const { page, close } = await web.open('/explore')
  const answers: Promise<string>[] = []
  page.on('response', (response) => answers.push(response.text().catch(() => '')))
  for (const path of ['/explore?consumer=traffic-office', recordPath('call-6'), '/my-data']) {
    await page.goto(new URL(path, web.url).href)
    await page.waitForLoadState('networkidle')
    expect(await page.content()).not.toContain(TAG)
  }
  await page.goto(new URL(recordPath('call-7'), web.url).href)
  await page.getByRole('button', { name: 'Verify here' }).click()
  await page.locator('.verdict').waitFor()
  const disclosure = Buffer.from(TAG).toString('base64url').slice(0, 20)
  for (const text of await Promise.all(answers)) {
    expect(text).not.toContain(TAG)
    expect(text).not.toContain(disclosure)
  }
  await close()
})

async function firstRecord(id: string): Promise<{ anchor: { transactionHash: string; blockHash: string } }> {
  const answer = await fetch(`${web.url}/v1/records?${new URLSearchParams({ source: SOURCE, id })}`)
  return (
    ((await answer.json()) as { records: { anchor: { transactionHash: string; blockHash: string } }[] })
      .records[0] ?? fail()
  )
}

const fail = (): never => {
  throw new Error('there is no such record')
}
