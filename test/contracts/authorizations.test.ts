import { readFileSync } from 'node:fs'
import { type BaseContract, decodeRlp, type TypedDataDomain, ZeroAddress, ZeroHash } from 'ethers'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import {
  call,
  copyCode,
  deploy,
  eventsOf,
  evm,
  now,
  provider,
  revertOf,
  send,
  setNextTime,
  wallet,
  wordAt,
} from './chain.ts'
import { KINDS, REASONS, SHARING } from './decision.ts'
import { domainOf, type Grant, idOf, signGrant, signRevoke } from './grant.ts'
import { digest } from './header.ts'
import { flipBit } from './oracle.ts'
import { provenValue } from './state-proof.ts'

if (evm !== 'anvil') console.warn(`Proofs of state are skipped on ${evm}: only anvil makes them`)

const FOREVER = 2n ** 64n - 1n

const governance = wallet(0)
const registrar = wallet(1)
const guardian = wallet(2)
const taxKey = wallet(3)
const bankKey = wallet(4)
const subject = wallet(5)
const stranger = wallet(6)
const tax = digest('urn:example:tax')
const bank = digest('urn:example:bank')
const civil = digest('urn:example:civil')
const births = digest('births')
const map = digest('map')
const secret = digest('secret')
const school = digest('school enrolment')
const loan = digest('a loan')
let registry: BaseContract
let authorizations: BaseContract
let domain: TypedDataDomain
let mine: Grant
let mineId: string

const as = (who: typeof subject, method: string, ...args: unknown[]) =>
  send(authorizations.connect(who), method, ...args)
const refusal = (who: typeof subject, method: string, ...args: unknown[]) =>
  revertOf(authorizations, as(who, method, ...args))
const register = (method: string, ...args: unknown[]) => send(registry.connect(registrar), method, ...args)
const trip = (kind: (typeof KINDS)[number], id: string) =>
  send(registry.connect(guardian), 'trip', { kind: KINDS.indexOf(kind), id }, 'leak')

interface Decided {
  allowed: boolean
  reason: string | undefined
}
const decided = ([allowed, reason]: [boolean, bigint]): Decided => ({
  allowed,
  reason: REASONS[Number(reason)],
})
const refused = (reason: (typeof REASONS)[number]): Decided => ({ allowed: false, reason })
const ALLOWED: Decided = { allowed: true, reason: 'Allowed' }

const decide = async (consumer = tax, resource = births, purpose = school, id = mineId) =>
  decided(await call(authorizations, 'decide', consumer, resource, purpose, id))
const decideWith = async (grant: Grant, signature: string, consumer = tax) =>
  decided(await call(authorizations, 'decideWith', consumer, births, school, grant, signature))

/** Asks by a transaction, and gives the decision that it logs. */
async function request(id = mineId, resource = births, purpose = school, who = taxKey, consumer = tax) {
  const receipt = await as(who, 'request', consumer, resource, purpose, id)
  const [event, ...others] = eventsOf(authorizations, receipt)
  expect(others).toEqual([])
  const reason = REASONS[Number(event?.at(-1))]
  expect(event?.slice(0, -1)).toEqual(['Requested', id, consumer, resource, purpose, who.address])
  return reason
}

const grantOf = async (change: Partial<Grant> = {}): Promise<Grant> => ({
  subject: subject.address,
  consumer: tax,
  resource: births,
  purpose: school,
  notBefore: 0n,
  notAfter: (await now()) + 1_000_000n,
  maxCalls: 0n,
  nonce: 1n,
  ...change,
})
const give = async (change: Partial<Grant>) => {
  const grant = await grantOf(change)
  await as(subject, 'grant', grant, '0x')
  return grant
}
const stateOf = async (id: string) => [...(await call(authorizations, 'grantState', id))]

beforeEach(async () => {
  registry = await deploy('Registry.sol', governance.address, registrar.address, guardian.address)
  authorizations = await deploy('Authorizations.sol', await registry.getAddress())
  domain = domainOf((await provider.getNetwork()).chainId, await authorizations.getAddress())
  for (const uri of ['urn:example:tax', 'urn:example:bank', 'urn:example:civil'])
    await register('addSource', uri)
  await register('addKey', tax, taxKey.address, FOREVER)
  await register('addKey', bank, bankKey.address, FOREVER)
  for (const [name, sharing] of [
    ['births', 'conditional'],
    ['map', 'unconditional'],
    ['secret', 'prohibited'],
  ] as const)
    await register('setResource', name, civil, SHARING.indexOf(sharing), 0, ZeroHash)
  mine = await grantOf()
  mineId = idOf(domain, mine)
})

