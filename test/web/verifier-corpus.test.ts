import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchChromium } from '../browser/chromium.ts'
import { type BadCase, type BundleCase, badBundles, goodBundles } from '../vectors/bad.ts'
import { startNodes } from './chain-node.ts'
import { give, openSettings, openVerifier, type Shown } from './verifier-page.ts'

const good = [...goodBundles()]
const bad = Map.groupBy(badBundles(), ({ name }) => name.slice(0, name.indexOf(':')))

let browser: Browser
let nodes: Awaited<ReturnType<typeof startNodes>>
beforeAll(async () => {
  browser = await launchChromium()
  const chains = good.flatMap(({ name, chain, rights, publishers }) =>
    chain === undefined
      ? []
      : [[name, { chain, ...(rights && { rights }), ...(publishers && { publishers }) }] as const],
  )
  nodes = await startNodes(Object.fromEntries(chains))
})
afterAll(async () => {
  await browser?.close()
  await nodes?.close()
})

/** The page as a verifier of one good bundle has it: its node or its blocks named, and what else it trusts. */
async function openFor({ name, chain, trustedBlocks = [], trust, submission, nowMs }: BundleCase) {
  const { page, context, complaints } = await openVerifier(browser)
  if (nowMs !== undefined) await page.clock.setFixedTime(nowMs)
  await openSettings(page)
  if (chain !== undefined) {
    await page.getByLabel('Ask a node of the chain').check()
    await page.getByLabel('Address of a node').fill(nodes.urlOf(name))
  }
  await page.getByLabel('Hashes of blocks that you trust').fill(trustedBlocks.join('\n'))
  const labels = [
    ['Address of the ledger', trust.ledger],
    ['Address of the contract that decides on grants', trust.authorizations],
    ['Address of the registry', trust.registry],
    ['Address of the publisher', trust.publisher],
  ] as const
  for (const [label, address] of labels) await page.getByLabel(label).fill(address ?? '')
  if (submission !== undefined) await give(page, { 'its submission': submission })
  return { page, context, complaints }
}

describe('the corpus of bad bundles, through the page', () => {
  test.each(good.map((one) => [one.name, one] as const))('%s', async (name, one) => {
    const cases = bad.get(name) ?? []
    const { page, context, complaints } = await openFor(one)
    const files = Object.fromEntries(cases.map((each) => [each.name, each.bundle]))
    const verdicts = await give(page, { [name]: one.bundle, ...files })
    expect(verdicts.get(name)?.verdict).toBe('verified')
    const wrong = cases.filter(
      (each) => JSON.stringify(verdictOf(verdicts.get(each.name))) !== JSON.stringify(expectedOf(each)),
    )
    expect(
      wrong.map((each) => ({ name: each.name, is: verdicts.get(each.name), should: expectedOf(each) })),
    ).toEqual([])
    expect(complaints).toEqual([])
    await context.close()
  })
})

const verdictOf = (said: Shown | undefined) => ({
  verdict: said?.verdict,
  failed: said?.failed,
  code: said?.code,
})

const VERDICTS: Readonly<Record<string, string>> = {
  VerificationError: 'refuted',
  InputError: 'unreadable',
  OperationError: 'unchecked',
}

const expectedOf = ({ error, step, code }: BadCase) => ({
  verdict: VERDICTS[error],
  failed: error === 'VerificationError' ? (step ?? 'read') : undefined,
  code,
})
