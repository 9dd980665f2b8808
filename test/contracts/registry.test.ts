import { type BaseContract, id, ZeroAddress, ZeroHash } from 'ethers'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import {
  call,
  deploy,
  eventsOf,
  now,
  provider,
  revertOf,
  send,
  setNextTime,
  wallet,
  wordAt,
} from './chain.ts'
import { digest } from './header.ts'

const [GOVERNANCE, REGISTRAR, GUARDIAN] = [ZeroHash, id('REGISTRAR_ROLE'), id('GUARDIAN_ROLE')]
const [EVERYTHING, SOURCE, RESOURCE] = [0n, 1n, 2n]
const [NONE, UNCONDITIONAL, CONDITIONAL, PROHIBITED] = [0n, 1n, 2n, 3n]
const FOREVER = 2n ** 64n - 1n

const governance = wallet(0)
const registrar = wallet(1)
const guardian = wallet(2)
const key = wallet(3)
const stranger = wallet(4)
const taxUri = 'urn:example:tax'
const civilUri = 'urn:example:civil'
const tax = digest(taxUri)
const civil = digest(civilUri)
const birthsName = 'urn:example:civil:births'
const births = digest(birthsName)
const entry = digest('catalogue entry')
const all = { kind: EVERYTHING, id: ZeroHash }
let registry: BaseContract

const as = (who: typeof registrar, method: string, ...args: unknown[]) =>
  send(registry.connect(who), method, ...args)
const refusal = (who: typeof registrar, method: string, ...args: unknown[]) =>
  revertOf(registry, as(who, method, ...args))
const ask = (method: string, ...args: unknown[]) => call(registry, method, ...args)
const resourceOf = async (resource: string) => [...(await ask('resource', resource))]
const standing = async (source: string, resource: string) => [...(await ask('standing', source, resource))]

beforeEach(async () => {
  registry = await deploy('Registry.sol', governance.address, registrar.address, guardian.address)
})

describe('a new registry', () => {
  it('gives each role to one account, and governance the say over all three', async () => {
    const holders = [
      [GOVERNANCE, governance],
      [REGISTRAR, registrar],
      [GUARDIAN, guardian],
    ] as const
    for (const [role, holder] of holders) {
      for (const who of [governance, registrar, guardian, stranger])
        expect(await ask('hasRole', role, who.address)).toBe(who.address === holder.address)
      expect(await ask('getRoleAdmin', role)).toBe(GOVERNANCE)
    }
    expect([await ask('REGISTRAR_ROLE'), await ask('GUARDIAN_ROLE')]).toEqual([REGISTRAR, GUARDIAN])
  })

  it('knows nothing and stops nothing', async () => {
    expect(await ask('isSource', tax)).toBe(false)
    expect(await resourceOf(births)).toEqual([0n, ZeroHash, NONE, 0n, ZeroHash])
    expect(await standing(tax, births)).toEqual([false, NONE, false])
    expect(await ask('isTripped', all)).toBe(false)
  })
})

describe('the roles', () => {
  const world = async () => {
    await as(registrar, 'addSource', civilUri)
    await as(registrar, 'addKey', civil, key.address, FOREVER)
    await as(registrar, 'setResource', birthsName, civil, CONDITIONAL, 3, entry)
    await as(guardian, 'trip', { kind: SOURCE, id: civil }, 'leak')
  }
  const powers: [method: string, args: unknown[], role: string, who: typeof registrar][] = [
    ['addSource', [taxUri], REGISTRAR, registrar],
    ['addKey', [civil, stranger.address, FOREVER], REGISTRAR, registrar],
    ['endKey', [civil, key.address], REGISTRAR, registrar],
    ['setResource', [birthsName, civil, PROHIBITED, 3, entry], REGISTRAR, registrar],
    ['reset', [{ kind: SOURCE, id: civil }, 'over'], REGISTRAR, registrar],
    ['trip', [all, 'leak'], GUARDIAN, guardian],
    ['grantRole', [REGISTRAR, stranger.address], GOVERNANCE, governance],
    ['grantRole', [GUARDIAN, stranger.address], GOVERNANCE, governance],
    ['grantRole', [GOVERNANCE, stranger.address], GOVERNANCE, governance],
    ['revokeRole', [REGISTRAR, registrar.address], GOVERNANCE, governance],
    ['revokeRole', [GUARDIAN, guardian.address], GOVERNANCE, governance],
    ['revokeRole', [GOVERNANCE, governance.address], GOVERNANCE, governance],
  ]

  it('divide the work: each function serves one role and refuses everyone else', async () => {
    await world()
    for (const [method, args, role, holder] of powers)
      for (const who of [governance, registrar, guardian, key, stranger]) {
        const attempt = revertOf(registry, call(registry.connect(who), method, ...args))
        expect(await attempt, `${method} by ${who.address}`).toBe(
          who.address === holder.address
            ? 'no revert'
            : `AccessControlUnauthorizedAccount(${who.address},${role})`,
        )
      }
  })

  it('cover every function that changes anything, but for giving up a role of one’s own', () => {
    const changing = registry.interface.fragments.flatMap((fragment) =>
      'stateMutability' in fragment && 'name' in fragment && fragment.stateMutability === 'nonpayable'
        ? [fragment.name]
        : [],
    )
    expect(new Set(changing)).toEqual(new Set([...powers.map(([method]) => method), 'renounceRole']))
  })

  it('pass to another account and back', async () => {
    await as(governance, 'grantRole', GUARDIAN, stranger.address)
    await as(stranger, 'trip', all, 'drill')
    await as(governance, 'revokeRole', GUARDIAN, stranger.address)
    await as(registrar, 'reset', all, 'drill is over')
    expect(await refusal(stranger, 'trip', all, 'drill')).toBe(
      `AccessControlUnauthorizedAccount(${stranger.address},${GUARDIAN})`,
    )
  })
})

