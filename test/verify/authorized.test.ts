import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { OperationError } from '../../src/index.ts'
import { parseProof, toJsonProof } from '../../src/proof/index.ts'
import { nameId } from '../../src/record/index.ts'
import { verifyProof } from '../../src/verify/index.ts'
import { runs } from '../bytes/runs.ts'
import {
  AUTHORIZATIONS,
  type AuthorizedOptions,
  authorizedWorld,
  REGISTRY,
  rightsOf,
  timeOfBlock,
} from './authorized-world.ts'
import { factsOf } from './chain.ts'
import { expectCharactersToMatter, expectMembersToMatter } from './changes.ts'

type World = Awaited<ReturnType<typeof authorizedWorld>>

const verify = ({ chain, rights, proof }: World, bundle: unknown = proof(), trust = {}) =>
  verifyProof(bundle, factsOf(chain), trust, rightsOf(rights, chain))

const refusal = (code: string, step: string) =>
  expect.objectContaining({ name: 'VerificationError', code, step })

const world = await authorizedWorld()

describe('an authorised call is accepted', () => {
  test('with the consent, the entry of the registry and the block of which it is not withdrawn', async () => {
    expect(await verify(world)).toMatchObject({
      finalBlock: 6n,
      authorization: {
        contract: AUTHORIZATIONS,
        grantId: world.id,
        grant: world.grant,
        consent: 'key',
        resource: { registry: REGISTRY, version: 1, sharing: 'conditional', level: 3 },
        registeredAt: BigInt(timeOfBlock(1)),
        revokedAt: 0n,
        asOf: { number: 6n, hash: world.chain.blocks[6]?.hash, timestamp: BigInt(timeOfBlock(6)) },
      },
    })
    expect(await verify(world, world.proof(), { authorizations: AUTHORIZATIONS })).toBeDefined()
  })

  test('read and written again as it was', () => {
    expect(toJsonProof(parseProof(world.proof()))).toEqual(world.proof())
    expect(JSON.stringify(toJsonProof(parseProof(world.proof())))).toBe(JSON.stringify(world.proof()))
  })

  test('where the subject is an account with code, or the contract was given the grant before', async () => {
    for (const consent of ['account', 'given'] as const) {
      const other = await authorizedWorld({ consent })
      expect(await verify(other)).toMatchObject({ authorization: { consent } })
    }
  })

  test('of a resource that needs no consent', async () => {
    const open = await authorizedWorld({ sharing: 'unconditional' })
    expect(await verify(open)).toMatchObject({ authorization: { resource: { sharing: 'unconditional' } } })
  })

  test('that states neither sharing nor level, and was not withdrawn when the proof was made', async () => {
    const silent = { sharing: undefined, level: undefined }
    const old = await authorizedWorld({ call: silent, claim: { revokedAt: 0, block: 4 } })
    expect(await verify(old)).toBeDefined()
  })

  test('that came before the withdrawal, whether the proof knows of it or not', async () => {
    const revokedAt = timeOfBlock(5)
    for (const claim of [undefined, { revokedAt: 0, block: 4 }]) {
      const since = await authorizedWorld({ revokedAt, ...(claim && { claim }) })
      expect(await verify(since)).toMatchObject({ authorization: { revokedAt: BigInt(revokedAt) } })
    }
  })

  test('under the version that was in force, though there are others by now', async () => {
    const replacedAt = BigInt(timeOfBlock(4))
    for (const showNext of [true, false]) {
      const later = await authorizedWorld({ sets: [1, 4, 5], showNext })
      expect(await verify(later)).toMatchObject({ authorization: { replacedAt } })
    }
    const second = await authorizedWorld({ sets: [1, 2], version: 2 })
    expect(await verify(second)).toMatchObject({ authorization: { registeredAt: BigInt(timeOfBlock(2)) } })
  })

  test('exactly while grant, entry and the absence of a withdrawal overlap', async () => {
    const second = fc.integer({ min: 0, max: 40 })
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          call: fc.integer({ min: 0, max: 40_999 }),
          from: second,
          until: second,
          revoked: second,
        }),
        async ({ call, from, until, revoked }) => {
          const zero = timeOfBlock(0)
          const other = await authorizedWorld({
            callMs: 1_000 * zero + call,
            grant: { notBefore: BigInt(zero + from), notAfter: BigInt(zero + until) },
            sets: [1, 3],
            showNext: true,
            revokedAt: zero + revoked,
          })
          const at = Math.floor(call / 1_000)
          const isGood = from <= at && at <= until && at >= 12 && at < 36 && at < revoked
          const outcome = await verify(other).then(
            () => true,
            ({ code }) => code,
          )
          expect(outcome).toEqual(isGood ? true : expect.stringMatching(/^(?:NOT_IN_FORCE|REVOKED)$/))
        },
      ),
      runs(100),
    )
  })
})

