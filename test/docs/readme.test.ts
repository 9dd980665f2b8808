import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { type JsonProof, OFFLINE_FORMAT } from '../../src/proof/index.ts'
import { temporaryFolder } from '../store/temporary.ts'
import { worldOf } from '../verify/world.ts'

const ROOT = join(import.meta.dirname, '../..')
const README = readFileSync(join(ROOT, 'README.md'), 'utf8')
const code = [...README.matchAll(/```js\n(.*?)```/gs)].find(([, js]) => js?.includes('MerkleTree'))?.[1] ?? ''

/** What the lines of the README print of a proof, which comes with evidence that they do not look at. */
async function checkWithReadme(proof: JsonProof): Promise<string> {
  const folder = await temporaryFolder()
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  await writeFile(join(folder, 'check.mjs'), code)
  await writeFile(join(folder, 'proof.json'), JSON.stringify({ format: OFFLINE_FORMAT, bundle: proof }))
  const { stdout } = await promisify(execFile)(process.execPath, ['check.mjs'], { cwd: folder })
  return stdout.trim()
}

/** One of them has no sibling on two levels. */
const PLACES = [
  [0, 1],
  [1, 4],
  [2, 3],
] as const

test('the ten lines of the README check a record of a proof with merkletreejs', async () => {
  const { prove } = worldOf([[[2, 5, 7]]])
  const lines = code.trim().split('\n')
  expect(lines.filter((line) => line !== '' && !line.startsWith('import'))).toHaveLength(10)
  for (const [batch, place] of PLACES) expect(await checkWithReadme(prove(batch, place))).toBe('true')
})

test('they find an altered record out', async () => {
  const proof = worldOf([[[5]]]).prove(0, 4)
  proof.record.data.outcome = 'refused'
  expect(await checkWithReadme(proof)).toBe('false')
})
