import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeHeader, parseJsonHeader } from '../../src/batch/index.ts'
import type { JsonProof } from '../../src/proof/index.ts'
import { canonicalBytes } from '../../src/record/index.ts'
import { tidemark } from '../e2e/processes.ts'
import { checkCoseReceipt, checkTlogProof } from '../proof/standards.ts'
import { temporaryFolder } from '../store/temporary.ts'
import { LEDGER } from '../verify/chain.ts'
import { mint } from '../verify/evidence-world.ts'
import { startNode } from '../verify/node.ts'
import { worldOf } from '../verify/world.ts'

const { data: world, prove } = worldOf([[[2]], [[3, 7, 1], [1]]])
const { renamed, wrap } = mint(world)
/** With the blocks that evidence can show. */
const data = renamed(world)
const offline = wrap(prove(2, 3))
const proof = offline.bundle as JsonProof
const ed25519 = generateKeyPairSync('ed25519')
const publicKey = Buffer.from(ed25519.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url')
let node: Awaited<ReturnType<typeof startNode>>

beforeAll(async () => {
  node = await startNode({ chain: data })
})
afterAll(() => node.close())

async function exported(args: string[], bundle: unknown = proof, key: KeyObject = ed25519.privateKey) {
  const folder = await temporaryFolder()
  const [file, pem, out] = ['proof.json', 'key.pem', 'out'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  await writeFile(file, JSON.stringify(bundle))
  await writeFile(pem, key.export({ format: 'pem', type: 'pkcs8' }))
  const all = ['export', file, ...args, '--key', pem, '--rpc', node.url, '--ledger', LEDGER, '--out', out]
  const { code, stderr } = await tidemark(all)
  return {
    code,
    stderr,
    bytes: code === 0 ? await readFile(out) : await readFile(out).catch(() => undefined),
  }
}

describe('tidemark export', () => {
  test('writes a record of a batch as a tlog-proof, and says for which key', async () => {
    const { code, stderr, bytes } = await exported(['--as', 'tlog-proof'])
    expect(code).toBe(0)
    const [, verifierKey = ''] = /signed for (.*)\n/.exec(stderr) ?? []
    expect(checkTlogProof(String(bytes), canonicalBytes(proof.record), verifierKey)).toMatchObject({
      origin: `tidemark/31337/${LEDGER}/${proof.batch.publisher}/2`,
      size: 7n,
      index: 3n,
    })
  })

  test('takes a proof with its evidence as prove writes it', async () => {
    const bare = await exported(['--as', 'tlog-proof'])
    expect(await exported(['--as', 'tlog-proof'], offline)).toEqual(bare)
  })

  test('writes a batch of the ledger as a COSE receipt', async () => {
    const { code, bytes = Buffer.of() } = await exported(['--as', 'cose-receipt', '--of', 'log'])
    expect(code).toBe(0)
    const root = Buffer.from(data.ledgerRoots.find(({ size }) => size === '4')?.root.slice(2) ?? '', 'hex')
    const leaf = encodeHeader(parseJsonHeader(proof.batch))
    const origin = `tidemark/31337/${LEDGER}`
    expect(checkCoseReceipt(bytes, leaf, root, publicKey)).toMatchObject({ origin, size: 4n, index: 2n })
  })

  test('signs nothing of a proof that is refuted', async () => {
    const { anchor } = proof
    const bundle = { ...proof, anchor: { ...anchor, logIndex: anchor.logIndex + 1 } }
    const { code, stderr, bytes } = await exported(['--as', 'tlog-proof'], bundle)
    expect({ code, bytes }).toEqual({ code: 1, bytes: undefined })
    expect(stderr).toContain('REFUTED at step anchor')
  })

  test('takes no key but one of Ed25519', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { code, stderr } = await exported(['--as', 'tlog-proof'], proof, privateKey)
    expect(code).toBe(2)
    expect(stderr).toContain('holds a key of ec, not of Ed25519')
  })
})
