import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tidemark } from '../e2e/processes.ts'
import { temporaryFolder } from '../store/temporary.ts'
import { type BadCase, type BundleCase, badBundles, goodBundles } from '../vectors/bad.ts'
import { startNode } from '../verify/node.ts'
import { refusalOf } from './refusal.ts'

const goods = [...goodBundles()]
const EXIT_CODES: Readonly<Record<string, number>> = {
  VerificationError: 1,
  InputError: 2,
  OperationError: 3,
}
/** By the file of the vectors, as are all bundles made of them. */
const nodes = new Map<string, Awaited<ReturnType<typeof startNode>>>()
/** The last of each family of error. */
const ONE_OF_EACH = [...new Map([...badBundles()].map((one) => [one.error, one]))]
const fileOf = ({ name }: Pick<BundleCase, 'name'>) => name.split(':')[0] ?? ''

beforeAll(async () => {
  for (const { chain, ...good } of goods)
    if (chain !== undefined) nodes.set(fileOf(good), await startNode({ chain, ...good }))
})
afterAll(async () => {
  for (const node of nodes.values()) await node.close()
})

/** What checks a file that holds the bundle, but for the name of the program. */
function commandFor(one: BundleCase, file: string): string[] {
  const { url } = nodes.get(fileOf(one)) ?? {}
  const { ledger, publisher, authorizations } = one.trust
  return [
    ...(one.kind === 'tidemark-receipt' ? ['receipt', file, '--api', url ?? ''] : [file]),
    ...['--json', ...(url === undefined ? [] : ['--rpc', url])],
    ...(one.trustedBlocks ?? []).flatMap((hash) => ['--trusted-block', hash]),
    ...(ledger === undefined ? [] : ['--ledger', ledger]),
    ...(publisher === undefined ? [] : ['--publisher', publisher]),
    ...(authorizations === undefined ? [] : ['--authorizations', authorizations]),
  ]
}

describe('tidemark verify', () => {
  test.each(goods.map((one) => [one.name, one] as const))(
    'verifies what is altered below: %s',
    async (_, good) => {
      const file = join(await temporaryFolder(), 'bundle.json')
      await writeFile(file, good.bundle)
      expect(await tidemark(['verify', ...commandFor(good, file)])).toMatchObject({ code: 0, stderr: '' })
    },
  )

  test.each([...Map.groupBy(badBundles(), fileOf)])(
    'refuses each bad bundle at its step: %s',
    async (_, all) => {
      const file = join(await temporaryFolder(), 'bundle.json')
      for (const one of all) {
        await writeFile(file, one.bundle)
        expect(await refusalOf(commandFor(one, file)), one.name).toMatchObject(expected(one))
      }
    },
  )

  test.each(ONE_OF_EACH)('says so as a process: %s', async (_, one) => {
    const file = join(await temporaryFolder(), 'bundle.json')
    await writeFile(file, one.bundle)
    const { code, stdout } = await tidemark(['verify', ...commandFor(one, file)])
    const { error } = JSON.parse(stdout) as { error: { code: string; step?: string } }
    expect({ exit: code, code: error.code, step: error.step }).toEqual(expected(one))
  })
})

const expected = ({ error, step, code }: BadCase) => ({ exit: EXIT_CODES[error], code, step })
