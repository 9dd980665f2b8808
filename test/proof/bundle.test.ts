import { describe, expect, test } from 'vitest'
import { PROOF_FORMAT, PROOF_MEDIA_TYPE, parseProof, toJsonProof } from '../../src/proof/index.ts'
import { worldOf } from '../verify/world.ts'

const { prove } = worldOf([[[4, 9]]])

describe('a proof as JSON', () => {
  test('is read and written again as it was', () => {
    for (let position = 0; position < 9; position++) {
      const text = JSON.stringify(prove(1, position))
      expect(JSON.stringify(toJsonProof(parseProof(JSON.parse(text))))).toBe(text)
    }
  })

  test('has the members of its format, in their order', () => {
    const bundle = prove(1, 3)
    expect(Object.keys(bundle)).toEqual([
      'format',
      'record',
      'disclosures',
      'inclusion',
      'batch',
      'log',
      'anchor',
    ])
    expect(Object.keys(bundle.anchor)).toEqual([
      'chainId',
      'ledger',
      'blockNumber',
      'blockHash',
      'transactionHash',
      'logIndex',
    ])
    expect(bundle.format).toBe(PROOF_FORMAT)
    expect(PROOF_FORMAT).toBe('tidemark-proof/1')
    expect(PROOF_MEDIA_TYPE).toBe('application/vnd.tidemark.proof+json')
  })

  test('has its sizes as text where they may exceed 2^53, and as numbers where they cannot', () => {
    const bundle = prove(1, 3)
    const huge = '18446744073709551615'
    const parsed = parseProof({ ...bundle, log: { ...bundle.log, index: huge, size: huge } })
    expect(parsed.log).toMatchObject({ index: 2n ** 64n - 1n, size: 2n ** 64n - 1n })
    expect(toJsonProof(parsed).log.index).toBe(huge)
    expect(bundle.inclusion.index).toBe(3)
    expect(parsed.header.sequence).toBe(1n)
  })

  test('has no members of its prototype', () => {
    const bundle: unknown = Object.create(prove(1, 3), { format: { value: PROOF_FORMAT, enumerable: true } })
    expect(() => parseProof(bundle)).toThrow(
      expect.objectContaining({ name: 'VerificationError', code: 'MALFORMED_BUNDLE' }),
    )
    const polluting: unknown = JSON.parse(`{"__proto__":{"x":1},${JSON.stringify(prove(1, 3)).slice(1)}`)
    expect(() => parseProof(polluting)).toThrow(expect.objectContaining({ code: 'MALFORMED_BUNDLE' }))
    expect({}).not.toHaveProperty('x')
  })
})
