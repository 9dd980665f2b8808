import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { keccak256 } from 'ethers'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JsonOffline } from '../../src/proof/index.ts'
import { nameId } from '../../src/record/index.ts'
import { AUTHORIZATION_STEPS, resourceSlot, revokedAtSlot } from '../../src/verify/index.ts'
import { launchChromium } from '../browser/chromium.ts'
import { AUTHORIZATIONS, authorizedWorld, REGISTRY } from '../verify/authorized-world.ts'
import { LEDGER } from '../verify/chain.ts'
import { mint } from '../verify/evidence-world.ts'
import { historyWorld, minutes, personOf, runWorld } from '../verify/history-world.ts'
import { worldOf } from '../verify/world.ts'
import { axe, keepPicture, overflow, untranslated } from './harness.ts'
import { give, openSettings, openVerifier, PAGE_FILE, shown } from './verifier-page.ts'

let browser: Browser
beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(() => browser?.close())

const world = worldOf([[[2]], [[3, 7, 1], [1]]])
const minted = mint(world.data)
const blockHashes = ({ evidence }: JsonOffline) => evidence.blocks.map(({ header }) => keccak256(header))

/** One good bundle of each kind, with evidence. */
async function bundlesOfEachKind(): Promise<Record<Kind, JsonOffline>> {
  const calls = [
    [{ person: 0, minute: 5 }],
    [
      { person: 1, minute: 9 },
      { person: 0, minute: 10 },
    ],
  ]
  const period = { from: minutes(0), to: minutes(60) }
  const { data, history } = historyWorld(calls)
  const runs = await runWorld([...calls, { first: 0, count: 2 }, [{ person: 0, minute: 30 }]])
  const call = await authorizedWorld()
  const authorized = mint(call.chain, call.rights)
  const slots = [
    [LEDGER, authorized.ledgerSlots(6)],
    [AUTHORIZATIONS, [revokedAtSlot(call.id)]],
    [REGISTRY, [resourceSlot(nameId('urn:example:civil:births'))]],
  ] as const
  const blocks = [Number(call.proof().authorization?.revocation.blockNumber)]
  return {
    proof: minted.wrap(world.prove(2, 3)),
    submission: minted.wrap(world.proveSubmission(2, 2, 3)),
    history: mint(data).wrap(await history('person', personOf(0), { period })),
    runs: mint(runs.data).wrap(await runs.runHistory('person', personOf(0))),
    authorized: authorized.wrap(call.proof(), { slots, blocks, state: 6 }),
  }
}
type Kind = 'proof' | 'submission' | 'history' | 'runs' | 'authorized'