describe('a source', () => {
  it('is known by the SHA-256 of its name, once and for ever', async () => {
    expect(await call(registry.connect(registrar), 'addSource', taxUri)).toBe(tax)
    expect(eventsOf(registry, await as(registrar, 'addSource', taxUri))).toEqual([
      ['SourceAdded', tax, taxUri],
    ])
    expect(await ask('isSource', tax)).toBe(true)
    expect(await refusal(registrar, 'addSource', taxUri)).toBe(`Registry_SourceKnown(${tax})`)
  })
})

describe('a key', () => {
  beforeEach(() => as(registrar, 'addSource', taxUri))
  const period = async (who = key) => [...(await ask('keyPeriod', tax, who.address))]
  const isKey = (time: bigint, who = key) => ask('isKeyOf', tax, who.address, time)

  it('is the source’s from the block that adds it until its end, to the second', async () => {
    const from = (await now()) + 100n
    const until = from + 1000n
    await setNextTime(from)
    expect(eventsOf(registry, await as(registrar, 'addKey', tax, key.address, until))).toEqual([
      ['KeyAdded', tax, key.address, from, until],
    ])
    expect(await period()).toEqual([from, until])
    expect(await Promise.all([from - 1n, from, until - 1n, until].map((time) => isKey(time)))).toEqual([
      false,
      true,
      true,
      false,
    ])
    expect(await ask('isKeyOf', civil, key.address, from)).toBe(false)
    expect(await isKey(from, stranger)).toBe(false)
  })

  it('may be ended before, and what it signed until then stays valid', async () => {
    await as(registrar, 'addKey', tax, key.address, FOREVER)
    const [from] = await period()
    const end = (await now()) + 500n
    await setNextTime(end)
    expect(eventsOf(registry, await as(registrar, 'endKey', tax, key.address))).toEqual([
      ['KeyEnded', tax, key.address],
    ])
    expect(await period()).toEqual([from, end])
    expect([await isKey(end - 1n), await isKey(end)]).toEqual([true, false])
  })

  it('rotates with an overlap, and several sources may share one', async () => {
    await as(registrar, 'addSource', civilUri)
    await as(registrar, 'addKey', tax, key.address, FOREVER)
    await as(registrar, 'addKey', tax, stranger.address, FOREVER)
    await as(registrar, 'addKey', civil, stranger.address, FOREVER)
    expect([await isKey(await now()), await isKey(await now(), stranger)]).toEqual([true, true])
    await as(registrar, 'endKey', tax, key.address)
    expect([await isKey(await now()), await isKey(await now(), stranger)]).toEqual([false, true])
  })

  it('never comes back, so that no past time changes hands', async () => {
    await as(registrar, 'addKey', tax, key.address, FOREVER)
    const known = `Registry_KeyKnown(${tax},${key.address})`
    expect(await refusal(registrar, 'addKey', tax, key.address, FOREVER)).toBe(known)
    await as(registrar, 'endKey', tax, key.address)
    expect(await refusal(registrar, 'addKey', tax, key.address, FOREVER)).toBe(known)
  })

  it('cannot be ended twice, nor one that was never added or is over', async () => {
    const invalid = `Registry_KeyInvalid(${tax},${key.address})`
    expect(await refusal(registrar, 'endKey', tax, key.address)).toBe(invalid)
    const until = (await now()) + 100n
    await as(registrar, 'addKey', tax, key.address, until)
    await setNextTime(until)
    expect(await refusalAt(until, 'endKey', tax, key.address)).toBe(invalid)
    await as(registrar, 'addKey', tax, stranger.address, FOREVER)
    await as(registrar, 'endKey', tax, stranger.address)
    expect(await refusal(registrar, 'endKey', tax, stranger.address)).toBe(
      `Registry_KeyInvalid(${tax},${stranger.address})`,
    )
  })

  it('belongs to a source that is known, has an address, and a period that has a second', async () => {
    expect(await refusal(registrar, 'addKey', civil, key.address, FOREVER)).toBe(
      `Registry_SourceUnknown(${civil})`,
    )
    expect(await refusal(registrar, 'addKey', tax, ZeroAddress, FOREVER)).toBe('Registry_KeyZero()')
    expect(await refusal(registrar, 'addKey', tax, key.address, await now())).toMatch(/^Registry_PeriodEmpty/)
    const from = (await now()) + 100n
    await setNextTime(from)
    expect(await refusalAt(from, 'addKey', tax, key.address, from)).toBe(
      `Registry_PeriodEmpty(${from},${from})`,
    )
  })

  /** The refusal in a block of this time, where a call may see another time than the block that it would be in. */
  async function refusalAt(time: bigint, method: string, ...args: unknown[]) {
    const data = registry.interface.encodeFunctionData(method, args)
    const request = { from: registrar.address, to: await registry.getAddress(), data }
    await provider.send('evm_mine', [])
    expect(await now()).toBe(time)
    return revertOf(registry, provider.call({ ...request, blockTag: 'latest' }))
  }
})