describe('a grant', () => {
  it('has its EIP-712 digest as its id, whatever it holds', async () => {
    const word = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => {
      return `0x${Buffer.from(bytes).toString('hex')}`
    })
    const grants = fc.record({
      subject: word.map((hex) => hex.slice(0, 42)),
      consumer: word,
      resource: word,
      purpose: word,
      notBefore: fc.bigInt({ min: 0n, max: FOREVER }),
      notAfter: fc.bigInt({ min: 0n, max: FOREVER }),
      maxCalls: fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }),
      nonce: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
    })
    await fc.assert(
      fc.asyncProperty(grants, async (grant) => {
        expect(await call(authorizations, 'grantId', grant)).toBe(idOf(domain, grant))
      }),
      { numRuns: 50 },
    )
  })

  it('is given by its subject without a signature', async () => {
    const receipt = await as(subject, 'grant', mine, '0x')
    expect(eventsOf(authorizations, receipt)).toEqual([
      ['Granted', mineId, subject.address, Object.values(mine)],
    ])
    expect(await stateOf(mineId)).toEqual([true, false, 0n])
    expect(await decide()).toEqual(ALLOWED)
  })

  it('is given by anyone with its subject’s signature', async () => {
    await as(stranger, 'grant', mine, await signGrant(subject, domain, mine))
    expect(await decide()).toEqual(ALLOWED)
  })

  it('is given by an account with code that signs by ERC-1271', async () => {
    const account = await deploy('test/SmartAccount.sol', subject.address)
    const grant = await grantOf({ subject: await account.getAddress() })
    expect(await refusal(stranger, 'grant', grant, await signGrant(stranger, domain, grant))).toBe(
      `Authorizations_SignatureInvalid(${grant.subject})`,
    )
    await as(stranger, 'grant', grant, await signGrant(subject, domain, grant))
    expect(await decide(tax, births, school, idOf(domain, grant))).toEqual(ALLOWED)
  })

  it('is not given by a signature of another, for another chain, contract or grant', async () => {
    const chainId = BigInt(String(domain.chainId))
    const signatures = [
      await signGrant(stranger, domain, mine),
      await signGrant(subject, domainOf(chainId + 1n, String(domain.verifyingContract)), mine),
      await signGrant(subject, domainOf(chainId, await registry.getAddress()), mine),
      await signGrant(subject, { ...domain, name: 'Tidemarks' }, mine),
      await signGrant(subject, { ...domain, version: '2' }, mine),
      await signGrant(subject, domain, { ...mine, nonce: 2n }),
      await signGrant(subject, domain, { ...mine, consumer: bank }),
      await signRevoke(subject, domain, mineId, FOREVER),
      '0x',
    ]
    for (const signature of signatures) {
      expect(await refusal(stranger, 'grant', mine, signature)).toBe(
        `Authorizations_SignatureInvalid(${subject.address})`,
      )
      expect(await decideWith(mine, signature)).toEqual(refused('NotSigned'))
    }
    const nobodys = await grantOf({ subject: ZeroAddress })
    expect(await refusal(stranger, 'grant', nobodys, signatures[0])).toBe(
      `Authorizations_SignatureInvalid(${ZeroAddress})`,
    )
  })

  it('is not given by a signature with any bit flipped', async () => {
    const signature = await signGrant(subject, domain, mine)
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 65 * 8 - 1 }), async (bit) => {
        expect(await decideWith(mine, flipBit(signature, bit))).toEqual(refused('NotSigned'))
      }),
      { numRuns: 40 },
    )
  })

  it('is not given twice: its nonce tells it from others that are the same', async () => {
    const signature = await signGrant(subject, domain, mine)
    await as(stranger, 'grant', mine, signature)
    for (const who of [stranger, subject])
      expect(await refusal(who, 'grant', mine, signature)).toBe(`Authorizations_GrantKnown(${mineId})`)
    await give({ nonce: 2n })
  })

  it('is not given by whoever has power over the registry', async () => {
    for (const who of [governance, registrar, guardian, taxKey])
      expect(await refusal(who, 'grant', mine, await signGrant(who, domain, mine))).toBe(
        `Authorizations_SignatureInvalid(${subject.address})`,
      )
  })
})