describe('opened from its file, without a network', () => {
  test('a proof with evidence is verified once its block is trusted, and not before', async () => {
    const { page, context, requests, complaints } = await openVerifier(browser)
    await context.setOffline(true)
    const wrapper = minted.wrap(world.prove(2, 3))
    expect((await give(page, { 'proof.json': wrapper })).get('proof.json')).toEqual({
      verdict: 'unchecked',
      passed: ['read', 'record', 'batch'],
      code: 'BLOCK_NOT_TRUSTED',
    })
    const [hash = ''] = blockHashes(wrapper)
    await page.getByText(hash).waitFor()
    await page.getByRole('button', { name: 'I trust this block' }).click()
    await page.locator('[data-verdict=verified]').waitFor()
    expect((await shown(page)).get('proof.json')).toEqual({
      verdict: 'verified',
      passed: ['read', 'record', 'batch', 'evidence', 'anchor', 'log'],
    })
    const text = await page.locator('article').textContent()
    expect(text).toContain(world.prove(2, 3).record.id)
    expect(text).toContain(`That this is the ledger, as the file says${LEDGER}`)
    expect(requests).toEqual([page.url()])
    expect(complaints).toEqual([])
    await context.close()
  })

  test('every kind is verified from evidence; altered, it is refuted at the step', async () => {
    const good = await bundlesOfEachKind()
    const altered: Record<string, [change: Alteration, step: string, code: string]> = {}
    const alter = (
      kind: Kind,
      step: string,
      code: string,
      change: (bundle: Json, all: JsonOffline) => void,
    ) => {
      altered[`${kind} at ${step}, ${code}.json`] = [[kind, change], step, code]
    }
    alter('proof', 'read', 'MALFORMED_BUNDLE', (bundle) => Object.assign(bundle, { extra: 1 }))
    alter('proof', 'record', 'BAD_DISCLOSURE', ({ disclosures }) => disclosures.push(disclosures[0]))
    alter('proof', 'batch', 'ROOT_MISMATCH', ({ record }) => Object.assign(record, { id: 'another' }))
    alter('proof', 'anchor', 'HEADER_MISMATCH', ({ batch }) => {
      batch.lastTime = String(BigInt(batch.lastTime) + 1n)
    })
    alter('proof', 'log', 'ROOT_MISMATCH', ({ log }) => flip(log.path))
    alter('proof', 'evidence', 'BAD_EVIDENCE', (_, { evidence }) =>
      flip(evidence.blocks[0]?.transactions[0]?.receiptProof ?? []),
    )
    alter('submission', 'read', 'MALFORMED_BUNDLE', (bundle) => delete bundle.log)
    alter('submission', 'batch', 'ROOT_MISMATCH', ({ range }) => flip(range.path))
    alter('submission', 'anchor', 'WRONG_CHAIN', ({ anchor }) => Object.assign(anchor, { chainId: '1' }))
    alter('history', 'batches', 'MISSING_RECORD', ({ batches }) => delete batches[0].found)
    alter('history', 'log', 'HEADER_MISMATCH', ({ range }) => Object.assign(range, { size: '3' }))
    alter('runs', 'batches', 'MISSING_BATCH', ({ parts }) => parts[0].batches.pop())
    alter('authorized', 'grant', 'WRONG_GRANT', ({ authorization }) => {
      authorization.grant.nonce = '8'
    })
    alter('authorized', 'registry', 'RESOURCE_MISMATCH', ({ authorization }) => {
      authorization.resource.level += 1
    })
    alter('authorized', 'revocation', 'FALSE_REVOCATION', ({ authorization }) => {
      authorization.revocation.revokedAt = '1790000001'
    })
    const files: Record<string, unknown> = { ...good, 'none.json': '{', 'other.json': { format: 'other/1' } }
    for (const [name, [[kind, change]]] of Object.entries(altered)) {
      const all = structuredClone(good[kind])
      change(all.bundle as Json, all)
      files[name] = all
    }

    const { page, context, requests, complaints } = await openVerifier(browser)
    await context.setOffline(true)
    await openSettings(page)
    const trusted = Object.values(good).flatMap(blockHashes)
    await page.getByLabel('Hashes of blocks that you trust').fill(trusted.join('\n'))
    const verdicts = await give(page, files)
    for (const kind of Object.keys(good)) expect(verdicts.get(kind)?.verdict, kind).toBe('verified')
    expect(verdicts.get('authorized')?.passed.slice(-4)).toEqual([...AUTHORIZATION_STEPS])
    for (const [name, [, failed, code]] of Object.entries(altered)) {
      expect(verdicts.get(name), name).toMatchObject({ verdict: 'refuted', failed, code })
    }
    for (const name of ['none.json', 'other.json']) {
      expect(verdicts.get(name)).toEqual({ verdict: 'unreadable', passed: [], code: 'BAD_BUNDLE' })
    }
    expect(requests).toEqual([page.url()])
    expect(complaints).toEqual([])
    await context.close()
  })

  test('what brings no evidence is checked as far as it goes, and never called verified', async () => {
    const { page, context } = await openVerifier(browser)
    const { evidence: _, bundle: history } = (await bundlesOfEachKind()).history
    const verdicts = await give(page, {
      'proof.json': world.prove(2, 3),
      'history.json': history,
      'receipt.json': receiptVectors.receipt,
    })
    const unchecked = { verdict: 'unchecked', code: 'NOT_IN_EVIDENCE' }
    expect(Object.fromEntries(verdicts)).toEqual({
      'proof.json': { ...unchecked, passed: ['read', 'record', 'batch'] },
      'history.json': { ...unchecked, passed: ['read', 'batches'] },
      'receipt.json': { ...unchecked, passed: ['read'] },
    })
    const claims = page.locator('article[data-file="proof.json"]')
    await claims.getByText('Nothing of this is proven.').waitFor()
    expect(await page.locator('[data-state=failed]').count()).toBe(0)
    await context.close()
  })

  test('a pin that the file does not match refutes it', async () => {
    const { page, context } = await openVerifier(browser)
    const wrapper = minted.wrap(world.prove(2, 3))
    await openSettings(page)
    await page.getByLabel('Hashes of blocks that you trust').fill(blockHashes(wrapper).join(', '))
    await page.getByLabel('Address of the ledger').fill(`0x${'AB'.repeat(20)}`)
    expect((await give(page, { 'proof.json': wrapper })).get('proof.json')).toMatchObject({
      verdict: 'refuted',
      failed: 'anchor',
      code: 'WRONG_LEDGER',
    })
    await page.getByLabel('Address of the ledger').fill(LEDGER)
    await page.locator('[data-verdict=verified]').waitFor()
    expect(await page.locator('article').textContent()).not.toContain('That this is the ledger')
    await context.close()
  })
})

describe('the page', () => {
  test.each([
    ['en-GB', 'light', 1280],
    ['zh-CN', 'dark', 375],
  ] as const)(
    'in %s, %s, %i px wide: accessible, in one language, and no wider than the screen',
    async (...how) => {
      const [locale, colorScheme, width] = how
      const viewport = { width, height: 800 }
      const { page, context } = await openVerifier(browser, undefined, { locale, colorScheme, viewport })
      const good = await bundlesOfEachKind()
      const altered = structuredClone(good.proof)
      Object.assign((altered.bundle as Json).record, { id: 'another' })
      await openSettings(page)
      await page.locator('.trust-settings textarea').fill(blockHashes(good.authorized).join('\n'))
      await page.locator('.intake summary').click()
      await give(page, { ...good, altered, 'none.json': '{', 'receipt.json': receiptVectors.receipt })
      // The form is shown, and nobody is asked yet.
      await page.locator('.trust-settings input[type=checkbox]').check()
      expect(await overflow(page)).toBe(0)
      expect(await untranslated(page)).toEqual([])
      expect(await axe(page)).toEqual([])
      await keepPicture(page, `verifier-${locale}`)
      await context.close()
    },
  )

  test('is one file of less than 150,000 bytes compressed', () => {
    expect(gzipSync(readFileSync(PAGE_FILE)).length).toBeLessThan(150_000)
  })
})

// biome-ignore lint/suspicious/noExplicitAny: parsed JSON, altered by whoever knows its shape
type Json = any
type Alteration = [Kind, (bundle: Json, all: JsonOffline) => void]

/** The first hash of a path with one bit turned. */
function flip(path: string[]): void {
  const [first = ''] = path
  path[0] = `${first.slice(0, -1)}${(Number.parseInt(first.slice(-1), 16) ^ 1).toString(16)}`
}

const receiptVectors = JSON.parse(
  readFileSync(new URL('../vectors/receipt.json', import.meta.url), 'utf8'),
) as { receipt: unknown }