describe('a resource', () => {
  beforeEach(() => as(registrar, 'addSource', civilUri))

  it('gets a new version with every change, each in an event', async () => {
    const changes = [
      [civil, CONDITIONAL, 3n, entry],
      [civil, PROHIBITED, 4n, digest('another entry')],
      [tax, UNCONDITIONAL, 0n, ZeroHash],
    ] as const
    await as(registrar, 'addSource', taxUri)
    let version = 0n
    for (const [owner, sharing, level, about] of changes) {
      version++
      const receipt = await as(registrar, 'setResource', birthsName, owner, sharing, level, about)
      expect(eventsOf(registry, receipt)).toEqual([
        ['ResourceSet', births, version, owner, sharing, level, about, birthsName],
      ])
      expect(await resourceOf(births)).toEqual([version, owner, sharing, level, about])
      expect(await standing(civil, births)).toEqual([true, sharing, false])
    }
  })

  it('tells its id', async () => {
    expect(
      await call(registry.connect(registrar), 'setResource', birthsName, civil, PROHIBITED, 0, entry),
    ).toBe(births)
  })

  it('has an owner that is known and is shared in some way', async () => {
    expect(await refusal(registrar, 'setResource', birthsName, tax, CONDITIONAL, 3, entry)).toBe(
      `Registry_SourceUnknown(${tax})`,
    )
    expect(await refusal(registrar, 'setResource', birthsName, civil, NONE, 3, entry)).toBe(
      `Registry_SharingMissing(${births})`,
    )
  })
})