describe('only the subject', () => {
  it.each(['revoke', 'pause', 'resume'])('may %s a grant', async (method) => {
    await as(subject, 'grant', mine, '0x')
    if (method === 'resume') await as(subject, 'pause', mine)
    for (const who of [governance, registrar, guardian, taxKey, stranger]) {
      expect(await refusal(who, method, mine)).toBe(
        `Authorizations_NotSubject(${subject.address},${who.address})`,
      )
      // A grant of their own that is otherwise the same is another grant.
      const own = { ...mine, subject: who.address }
      if (method !== 'resume') await as(who, method, own)
    }
    expect(await call(authorizations, 'revokedAt', mineId)).toBe(0n)
    expect(await stateOf(mineId)).toEqual([true, method === 'resume', 0n])
    await as(subject, method, mine)
  })

  it('changes anything but by a request', () => {
    const changing = authorizations.interface.fragments.flatMap((fragment) =>
      'stateMutability' in fragment && 'name' in fragment && fragment.stateMutability === 'nonpayable'
        ? [fragment.name]
        : [],
    )
    expect(changing.sort()).toEqual(['grant', 'pause', 'request', 'resume', 'revoke', 'revokeBySignature'])
  })
})

describe('a revocation', () => {
  it('holds from the time of its block, for ever', async () => {
    await as(subject, 'grant', mine, '0x')
    expect(await request()).toBe('Allowed')
    const time = (await now()) + 100n
    await setNextTime(time)
    expect(eventsOf(authorizations, await as(subject, 'revoke', mine))).toEqual([
      ['Revoked', mineId, subject.address],
    ])
    expect(await call(authorizations, 'revokedAt', mineId)).toBe(time)
    expect(await decide()).toEqual(refused('Revoked'))
    expect(await request()).toBe('Revoked')

    const revoked = `Authorizations_GrantRevoked(${mineId})`
    const again = await signRevoke(subject, domain, mineId, FOREVER)
    expect(await refusal(subject, 'revoke', mine)).toBe(revoked)
    expect(await refusal(stranger, 'revokeBySignature', mine, FOREVER, again)).toBe(revoked)
    expect(await refusal(subject, 'pause', mine)).toBe(revoked)
    expect(await refusal(subject, 'resume', mine)).toBe(revoked)
    expect(await refusal(subject, 'grant', mine, '0x')).toBe(revoked)
    expect(await call(authorizations, 'revokedAt', mineId)).toBe(time)
  })

  it('needs no grant on the chain', async () => {
    const signature = await signGrant(subject, domain, mine)
    expect(await decideWith(mine, signature)).toEqual(ALLOWED)
    await as(subject, 'revoke', mine)
    expect(await decideWith(mine, signature)).toEqual(refused('Revoked'))
    expect(await refusal(stranger, 'grant', mine, signature)).toBe(`Authorizations_GrantRevoked(${mineId})`)
  })

  it('comes from anyone with the subject’s signature', async () => {
    const deadline = (await now()) + 1000n
    const signature = await signRevoke(subject, domain, mineId, deadline)
    await setNextTime(deadline)
    const receipt = await as(stranger, 'revokeBySignature', mine, deadline, signature)
    expect(eventsOf(authorizations, receipt)).toEqual([['Revoked', mineId, subject.address]])
    expect(await call(authorizations, 'revokedAt', mineId)).toBe(deadline)
  })

  it('comes from an account with code that signs by ERC-1271', async () => {
    const account = await deploy('test/SmartAccount.sol', subject.address)
    const grant = await grantOf({ subject: await account.getAddress() })
    const signature = await signRevoke(subject, domain, idOf(domain, grant), FOREVER)
    await as(stranger, 'revokeBySignature', grant, FOREVER, signature)
    expect(await call(authorizations, 'revokedAt', idOf(domain, grant))).not.toBe(0n)
  })

  it('is refused after its deadline', async () => {
    const deadline = (await now()) - 1n
    const signature = await signRevoke(subject, domain, mineId, deadline)
    expect(await refusal(stranger, 'revokeBySignature', mine, deadline, signature)).toBe(
      `Authorizations_SignatureExpired(${deadline})`,
    )
  })

  it('is refused with a signature of another, for another chain, contract, grant or deadline', async () => {
    const chainId = BigInt(String(domain.chainId))
    const other = idOf(domain, { ...mine, nonce: 2n })
    for (const signature of [
      await signRevoke(stranger, domain, mineId, FOREVER),
      await signRevoke(registrar, domain, mineId, FOREVER),
      await signRevoke(subject, domainOf(chainId + 1n, String(domain.verifyingContract)), mineId, FOREVER),
      await signRevoke(subject, domainOf(chainId, await registry.getAddress()), mineId, FOREVER),
      await signRevoke(subject, domain, other, FOREVER),
      await signRevoke(subject, domain, mineId, FOREVER - 1n),
      await signGrant(subject, domain, mine),
      '0x',
    ])
      expect(await refusal(stranger, 'revokeBySignature', mine, FOREVER, signature)).toBe(
        `Authorizations_SignatureInvalid(${subject.address})`,
      )
    expect(await call(authorizations, 'revokedAt', mineId)).toBe(0n)
  })

  it('stands where state proofs look for it', async () => {
    await as(subject, 'revoke', mine)
    const slot = wordAt(mineId, 2n)
    expect(BigInt(await provider.getStorage(await authorizations.getAddress(), slot))).toBe(await now())
    const never = wordAt(digest('another'), 2n)
    expect(BigInt(await provider.getStorage(await authorizations.getAddress(), never))).toBe(0n)
  })

  it.skipIf(evm !== 'anvil')('is shown by a proof from the state root of a block', async () => {
    await as(subject, 'revoke', mine)
    const address = await authorizations.getAddress()
    const slots = [wordAt(mineId, 2n), wordAt(digest('another'), 2n)] as const
    const { stateRoot } = await provider.send('eth_getBlockByNumber', ['latest', false])
    const { accountProof, storageProof } = await provider.send('eth_getProof', [address, slots, 'latest'])
    const account = provenValue(stateRoot, address, accountProof)
    const storageRoot = String(decodeRlp(account ?? '0x')[2])
    const revokedAt = provenValue(storageRoot, slots[0], storageProof[0].proof)
    expect(BigInt(String(decodeRlp(revokedAt ?? '0x')))).toBe(await now())
    expect(provenValue(storageRoot, slots[1], storageProof[1].proof)).toBeUndefined()
  })
})

