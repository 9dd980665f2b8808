import fc from 'fast-check'
import { expect, it } from 'vitest'
import { KINDS, type Sharing } from './decision.ts'
import type { Outcome, Step } from './model.ts'
import {
  governance,
  guardian,
  key,
  PEOPLE,
  PURPOSES,
  RESOURCES,
  registrar,
  SOURCES,
  STEP_SECONDS,
  subject,
  useOf,
  Walk,
} from './walk.ts'

/** A step, once it is known what grants the walk has. */
type Drawn = { by: string; step: (walk: Walk) => Step }

const anyone = fc.constantFrom(...PEOPLE.map(({ address }) => address))
/** Whoever may do it, most of the time. */
const mostly = ({ address }: { address: string }) =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(address) }, { weight: 1, arbitrary: anyone })
const source = fc.constantFrom(...SOURCES)
const resource = fc.constantFrom(...RESOURCES)
const purpose = fc.constantFrom(...PURPOSES)
const sharing = fc.constantFrom<Sharing[]>(
  'conditional',
  'conditional',
  'unconditional',
  'prohibited',
  'none',
)
const target = fc.record({ kind: fc.constantFrom(...KINDS), name: fc.constantFrom('births', 'tax', 'civil') })
const grantAt = fc.constantFrom(0, 1, 2, 3, 4)

function draw<T>(
  weight: number,
  by: fc.Arbitrary<string>,
  args: fc.Arbitrary<T>,
  make: (args: T, walk: Walk) => Step,
) {
  const arbitrary = fc.tuple(by, args).map(([by, args]): Drawn => ({ by, step: (walk) => make(args, walk) }))
  return { weight, arbitrary }
}

const anyStep = fc.oneof(
  draw(1, mostly(registrar), source, (uri) => ({ method: 'addSource', uri })),
  draw(
    2,
    mostly(registrar),
    fc.record({ source, holder: mostly(key), steps: fc.bigInt({ min: 1n, max: 40n }) }),
    ({ source, holder, steps }) => ({
      method: 'addKey',
      source,
      key: holder,
      untilSeconds: steps * STEP_SECONDS + STEP_SECONDS / 2n,
    }),
  ),
  draw(1, mostly(registrar), source, (source) => ({ method: 'endKey', source, key: key.address })),
  draw(3, mostly(registrar), fc.record({ name: resource, owner: source, sharing }), (args) => ({
    method: 'setResource',
    ...args,
  })),
  draw(2, mostly(guardian), target, (target) => ({ method: 'trip', ...target })),
  draw(4, mostly(registrar), target, (target) => ({ method: 'reset', ...target })),
  draw(
    1,
    mostly(governance),
    fc.record({
      method: fc.constantFrom('grantRole' as const, 'revokeRole' as const),
      // Governance stays where it is, or nobody could go on.
      role: fc.constantFrom('registrar' as const, 'guardian' as const),
      account: anyone,
    }),
    (step) => step,
  ),
  ...(['grant', 'pause', 'resume', 'revoke'] as const).map((method) =>
    draw(1, mostly(subject), grantAt, (at, walk) => ({ method, grant: walk.grant(at) })),
  ),
  draw(1, anyone, fc.tuple(mostly(subject), grantAt), ([signer, at], walk) => ({
    method: 'revokeBySignature',
    grant: walk.grant(at),
    signer,
  })),
  draw(
    3,
    mostly(key),
    fc.record({ consumer: source, resource, purpose, at: grantAt }),
    ({ at, ...use }, walk) => ({
      method: 'request',
      ...use,
      grant: walk.grant(at),
    }),
  ),
  draw(8, mostly(key), grantAt, (at, walk) => ({
    method: 'request',
    ...useOf(walk.grant(at)),
    grant: walk.grant(at),
  })),
)

/** A registry in which calls can be allowed, so that a walk does not spend its steps on getting there. */
async function furnish(walk: Walk): Promise<void> {
  const untilSeconds = 60n * STEP_SECONDS + STEP_SECONDS / 2n
  for (const uri of SOURCES) await walk.take({ method: 'addSource', uri }, registrar.address)
  for (const source of ['tax', 'bank'])
    await walk.take({ method: 'addKey', source, key: key.address, untilSeconds }, registrar.address)
  for (const name of RESOURCES)
    await walk.take(
      { method: 'setResource', name, owner: 'civil', sharing: 'conditional' },
      registrar.address,
    )
  for (const at of [0, 1, 2, 4]) await walk.take({ method: 'grant', grant: walk.grant(at) }, subject.address)
}

const outcomes = new Set<Outcome>()

it.each([1, 2, 3, 4])('holds its promises through any sequence of calls by anyone: seed %i', async (seed) => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { minLength: 30, maxLength: 40 }), async (steps) => {
      const walk = await Walk.begin()
      await furnish(walk)
      for (const { by, step } of steps) outcomes.add(await walk.take(step(walk), by))
      await walk.compareAll()
    }),
    { numRuns: 3, seed, endOnFailure: true },
  )
})

it('has met the reasons and refusals that matter on the way', () => {
  expect([...outcomes]).toEqual(
    expect.arrayContaining([
      'done',
      'Tripped',
      'Unconditional',
      'Prohibited',
      'NoGrant',
      'Revoked',
      'Paused',
      'NotYetValid',
      'Expired',
      'Exhausted',
      'Allowed',
      'AccessControlUnauthorizedAccount',
      'Authorizations_NotSubject',
      'Authorizations_NotConsumer',
    ]),
  )
})