describe('the breaker', () => {
  beforeEach(async () => {
    await as(registrar, 'addSource', civilUri)
    await as(registrar, 'addSource', taxUri)
    await as(registrar, 'setResource', birthsName, civil, CONDITIONAL, 3, entry)
    // A resource of the name of a source: their breakers are different ones.
    await as(registrar, 'setResource', taxUri, civil, CONDITIONAL, 3, entry)
  })
  const targets = [
    ['everything', all],
    ['a source', { kind: SOURCE, id: tax }],
    ['a resource', { kind: RESOURCE, id: births }],
    ['a resource with the id of a source', { kind: RESOURCE, id: tax }],
  ] as const

  it.each(targets)('trips and resets %s, and nothing else', async (_, target) => {
    const { kind, id } = target
    const time = (await now()) + 100n
    await setNextTime(time)
    expect(eventsOf(registry, await as(guardian, 'trip', target, 'leak'))).toEqual([
      ['Tripped', kind, id, guardian.address, 'leak'],
    ])
    expect(await ask('trippedAt', target)).toBe(time)
    for (const [, other] of targets) expect(await ask('isTripped', other)).toBe(other === target)
    expect(await refusal(guardian, 'trip', target, 'again')).toBe(`Registry_TargetTripped(${kind},${id})`)
    expect(eventsOf(registry, await as(registrar, 'reset', target, 'mended'))).toEqual([
      ['Reset', kind, id, registrar.address, 'mended'],
    ])
    expect(await ask('trippedAt', target)).toBe(0n)
    expect(await refusal(registrar, 'reset', target, 'again')).toBe(
      `Registry_TargetNotTripped(${kind},${id})`,
    )
    await as(guardian, 'trip', target, 'leaks again')
    expect(await ask('isTripped', target)).toBe(true)
  })

  it.each([
    ['everything', all],
    ['the consumer', { kind: SOURCE, id: tax }],
    ['the resource', { kind: RESOURCE, id: births }],
    ['the owner', { kind: SOURCE, id: civil }],
  ])('stops a use through %s', async (_, target) => {
    expect(await standing(tax, births)).toEqual([true, CONDITIONAL, false])
    await as(guardian, 'trip', target, 'leak')
    expect(await standing(tax, births)).toEqual([true, CONDITIONAL, true])
  })

  it('stays tripped when its resource is changed', async () => {
    await as(guardian, 'trip', { kind: RESOURCE, id: births }, 'leak')
    await as(registrar, 'setResource', birthsName, civil, UNCONDITIONAL, 0, entry)
    expect(await standing(tax, births)).toEqual([true, UNCONDITIONAL, true])
  })

  it('has no target that the registry does not know', async () => {
    for (const target of [
      { kind: SOURCE, id: births },
      { kind: RESOURCE, id: civil },
      { kind: EVERYTHING, id: tax },
    ]) {
      expect(await refusal(guardian, 'trip', target, 'leak')).toBe(
        `Registry_TargetUnknown(${target.kind},${target.id})`,
      )
      expect(await refusal(registrar, 'reset', target, 'leak')).toBe(
        `Registry_TargetNotTripped(${target.kind},${target.id})`,
      )
    }
  })
})

describe('the storage', () => {
  it('has entries, owners, digests and keys where state proofs look for them', async () => {
    await as(registrar, 'addSource', civilUri)
    await as(registrar, 'addKey', civil, key.address, 5_000_000_000n)
    await as(registrar, 'setResource', birthsName, civil, CONDITIONAL, 7, entry)
    await as(registrar, 'setResource', birthsName, civil, PROHIBITED, 9, entry)
    await as(guardian, 'trip', { kind: RESOURCE, id: births }, 'leak')
    const time = await now()
    const read = async (slot: string) => BigInt(await provider.getStorage(await registry.getAddress(), slot))
    const entryAt = (kind: bigint, id: string) => read(wordAt(id, wordAt(kind, 1n)))
    expect(await entryAt(EVERYTHING, ZeroHash)).toBe(1n << 64n)
    expect(await entryAt(SOURCE, civil)).toBe(1n << 64n)
    expect(await entryAt(RESOURCE, births)).toBe((9n << 104n) | (3n << 96n) | (2n << 64n) | time)
    const details = wordAt(births, 2n)
    expect(await read(details)).toBe(BigInt(civil))
    expect(await read(`0x${(BigInt(details) + 1n).toString(16)}`)).toBe(BigInt(entry))
    const [from, until] = await ask('keyPeriod', civil, key.address)
    expect(await read(wordAt(key.address, wordAt(civil, 3n)))).toBe((until << 64n) | from)
  })
})

it('answers the same for every past time, whatever is added and ended later', async () => {
  const keys = [key, stranger, guardian]
  await as(registrar, 'addSource', taxUri)
  const start = await now()
  const answers = async (end: bigint) => {
    const times = Array.from({ length: Number(end - start) / 50 + 1 }, (_, i) => start + 50n * BigInt(i))
    return Promise.all(times.flatMap((time) => keys.map((who) => ask('isKeyOf', tax, who.address, time))))
  }
  const step = fc.record({
    method: fc.constantFrom('addKey', 'endKey'),
    who: fc.constantFrom(...keys),
    lengthSeconds: fc.bigInt({ min: 1n, max: 400n }),
  })
  let past: unknown[] = []
  let time = start
  for (const { method, who, lengthSeconds } of fc.sample(step, { numRuns: 12, seed: 5 })) {
    time += 50n
    await setNextTime(time)
    const args = method === 'addKey' ? [tax, who.address, time + lengthSeconds] : [tax, who.address]
    // A gas limit spares the estimate, so that a step that the contract refuses takes a block as well.
    await as(registrar, method, ...args, { gasLimit: 200_000 }).catch(() => undefined)
    expect(await now()).toBe(time)
    const present = await answers(time - 50n)
    expect(present.slice(0, past.length)).toEqual(past)
    past = present
  }
  expect(past).toContain(true)
})
