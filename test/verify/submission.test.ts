import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toHex } from '../../src/bytes/hex.ts'
import { treeRoot } from '../../src/merkle/index.ts'
import { leafHash } from '../../src/record/index.ts'
import { verifySubmission } from '../../src/verify/index.ts'
import { runs } from '../bytes/runs.ts'
import { factsOf, LEDGER } from './chain.ts'
import { worldOf } from './world.ts'

const world = worldOf([[[1]], [[5], [2]], [[3, 13, 4]], [[9]]])
const chain = factsOf(world.data)
/** Records 4 to 8 of a batch of 13. */
const bundle = () => structuredClone(world.proveSubmission(4, 4, 5))

const refusedAt = (step: string, code: string) =>
  expect.objectContaining({ name: 'VerificationError', step, code })

describe('the proof of a submission', () => {
  test('is accepted for any range of any batch, and gives its root and size', async () => {
    for (const [index, { items, header }] of world.batches.entries()) {
      for (let first = 0; first < items.length; first++) {
        for (let count = 1; first + count <= items.length; count++) {
          const leaves = items.slice(first, first + count).map(({ record }) => leafHash(record))
          const found = await verifySubmission(world.proveSubmission(index, first, count), chain)
          expect(found).toMatchObject({
            root: treeRoot(leaves),
            size: count,
            header,
            logIndex: BigInt(index),
          })
        }
      }
    }
  })

  test('is refused for a ledger that the verifier does not trust', async () => {
    await expect(verifySubmission(bundle(), chain, { ledger: LEDGER })).resolves.toBeDefined()
    await expect(verifySubmission(bundle(), chain, { ledger: `0x${'11'.repeat(20)}` })).rejects.toThrow(
      refusedAt('anchor', 'WRONG_LEDGER'),
    )
  })

  test.each<[string, string, string, (bundle: ReturnType<typeof world.proveSubmission>) => object]>([
    ['a member more', 'read', 'MALFORMED_BUNDLE', (good) => ({ ...good, extra: 1 })],
    ['a leaf that is no hash', 'read', 'MALFORMED_BUNDLE', (good) => ({ ...good, leaves: ['0x00'] })],
    ['a range that is a text', 'read', 'MALFORMED_BUNDLE', (good) => ({ ...good, range: '4' })],
    ['no leaves', 'batch', 'BATCH_MISMATCH', (good) => ({ ...good, leaves: [] })],
    ['a leaf less', 'batch', 'MALFORMED_PATH', (good) => ({ ...good, leaves: good.leaves.slice(1) })],
    [
      'a leaf of another record',
      'batch',
      'ROOT_MISMATCH',
      (good) => ({ ...good, leaves: good.leaves.with(2, toHex(new Uint8Array(32))) }),
    ],
    [
      'leaves in another order',
      'batch',
      'ROOT_MISMATCH',
      (good) => ({ ...good, leaves: good.leaves.toReversed() }),
    ],
    ['another place', 'batch', 'ROOT_MISMATCH', (good) => ({ ...good, range: { ...good.range, first: 6 } })],
    [
      'a place beyond the batch',
      'batch',
      'INDEX_OUT_OF_RANGE',
      (good) => ({ ...good, range: { ...good.range, first: 9 } }),
    ],
    [
      'a path that is too short',
      'batch',
      'MALFORMED_PATH',
      (good) => ({ ...good, range: { ...good.range, path: good.range.path.slice(1) } }),
    ],
    [
      'the header of another batch',
      'batch',
      'ROOT_MISMATCH',
      (good) => ({ ...good, batch: { ...good.batch, recordsRoot: toHex(new Uint8Array(32)) } }),
    ],
    [
      'another sequence',
      'anchor',
      'HEADER_MISMATCH',
      (good) => ({ ...good, batch: { ...good.batch, sequence: '5' } }),
    ],
    ['another log', 'log', 'HEADER_MISMATCH', (good) => ({ ...good, log: { ...good.log, size: '5' } })],
  ])('with %s is refused', async (_, step, code, change) => {
    await expect(verifySubmission(change(bundle()), chain)).rejects.toThrow(refusedAt(step, code))
  })

  test('with any digit of it changed is refused', async () => {
    const text = JSON.stringify(bundle())
    const digits = [...text.matchAll(/[0-9a-f]{8}/g)].map(({ index }) => index)
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...digits), fc.constantFrom(...'0123456789abcdef'), async (at, by) => {
        fc.pre(text[at] !== by)
        const changed = JSON.parse(text.slice(0, at) + by + text.slice(at + 1))
        await expect(verifySubmission(changed, chain)).rejects.toThrow(
          expect.objectContaining({ name: 'VerificationError' }),
        )
      }),
      runs(100),
    )
  })

  test.each([null, 7, {}, { format: 'tidemark-proof/1' }])('is not %j', async (value) => {
    await expect(verifySubmission(value, chain)).rejects.toThrow(
      expect.objectContaining({ name: 'InputError', code: 'BAD_BUNDLE' }),
    )
  })
})