describe('a pause', () => {
  it('keeps a grant from being in force until it is resumed', async () => {
    await as(subject, 'grant', mine, '0x')
    expect(eventsOf(authorizations, await as(subject, 'pause', mine))).toEqual([
      ['Paused', mineId, subject.address],
    ])
    expect(await decide()).toEqual(refused('Paused'))
    expect(await request()).toBe('Paused')
    expect(await refusal(subject, 'pause', mine)).toBe(`Authorizations_GrantPaused(${mineId})`)
    expect(eventsOf(authorizations, await as(subject, 'resume', mine))).toEqual([
      ['Resumed', mineId, subject.address],
    ])
    expect(await request()).toBe('Allowed')
    expect(await refusal(subject, 'resume', mine)).toBe(`Authorizations_GrantNotPaused(${mineId})`)
  })

  it('needs no grant on the chain, and outlives its being put there', async () => {
    const signature = await signGrant(subject, domain, mine)
    await as(subject, 'pause', mine)
    expect(await stateOf(mineId)).toEqual([false, true, 0n])
    expect(await decideWith(mine, signature)).toEqual(refused('Paused'))
    await as(stranger, 'grant', mine, signature)
    expect(await decide()).toEqual(refused('Paused'))
    await as(subject, 'resume', mine)
    expect(await decide()).toEqual(ALLOWED)
  })
})

