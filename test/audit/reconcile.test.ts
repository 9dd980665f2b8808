import { readdir } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { reconcileAll } from '../../src/audit/reconcile-all.ts'
import { OperationError } from '../../src/errors.ts'
import { parseRecord } from '../../src/record/index.ts'
import { accountOf, type CallAccount, type Reconciled, reconcile } from '../../src/rules/reconcile.ts'
import { runs } from '../bytes/runs.ts'
import { exampleOf } from '../record/examples.ts'
import { temporaryFolder } from '../store/temporary.ts'
import { consumerSays, providerSays } from './accounts.ts'

const NOON = consumerSays().timeMs
const MINUTE = 60_000

const kinds = (...accounts: CallAccount[]) => reconcile(accounts).map(({ kind }) => kind)
const later = (ms: number) => ({ timeMs: NOON + ms })

describe('two accounts of one call', () => {
  test('are a regular pair when they agree', () => {
    const [consumer, provider] = [consumerSays(), providerSays(later(20))]
    expect(reconcile([provider, consumer])).toEqual([
      { kind: 'regular pair', requestId: 'r-1', consumer, provider, disagreements: [] },
    ])
  })

  test('are an orphan pair when they disagree, and every member on which they do is named with both values', () => {
    const consumer = consumerSays({ stated: { outcome: 'failed', rows: 1, responseBytes: 400 } })
    const provider = providerSays({ stated: { outcome: 'success', rows: 2, responseBytes: 400 } })
    expect(reconcile([consumer, provider])).toEqual([
      {
        kind: 'orphan pair',
        requestId: 'r-1',
        consumer,
        provider,
        disagreements: [
          { member: 'outcome', consumer: 'failed', provider: 'success' },
          { member: 'rows', consumer: 1, provider: 2 },
        ],
      },
    ])
  })

  test('agree on what only one of them states', () => {
    expect(kinds(consumerSays({ stated: { outcome: 'success' } }), providerSays())).toEqual(['regular pair'])
  })

  test.each([-MINUTE, MINUTE])('still meet when one lies %i ms from the other', (ms) => {
    expect(kinds(consumerSays(), providerSays(later(ms)))).toEqual(['regular pair'])
  })

  test.each([-MINUTE - 1, MINUTE + 1])('are two orphans when one lies %i ms from the other', (ms) => {
    expect(kinds(consumerSays(), providerSays(later(ms)))).toEqual(['orphan', 'orphan'])
  })

  test.each(['consumer', 'provider', 'subject', 'operation', 'requestId'])(
    'do not meet when their %s differs',
    (member) => {
      expect(kinds(consumerSays(), providerSays({ [member]: 'another' }))).toEqual(['orphan', 'orphan'])
    },
  )

  test('do not meet when neither names a request', () => {
    const results = reconcile([consumerSays({ requestId: '' }), providerSays({ requestId: '' })])
    expect(results.map(({ kind, silent }) => [kind, silent])).toEqual([
      ['orphan', 'provider'],
      ['orphan', 'consumer'],
    ])
  })
})

describe('an account alone', () => {
  test('is an orphan that names the silent side', () => {
    const [consumer, provider] = [consumerSays(), providerSays({ requestId: 'r-2' })]
    expect(reconcile([consumer, provider])).toEqual([
      { kind: 'orphan', requestId: 'r-1', silent: 'provider', consumer, disagreements: [] },
      { kind: 'orphan', requestId: 'r-2', silent: 'consumer', provider, disagreements: [] },
    ])
  })
})

