import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Hex } from '../../src/bytes/hex.ts'
import { decide, decodeGrant, encodeGrant, type GrantStanding, SHARINGS } from '../../src/record/index.ts'
import { runs } from '../bytes/runs.ts'
import { decisionOn, type World } from '../contracts/decision.ts'

/** Few names, so that they often meet. */
const name = fc.constantFrom<Hex>('0xaa', '0xbb', '0xcc')
const second = fc.bigInt({ min: 0n, max: 6n })

const terms = fc.record({
  consumer: name,
  resource: name,
  purpose: name,
  notBefore: second,
  notAfter: second,
  maxCalls: fc.integer({ min: 0, max: 3 }),
})
const grants = fc.option(
  fc.record({
    terms,
    signed: fc.constant(true),
    revoked: fc.boolean(),
    paused: fc.boolean(),
    calls: fc.bigInt({ min: 0n, max: 4n }),
  }),
  { nil: undefined },
)
const worlds = fc.record({
  sources: fc.uniqueArray(name),
  resources: fc.dictionary(name, fc.record({ owner: name, sharing: fc.constantFrom(...SHARINGS.slice(1)) })),
  tripped: fc.uniqueArray(
    fc.oneof(
      { weight: 1, arbitrary: fc.constant('everything') },
      { weight: 4, arbitrary: name.map((id) => `source:${id}`) },
      { weight: 4, arbitrary: name.map((id) => `resource:${id}`) },
    ),
    { maxLength: 3 },
  ),
})
const uses = fc.record({ consumer: name, resource: name, purpose: name })

/** What the oracle is told of the same grant. */
function toWorld({ sources, resources, tripped }: Described, grant: GrantStanding | undefined): World {
  const known = Object.entries(resources).map(([id, entry]) => [id, { version: 1n, ...entry }] as const)
  const { terms, revoked, paused, calls } = grant ?? {}
  return {
    sources: new Set(sources),
    resources: new Map(known),
    tripped: new Set(tripped),
    grants: new Map(
      terms === undefined
        ? []
        : [
            [
              'grant',
              {
                terms: { ...terms, subject: '', nonce: 0n, maxCalls: BigInt(terms.maxCalls) },
                given: true,
                paused: paused ?? false,
                revokedAt: revoked ? 1n : 0n,
                calls: calls ?? 0n,
              },
            ],
          ],
    ),
  }
}
interface Described {
  sources: Hex[]
  resources: Record<string, { owner: Hex; sharing: (typeof SHARINGS)[number] }>
  tripped: string[]
}

/** The registry's answer, put together from its entries. */
function standingOf({ sources, resources, tripped }: Described, consumer: Hex, resource: Hex) {
  const entry = resources[resource]
  const switches = ['everything', `source:${consumer}`, `resource:${resource}`, `source:${entry?.owner}`]
  return {
    known: sources.includes(consumer),
    sharing: entry?.sharing ?? 'none',
    tripped: switches.some((one) => tripped.includes(one)),
  } as const
}

test('a decision is that of the rules as the format states them, whatever the world is like', () => {
  const met = new Set<string>()
  fc.assert(
    fc.property(worlds, uses, grants, fc.bigInt({ min: 1n, max: 7n }), (world, use, grant, time) => {
      const expected = decisionOn(toWorld(world, grant), { ...use, grantId: 'grant' }, time)
      met.add(expected)
      expect(decide(use, standingOf(world, use.consumer, use.resource), grant, time)).toBe(expected)
    }),
    runs(5_000),
  )
  expect(met.size).toBeGreaterThan(10)
})

test('a grant without its signature decides nothing, and hides nothing that comes before it', () => {
  const use = { consumer: '0xaa', resource: '0xbb', purpose: '0xcc' } as const
  const grant = {
    terms: { ...use, consumer: '0xcc', notBefore: 0n, notAfter: 0n, maxCalls: 1 },
    signed: false,
    revoked: true,
    paused: true,
    calls: 9n,
  } as const
  const standing = { known: true, sharing: 'conditional', tripped: false } as const
  expect(decide(use, standing, grant, 1n)).toBe('NotSigned')
  expect(decide(use, { ...standing, tripped: true }, grant, 1n)).toBe('Tripped')
})

test('a grant comes back from its eight words', () => {
  const bytes = (size: number) =>
    fc
      .uint8Array({ minLength: size, maxLength: size })
      .map((some): Hex => `0x${Buffer.from(some).toString('hex')}`)
  const grant = fc.record({
    subject: bytes(20),
    consumer: bytes(32),
    resource: bytes(32),
    purpose: bytes(32),
    notBefore: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    notAfter: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    maxCalls: fc.nat({ max: 2 ** 32 - 1 }),
    nonce: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
  })
  fc.assert(
    fc.property(grant, (one) => void expect(decodeGrant(encodeGrant(one))).toEqual(one)),
    runs(200),
  )
})