describe('a decision', () => {
  beforeEach(() => as(subject, 'grant', mine, '0x'))

  it('asks the registry first', async () => {
    expect(await decide(digest('nobody'))).toEqual(refused('UnknownSource'))
    expect(await decide(tax, digest('nothing'))).toEqual(refused('UnknownResource'))
    expect(await decide(tax, secret)).toEqual(refused('Prohibited'))
    expect(await decide(tax, map, loan, ZeroHash)).toEqual({ allowed: true, reason: 'Unconditional' })
    expect(await decide()).toEqual(ALLOWED)
  })

  it.each([
    ['everything', 'everything', ZeroHash],
    ['the consumer', 'source', tax],
    ['the owner', 'source', civil],
  ] as const)('is refused while the breaker of %s is tripped', async (_, kind, id) => {
    await trip(kind, id)
    for (const resource of [births, map, secret])
      expect(await decide(tax, resource)).toEqual(refused('Tripped'))
    expect(await decide(tax, digest('nothing'))).toEqual(refused('UnknownResource'))
    await register('reset', { kind: KINDS.indexOf(kind), id }, 'mended')
    expect(await decide()).toEqual(ALLOWED)
  })

  it('is refused while the breaker of its resource is tripped, and only there', async () => {
    await trip('resource', map)
    expect(await decide(tax, map)).toEqual(refused('Tripped'))
    expect(await decide()).toEqual(ALLOWED)
  })

  it('follows the resource when it is changed', async () => {
    for (const [sharing, reason] of [
      ['prohibited', 'Prohibited'],
      ['unconditional', 'Unconditional'],
      ['conditional', 'Allowed'],
    ] as const) {
      await register('setResource', 'births', civil, SHARING.indexOf(sharing), 0, ZeroHash)
      expect((await decide()).reason).toBe(reason)
    }
  })

  it('is refused without a grant, or with one for something else', async () => {
    await register('setResource', 'deaths', civil, SHARING.indexOf('conditional'), 0, ZeroHash)
    expect(await decide(tax, births, school, ZeroHash)).toEqual(refused('NoGrant'))
    expect(await decide(tax, births, school, idOf(domain, { ...mine, nonce: 9n }))).toEqual(
      refused('NoGrant'),
    )
    expect(await decide(bank)).toEqual(refused('WrongConsumer'))
    expect(await decide(tax, digest('deaths'))).toEqual(refused('WrongResource'))
    expect(await decide(tax, births, loan)).toEqual(refused('WrongPurpose'))
  })

  it('honours the period of the grant, to the second', async () => {
    const notBefore = (await now()) + 100n
    const notAfter = notBefore + 100n
    const id = idOf(domain, await give({ notBefore, notAfter }))
    for (const [time, reason] of [
      [notBefore - 1n, 'NotYetValid'],
      [notBefore, 'Allowed'],
      [notAfter, 'Allowed'],
      [notAfter + 1n, 'Expired'],
    ] as const) {
      await setNextTime(time)
      expect(await request(id)).toBe(reason)
    }
  })

  it('gives the first reason that applies', async () => {
    const time = await now()
    const grant = await give({ notBefore: time - 2n, notAfter: time - 1n, maxCalls: 1n })
    const id = idOf(domain, grant)
    const reasonOf = async (purpose = school) => (await decide(tax, births, purpose, id)).reason
    expect(await reasonOf()).toBe('Expired')
    await as(subject, 'pause', grant)
    expect(await reasonOf()).toBe('Paused')
    await as(subject, 'revoke', grant)
    expect(await reasonOf()).toBe('Revoked')
    expect(await reasonOf(loan)).toBe('WrongPurpose')
    await trip('resource', births)
    expect(await reasonOf()).toBe('Tripped')
  })
})

describe('a decision on a grant that is not on the chain', () => {
  it('is the one that it would have there', async () => {
    const signature = await signGrant(subject, domain, mine)
    expect(await decideWith(mine, signature)).toEqual(ALLOWED)
    expect(await decideWith(mine, signature, bank)).toEqual(refused('WrongConsumer'))
    expect(await decideWith(mine, signature, digest('nobody'))).toEqual(refused('UnknownSource'))
    const late = await grantOf({ notAfter: (await now()) - 1n })
    expect(await decideWith(late, await signGrant(subject, domain, late))).toEqual(refused('Expired'))
    expect(await decide()).toEqual(refused('NoGrant'))
  })

  it('sees the calls of one that is there, and needs no signature for it', async () => {
    const grant = await give({ maxCalls: 1n })
    expect(await decideWith(grant, '0x')).toEqual(ALLOWED)
    await request(idOf(domain, grant))
    expect(await decideWith(grant, '0x')).toEqual(refused('Exhausted'))
  })
})