describe('one altered part is refused at its step', () => {
  const { authorization } = world.proof()
  if (authorization === undefined) throw new Error('the proof shows it')
  const { grant, resource, revocation } = authorization
  const bytes = (size: number): `0x${string}` => `0x${'77'.repeat(size)}`
  const other = (change: object) => ({ ...world.proof(), authorization: { ...authorization, ...change } })

  test.each([
    ['grant', 'WRONG_GRANT', 'another contract', other({ contract: bytes(20) })],
    ['grant', 'WRONG_GRANT', 'another subject', other({ grant: { ...grant, subject: bytes(20) } })],
    ['grant', 'WRONG_GRANT', 'more calls', other({ grant: { ...grant, maxCalls: 0 } })],
    ['grant', 'WRONG_GRANT', 'a longer time', other({ grant: { ...grant, notAfter: '1900000000' } })],
    ['signature', 'BAD_SIGNATURE', 'another signature', other({ signature: bytes(65) })],
    ['signature', 'BAD_SIGNATURE', 'a signature of no key', other({ signature: '0x01' })],
    [
      'registry',
      'WRONG_REGISTRY',
      'another registry',
      other({ resource: { ...resource, registry: bytes(20) } }),
    ],
    [
      'registry',
      'RESOURCE_MISMATCH',
      'another owner',
      other({ resource: { ...resource, owner: bytes(32) } }),
    ],
    ['registry', 'RESOURCE_MISMATCH', 'another version', other({ resource: { ...resource, version: 2 } })],
    [
      'registry',
      'RESOURCE_MISMATCH',
      'another digest',
      other({ resource: { ...resource, digest: bytes(32) } }),
    ],
    ['registry', 'RESOURCE_MISMATCH', 'another level', other({ resource: { ...resource, level: 4 } })],
    [
      'registry',
      'RESOURCE_MISMATCH',
      'another way of sharing',
      other({ resource: { ...resource, sharing: 'unconditional' } }),
    ],
    [
      'registry',
      'NOT_ANCHORED',
      'another event',
      other({ resource: { ...resource, set: { ...resource.set, logIndex: 9 } } }),
    ],
    [
      'registry',
      'NOT_ANCHORED',
      'another transaction',
      other({ resource: { ...resource, set: { ...resource.set, transactionHash: bytes(32) } } }),
    ],
    [
      'registry',
      'NOT_CANONICAL',
      'another block',
      other({ resource: { ...resource, set: { ...resource.set, blockHash: bytes(32) } } }),
    ],
    [
      'registry',
      'RESOURCE_MISMATCH',
      'the event of no next version',
      other({ resource: { ...resource, next: resource.set } }),
    ],
    [
      'revocation',
      'FALSE_REVOCATION',
      'a withdrawal that never was',
      other({ revocation: { ...revocation, revokedAt: '1790000060' } }),
    ],
    [
      'revocation',
      'NOT_CANONICAL',
      'a block of nowhere',
      other({ revocation: { ...revocation, blockHash: bytes(32) } }),
    ],
    ['read', 'MALFORMED_BUNDLE', 'the old format', { ...world.proof(), format: 'tidemark-proof/1' }],
    ['read', 'MALFORMED_BUNDLE', 'two kinds of consent', other({ given: resource.set })],
    ['read', 'MALFORMED_BUNDLE', 'no kind of consent', other({ signature: undefined })],
    [
      'read',
      'MALFORMED_BUNDLE',
      'a nonce too large',
      other({ grant: { ...grant, nonce: String(2n ** 256n) } }),
    ],
    ['read', 'MALFORMED_BUNDLE', 'a level too high', other({ resource: { ...resource, level: 256 } })],
    ['read', 'MALFORMED_BUNDLE', 'no way of sharing', other({ resource: { ...resource, sharing: 'none' } })],
  ])('%s: %s for %s', async (step, code, _, bundle) => {
    await expect(verify(world, JSON.parse(JSON.stringify(bundle)))).rejects.toThrow(refusal(code, step))
  })

  test('grant: WRONG_AUTHORIZATIONS where the verifier trusts another contract', async () => {
    await expect(verify(world, world.proof(), { authorizations: REGISTRY })).rejects.toThrow(
      refusal('WRONG_AUTHORIZATIONS', 'grant'),
    )
  })

  test.each([
    ['grant', 'NOT_GRANTED', 'another purpose', { grant: { purpose: nameId('tax audit') } }],
    ['grant', 'NOT_GRANTED', 'another consumer', { grant: { consumer: nameId('urn:example:police') } }],
    ['grant', 'NOT_GRANTED', 'another resource', { grant: { resource: nameId('urn:example:civil:deaths') } }],
    [
      'grant',
      'WRONG_GRANT',
      'another grant that it cites',
      { call: { authorization: `0x${'aa'.repeat(32)}` } },
    ],
    ['grant', 'NOT_IN_FORCE', 'a grant that ended', { grant: { notAfter: BigInt(timeOfBlock(3) - 1) } }],
    ['grant', 'NOT_IN_FORCE', 'a grant yet to begin', { grant: { notBefore: BigInt(timeOfBlock(3) + 1) } }],
    [
      'signature',
      'NOT_IN_FORCE',
      'a grant given after it',
      { consent: 'given', callMs: 1_000 * timeOfBlock(2) - 1 },
    ],
    ['registry', 'PROHIBITED', 'a resource that is never shared', { sharing: 'prohibited' }],
    ['registry', 'NOT_IN_FORCE', 'a resource registered later', { sets: [4] }],
    ['registry', 'NOT_IN_FORCE', 'a version that was replaced', { sets: [1, 2] }],
    [
      'registry',
      'NOT_IN_FORCE',
      'a version that was replaced, as the proof says',
      { sets: [1, 2], showNext: true },
    ],
    [
      'registry',
      'RESOURCE_MISMATCH',
      'a resource of another owner',
      { call: { provider: 'urn:example:other' } },
    ],
    [
      'registry',
      'RESOURCE_MISMATCH',
      'another way of sharing than registered',
      { call: { sharing: 'unconditional' } },
    ],
    ['registry', 'RESOURCE_MISMATCH', 'another level than registered', { call: { level: 'l3' } }],
    ['revocation', 'REVOKED', 'a grant withdrawn in the same second', { revokedAt: timeOfBlock(3) }],
    [
      'revocation',
      'REVOKED',
      'a grant withdrawn before',
      { revokedAt: timeOfBlock(2), claim: { revokedAt: 0, block: 1 } },
    ],
    [
      'revocation',
      'FALSE_REVOCATION',
      'a withdrawal that the proof denies',
      { revokedAt: timeOfBlock(2), claim: { revokedAt: 0, block: 6 } },
    ],
    [
      'revocation',
      'FALSE_REVOCATION',
      'a withdrawal at another time',
      { revokedAt: timeOfBlock(2), claim: { revokedAt: timeOfBlock(5), block: 6 } },
    ],
  ] as const)('%s: %s for %s', async (step, code, _, options) => {
    const bad = await authorizedWorld(options as AuthorizedOptions)
    await expect(verify(bad)).rejects.toThrow(refusal(code, step))
  })

  test('any character and any member of it matters', async () => {
    const inAuthorization = (bundle: unknown) => {
      const changed = { ...world.proof(), authorization: bundle }
      return verify(world, changed)
    }
    await expectCharactersToMatter(authorization, inAuthorization)
    await expectMembersToMatter(authorization, inAuthorization)
  })
})