describe('a side that repeats itself', () => {
  const again = (ms: number) => consumerSays({ id: `c-${ms}`, ...later(ms) })

  test('pairs once, with its earliest account, whatever it says later', () => {
    const contradiction = consumerSays({ id: 'c-2', ...later(1), stated: { outcome: 'failed' } })
    const results = reconcile([
      contradiction,
      providerSays(),
      consumerSays(),
      providerSays({ id: 'p-2', ...later(2) }),
    ])
    expect(results.map(({ kind, consumer, provider }) => [kind, consumer?.id, provider?.id])).toEqual([
      ['regular pair', 'c-1', 'p-1'],
      ['duplicate', 'c-2', undefined],
      ['duplicate', undefined, 'p-2'],
    ])
  })

  test('repeats also what only a later account of its own could meet', () => {
    expect(kinds(again(0), again(50_000), providerSays(later(100_000)))).toEqual([
      'regular pair',
      'duplicate',
    ])
  })

  test('meets nobody with what it repeats', () => {
    const provider = (ms: number) => providerSays({ id: `p-${ms}`, ...later(ms) })
    expect(kinds(again(0), again(20_000), provider(0), provider(80_000))).toEqual([
      'regular pair',
      'duplicate',
      'orphan',
    ])
    expect(kinds(again(0), again(80_000), provider(0), provider(20_000))).toEqual([
      'regular pair',
      'orphan',
      'duplicate',
    ])
  })

  test('accuses the silent side once', () => {
    expect(kinds(again(0), again(1), again(2))).toEqual(['orphan', 'duplicate', 'duplicate'])
  })

  test('makes another call of it after more than a minute', () => {
    const provider = (ms: number) => providerSays({ id: `p-${ms}`, ...later(ms) })
    expect(kinds(again(0), again(MINUTE + 1), provider(0), provider(MINUTE + 1))).toEqual([
      'regular pair',
      'regular pair',
    ])
  })

  test('with the very same record is a duplicate all the same', () => {
    const consumer = consumerSays()
    expect(kinds(consumer, consumer, providerSays())).toEqual(['regular pair', 'duplicate'])
  })
})

describe('the account of a record', () => {
  test('states every member of a call but what names it and what each side measures or keeps for itself', () => {
    const { data, ...call } = exampleOf('tidemark.call.v1')
    const { side, consumer, provider, operation, requestId, durationMs, agent, note, ...stated } = data
    expect([durationMs, agent, note]).not.toContain(undefined)
    expect(accountOf(parseRecord({ ...call, data }))).toEqual({
      source: call.source,
      id: call.id,
      timeMs: Date.parse(String(call.time)),
      subject: call.subject,
      ...{ side, consumer, provider, operation, requestId, stated },
    })
  })
})

const someAccount = fc.record({
  side: fc.constantFrom('consumer' as const, 'provider' as const),
  requestId: fc.constantFrom('r-1', 'r-2', ''),
  subject: fc.constantFrom('registry/person', 'registry/house'),
  timeMs: fc.integer({ min: 0, max: 12 }).map((step) => NOON + step * 20_000),
  stated: fc.constantFrom({ outcome: 'success' }, { outcome: 'failed', rows: 1 }, {}),
})
const someAccounts = fc
  .array(someAccount, { maxLength: 30 })
  .map((all) => all.map((one, i) => consumerSays({ ...one, id: String(i) })))

const keyOf = ({ requestId, subject }: CallAccount) => `${requestId} ${subject}`
const accountsOf = ({ consumer, provider }: Reconciled) =>
  [consumer, provider].filter((one) => one !== undefined)
const near = (a: CallAccount, b: CallAccount) => Math.abs(a.timeMs - b.timeMs) <= MINUTE
async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const value of values) all.push(value)
  return all
}
const sorted = (results: readonly Reconciled[]) => results.map((result) => JSON.stringify(result)).sort()