describe('a request', () => {
  it('tells its caller the decision, and everyone by an event', async () => {
    await as(subject, 'grant', mine, '0x')
    const contract = authorizations.connect(taxKey)
    expect(decided(await call(contract, 'request', tax, births, school, mineId))).toEqual(ALLOWED)
    expect(decided(await call(contract, 'request', tax, secret, school, mineId))).toEqual(
      refused('Prohibited'),
    )
    expect(await request()).toBe('Allowed')
    expect(await request(mineId, secret)).toBe('Prohibited')
    expect(await request(ZeroHash, map)).toBe('Unconditional')
    expect(await request(mineId, births, school, bankKey, bank)).toBe('WrongConsumer')
  })

  it('counts what a grant allows, and nothing else, and allows no more than maxCalls', async () => {
    const id = idOf(domain, await give({ maxCalls: 2n }))
    const reasons: unknown[] = []
    for (const [resource, purpose] of [
      [births, loan],
      [births, school],
      [map, school],
      [births, school],
      [births, school],
    ] as const)
      reasons.push(await request(id, resource, purpose))
    expect(reasons).toEqual(['WrongPurpose', 'Allowed', 'Unconditional', 'Allowed', 'Exhausted'])
    expect(await stateOf(id)).toEqual([true, false, 2n])
  })

  it('is unlimited where maxCalls is zero', async () => {
    await as(subject, 'grant', mine, '0x')
    for (let i = 0; i < 3; i++) expect(await request()).toBe('Allowed')
    expect(await stateOf(mineId)).toEqual([true, false, 3n])
  })

  it('comes from a key of the consumer and from nobody else', async () => {
    await as(subject, 'grant', mine, '0x')
    for (const who of [governance, registrar, guardian, bankKey, subject, stranger])
      expect(await refusal(who, 'request', tax, births, school, mineId)).toBe(
        `Authorizations_NotConsumer(${tax},${who.address})`,
      )
    await register('endKey', tax, taxKey.address)
    expect(await refusal(taxKey, 'request', tax, births, school, mineId)).toBe(
      `Authorizations_NotConsumer(${tax},${taxKey.address})`,
    )
  })
})

describe('the vectors of docs/format.md', () => {
  const vectors = JSON.parse(readFileSync(new URL('../vectors/grant.json', import.meta.url), 'utf8'))

  it('hold for the contract, where its address is theirs', async () => {
    expect(domainOf((await provider.getNetwork()).chainId, vectors.authorizations)).toEqual(
      domainOf(BigInt(vectors.chainId), vectors.authorizations),
    )
    const contract = (await copyCode(authorizations, vectors.authorizations)).connect(stranger)
    for (const { grant, id, signature } of vectors.grants) {
      expect(await call(contract, 'grantId', grant)).toBe(id)
      expect(await call(contract, 'grant', grant, signature)).toBe(id)
    }
    const [{ grant, id, revokedAtSlot }] = vectors.grants
    const { deadline, signature } = vectors.revocations.at(-1)
    await send(contract, 'revokeBySignature', grant, deadline, signature)
    expect(await call(contract, 'revokedAt', id)).toBe(await now())
    expect(BigInt(await provider.getStorage(vectors.authorizations, revokedAtSlot))).toBe(await now())
  })

  it('hold for the names that the registry hashes', async () => {
    for (const { name, id } of vectors.names)
      expect(await call(registry.connect(registrar), 'setResource', name, civil, 1, 0, ZeroHash)).toBe(id)
  })
})

describe('the interface', () => {
  it('tells its domain as EIP-5267 wants it, and the registry', async () => {
    const [, name, version, chainId, verifier] = await call(authorizations, 'eip712Domain')
    expect(domainOf(chainId, verifier)).toEqual(domain)
    expect([name, version]).toEqual(['Tidemark', '1'])
    expect(await call(authorizations, 'registry')).toBe(await registry.getAddress())
  })

  it('has the events and the functions that docs/format.md spells', () => {
    const page = readFileSync(new URL('../../docs/format.md', import.meta.url), 'utf8').split('\n## 18 ')[1]
    const interfaces = [registry.interface, authorizations.interface]
    const events = [...(page ?? '').matchAll(/`(\w+)\(.*indexed.* \| `(0x\w{64})`/g)]
    expect(events).toHaveLength(11)
    for (const [, name, topic] of events)
      expect(interfaces.map((it) => it.getEvent(String(name))?.topicHash)).toContain(topic)
    const functions = [...(page ?? '').matchAll(/`(0x\w{8})`, `(\w+\(.*?\))`/g)]
    expect(functions).toHaveLength(8)
    for (const [, selector, signature] of functions)
      expect(interfaces.map((it) => it.getFunction(String(signature))?.selector)).toContain(selector)
  })
})