describe('what cannot be known is no refusal', () => {
  const dead = new OperationError('RPC_UNREACHABLE', 'no answer')

  test.each(['isValidSignature', 'registryOf', 'resourceVersion', 'revokedAt', 'findResourceSet'] as const)(
    'a chain that is dead when asked for %s',
    async (question) => {
      const other = await authorizedWorld({
        consent: 'account',
        sets: question === 'findResourceSet' ? [1, 4] : [1],
      })
      const rights = {
        ...rightsOf(other.rights, other.chain),
        [question]: () => Promise.reject(dead),
      }
      await expect(verifyProof(other.proof(), factsOf(other.chain), {}, rights)).rejects.toBe(dead)
    },
  )

  test('a claim about a block that is not final yet', async () => {
    const early = await authorizedWorld({ claim: { revokedAt: 0, block: 7 } })
    await expect(verify(early)).rejects.toMatchObject({ name: 'OperationError', code: 'NOT_FINAL' })
  })

  test('a call of a time that no final block has reached, until one has', async () => {
    for (const consent of ['key', 'given'] as const) {
      const known = await authorizedWorld({ consent, callMs: 1_000 * timeOfBlock(6) + 999 })
      expect(await verify(known)).toBeDefined()
      const ahead = await authorizedWorld({ consent, callMs: 1_000 * timeOfBlock(6) + 1_000 })
      await expect(verify(ahead)).rejects.toMatchObject({
        name: 'OperationError',
        code: 'NOT_FINAL',
        step: 'signature',
      })
    }
  })

  test('a registry that knows less than its events', async () => {
    const rights = structuredClone(world.rights)
    rights.resources = []
    await expect(verify({ ...world, rights })).rejects.toMatchObject({ code: 'RPC_MALFORMED' })
  })

  test('a final block that the node does not have', async () => {
    const chain = structuredClone(world.chain)
    chain.finalBlock = '99'
    await expect(verify({ ...world, chain })).rejects.toMatchObject({ name: 'OperationError' })
  })

  test('without the facts about rights', async () => {
    await expect(verifyProof(world.proof(), factsOf(world.chain))).rejects.toMatchObject({
      name: 'InputError',
      code: 'BAD_ARGUMENT',
    })
  })
})