describe('for any accounts', () => {
  const holds = (property: (accounts: CallAccount[]) => void) =>
    fc.assert(fc.property(someAccounts, property), runs(200))

  test('the order in which they come makes no difference', () => {
    const shuffled = someAccounts
      // Forged twins too, which share even their ids.
      .map((accounts) => accounts.map((one, i) => ({ ...one, id: String(i % 2) })))
      .chain((accounts) =>
        fc.tuple(fc.constant(accounts), fc.shuffledSubarray(accounts, { minLength: accounts.length })),
      )
    fc.assert(
      fc.property(shuffled, ([accounts, others]) => {
        expect(reconcile(others)).toEqual(reconcile(accounts))
      }),
      runs(200),
    )
  })

  test('each stands in exactly one result', () => {
    holds((accounts) => {
      const told = reconcile(accounts).flatMap(accountsOf)
      expect(told.map(({ id }) => Number(id)).sort((a, b) => a - b)).toEqual(accounts.map((_, i) => i))
    })
  })

  test('those of a pair are of both sides, of one call, and near', () => {
    holds((accounts) => {
      for (const { consumer, provider } of reconcile(accounts)) {
        if (consumer === undefined || provider === undefined) continue
        expect([consumer.side, provider.side]).toEqual(['consumer', 'provider'])
        expect(keyOf(consumer)).toBe(keyOf(provider))
        expect(consumer.requestId).not.toBe('')
        expect(near(consumer, provider)).toBe(true)
      }
    })
  })

  test('a duplicate is near one of its side that counts, and those that count are not near each other', () => {
    holds((accounts) => {
      const named = reconcile(accounts).filter(({ requestId }) => requestId !== '')
      const [duplicates, counting] = [true, false].map((wanted) =>
        named.filter(({ kind }) => (kind === 'duplicate') === wanted).flatMap(accountsOf),
      )
      const ofSameSide = (one: CallAccount) =>
        (counting ?? []).filter(
          (other) =>
            other !== one && other.side === one.side && keyOf(other) === keyOf(one) && near(one, other),
        )
      for (const one of duplicates ?? []) expect(ofSameSide(one)).not.toEqual([])
      for (const one of counting ?? []) expect(ofSameSide(one)).toEqual([])
    })
  })

  test('no two orphans could have met', () => {
    holds((accounts) => {
      const orphans = reconcile(accounts).filter(
        ({ kind, requestId }) => kind === 'orphan' && requestId !== '',
      )
      const lone = (side: string) => orphans.flatMap(accountsOf).filter((one) => one.side === side)
      for (const consumer of lone('consumer')) {
        const met = lone('provider').filter((one) => keyOf(one) === keyOf(consumer) && near(one, consumer))
        expect(met).toEqual([])
      }
    })
  })

  test('exchanging the sides exchanges the results', () => {
    const mirror = (one: CallAccount): CallAccount => ({
      ...one,
      side: one.side === 'consumer' ? 'provider' : 'consumer',
    })
    const shape = ({ kind, consumer, provider }: Reconciled) => [kind, consumer?.id, provider?.id].join()
    const mirrored = ({ kind, consumer, provider }: Reconciled) => [kind, provider?.id, consumer?.id].join()
    holds((accounts) => {
      expect(reconcile(accounts.map(mirror)).map(shape).sort()).toEqual(
        reconcile(accounts).map(mirrored).sort(),
      )
    })
  })
})

describe('more accounts than are held in memory', () => {
  test('give the same results, and leave no file behind', async () => {
    const folder = await temporaryFolder()
    const accounts = Array.from({ length: 200 }, (_, i) =>
      (i % 3 === 0 ? providerSays : consumerSays)({ id: String(i), requestId: `r-${i % 70}`, ...later(i) }),
    )
    const results = await collect(reconcileAll(accounts, { folder, mostHeld: 7 }))
    expect(sorted(results)).toEqual(sorted(reconcile(accounts)))
    expect(new Set(results.map(({ kind }) => kind)).size).toBeGreaterThan(1)
    expect(await readdir(folder)).toEqual([])
  })

  test('leave no file behind either when the accounts end with an error', async () => {
    const folder = await temporaryFolder()
    let filesBefore = 0
    const failing = async function* () {
      yield consumerSays()
      yield providerSays()
      filesBefore = (await readdir(folder)).length
      throw new Error('cut off')
    }
    const read = collect(reconcileAll(failing(), { folder, mostHeld: 1 }))
    await expect(read).rejects.toThrow('cut off')
    expect(filesBefore).toBe(1)
    expect(await readdir(folder)).toEqual([])
  })

  test('in a folder that is not there say so', async () => {
    const folder = `${await temporaryFolder()}/none`
    const read = collect(reconcileAll([consumerSays()], { folder, mostHeld: 1 }))
    await expect(read).rejects.toThrow(OperationError)
    await expect(read).rejects.toThrow(folder)
  })
})
