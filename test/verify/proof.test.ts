import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex, OperationError } from '../../src/index.ts'
import { type ChainFacts, PROOF_STEPS, sizeAfter, verifyProof } from '../../src/verify/index.ts'
import { runs } from '../bytes/runs.ts'
import { type ChainData, encodeAppended, factsOf, LEDGER } from './chain.ts'
import { worldOf } from './world.ts'

const PERSON = 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA'

/** Two blocks before, one with two transactions of several headers each, one behind. */
const world = worldOf([
  [[1]],
  [[5], [2]],
  [
    [3, 7, 4],
    [1, 6],
  ],
  [[9]],
])
const chain = factsOf(world.data)
/** A call of the middle of the middle transaction: batch 4, with 7 records. */
const proof = () => world.prove(4, 3)

const refusal = (code: string, step: string) =>
  expect.objectContaining({ name: 'VerificationError', code, step })

const refusedAt = (step: string) => expect.objectContaining({ name: 'VerificationError', step })

/** The chain with other data: what a test does to it. */
function changed(change: (data: ChainData) => void): ChainFacts {
  const data = structuredClone(world.data)
  change(data)
  return factsOf(data)
}

describe('a good proof is accepted', () => {
  test('of any record of any batch, in logs and trees of any size', async () => {
    const size = fc.integer({ min: 1, max: 12 })
    const transactions = fc.array(fc.array(size, { minLength: 1, maxLength: 4 }), { maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(
        fc.array(transactions, { minLength: 1, maxLength: 4 }),
        fc.nat(),
        async (counts, pick) => {
          const { batches, data, places, prove } = worldOf(counts)
          fc.pre(batches.length > 0)
          const at = pick % batches.length
          const header = batches[at]?.header
          for (let position = 0; position < (header?.recordCount ?? 0); position++) {
            const bundle = prove(at, position)
            expect(await verifyProof(JSON.parse(JSON.stringify(bundle)), factsOf(data))).toMatchObject({
              header,
              logIndex: BigInt(at),
              blockTime: 1_790_000_000n + 12n * (places[at]?.blockNumber ?? 0n),
              finalBlock: BigInt(counts.length),
              anchor: { ledger: LEDGER, blockNumber: places[at]?.blockNumber },
            })
          }
        },
      ),
      runs(25),
    )
  })

  test('with the disclosed members put back, and the others counted', async () => {
    const { disclosures } = proof()
    expect(disclosures).toHaveLength(1)
    const open = await verifyProof(proof(), chain)
    expect(open.record.data.person).toBe(PERSON)
    expect(open.closedMembers).toBe(2)
    const closed = await verifyProof({ ...proof(), disclosures: [] }, chain)
    expect(closed.record.data).not.toHaveProperty('person')
    expect(closed.closedMembers).toBe(3)
    expect(closed.record.data).not.toHaveProperty('_sd')
  })

  test('of a record with nothing to close', async () => {
    expect(await verifyProof(world.prove(4, 1), chain)).toMatchObject({ closedMembers: 0 })
  })

  test('for the ledger that the verifier trusts', async () => {
    expect(await verifyProof(proof(), chain, { ledger: LEDGER })).toMatchObject({ logIndex: 4n })
  })

  test('as soon as its block is final', async () => {
    const justFinal = changed((data) => {
      data.finalBlock = '3'
    })
    expect(await verifyProof(proof(), justFinal)).toMatchObject({ finalBlock: 3n })
  })
})

test('the steps have their names and order', () => {
  expect(PROOF_STEPS.slice(0, 5)).toEqual(['read', 'record', 'batch', 'anchor', 'log'])
  expect(PROOF_STEPS.slice(5)).toEqual(['grant', 'signature', 'registry', 'revocation'])
})

/** A place in a JSON value, and the value there. */
type Leaf = { path: (string | number)[]; value: unknown }

function leavesOf(value: unknown, path: (string | number)[] = []): Leaf[] {
  if (typeof value !== 'object' || value === null) return [{ path, value }]
  return Object.entries(value).flatMap(([name, member]) => leavesOf(member, [...path, name]))
}

/** Sets (or, without a value, removes) the member of a JSON value that a path names. */
function put(target: unknown, path: (string | number)[], ...values: unknown[]): void {
  const parent = path.slice(0, -1).reduce((at, name) => (at as Record<string, unknown>)[name], target)
  const name = path.at(-1) ?? ''
  if (values.length === 0 && Array.isArray(parent)) parent.splice(Number(name), 1)
  else if (values.length === 0) delete (parent as Record<string, unknown>)[name]
  else (parent as Record<string, unknown>)[name] = values[0]
}

const CLAIMS = ['record', 'disclosures', 'inclusion', 'batch', 'log', 'anchor']
const claims = leavesOf(proof()).filter(({ path }) => CLAIMS.includes(String(path[0])))

describe('a false proof is refused, never accepted and never put off', () => {
  const character = fc.constantFrom(...'0123456789abcdefABCDEF-_xXzZ.: é\0')

  test('with any character of any value changed, one more or one less', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...claims.filter(({ value }) => typeof value === 'string')),
        fc.nat(),
        character,
        fc.constantFrom('change', 'insert', 'delete'),
        async ({ path, value }, where, by, how) => {
          const text = String(value)
          const at = where % (text.length + (how === 'insert' ? 1 : 0))
          fc.pre(how !== 'change' || text[at] !== by)
          const bundle = proof()
          put(
            bundle,
            path,
            text.slice(0, at) + (how === 'delete' ? '' : by) + text.slice(at + (how === 'insert' ? 0 : 1)),
          )
          await expect(verifyProof(bundle, chain)).rejects.toThrow(
            expect.objectContaining({ name: 'VerificationError', step: expect.any(String) }),
          )
        },
      ),
      runs(1500),
    )
  })

  test('with any bit of any hex value flipped', async () => {
    const hexes = claims.filter(({ value }) => /^0x/.test(String(value)))
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...hexes), fc.nat(), async ({ path, value }, bit) => {
        const bytes = Buffer.from(fromHex(String(value)))
        const at = bit % (8 * bytes.length)
        bytes[at >> 3] = (bytes[at >> 3] ?? 0) ^ (1 << (at & 7))
        const bundle = proof()
        put(bundle, path, `0x${bytes.toString('hex')}`)
        await expect(verifyProof(bundle, chain)).rejects.toThrow(
          expect.objectContaining({ name: 'VerificationError' }),
        )
      }),
      runs(500),
    )
  })

  test('with any number changed, whether it stands as a number or as text', async () => {
    const numbers = claims.filter(({ value }) => /^\d+$/.test(String(value)))
    expect(numbers.length).toBeGreaterThan(10)
    for (const { path, value } of numbers) {
      for (const by of [-1n, 1n, 2n, 2n ** 32n, -(2n ** 32n)]) {
        const bundle = proof()
        const other = BigInt(String(value)) + by
        put(bundle, path, typeof value === 'number' ? Number(other) : String(other))
        await expect(verifyProof(bundle, chain)).rejects.toThrow(
          expect.objectContaining({ name: 'VerificationError' }),
        )
      }
    }
  })

  test('with any value of another kind, or missing', async () => {
    for (const { path, value } of claims) {
      for (const other of [
        null,
        true,
        [],
        {},
        [value],
        Number(value),
        String(value).toUpperCase(),
        `0${value}`,
        '',
        -1,
        0.5,
      ]) {
        if (Object.is(other, value)) continue
        const bundle = proof()
        put(bundle, path, other)
        await expect(verifyProof(bundle, chain)).rejects.toThrow(
          expect.objectContaining({ name: 'VerificationError' }),
        )
      }
      // Without a disclosure the proof shows less, which it may.
      if (path[0] === 'disclosures') continue
      const bundle = proof()
      put(bundle, path)
      await expect(verifyProof(bundle, chain)).rejects.toThrow(
        expect.objectContaining({ name: 'VerificationError' }),
      )
    }
  })

  test('with two parts exchanged between two good proofs', async () => {
    for (const other of [
      world.prove(4, 0),
      world.prove(3, 0),
      world.prove(6, 0),
      world.prove(7, 3),
      world.prove(0, 0),
    ]) {
      for (const part of ['record', 'inclusion', 'batch', 'log', 'anchor'] as const) {
        const bundle = { ...proof(), [part]: other[part] }
        if (JSON.stringify(bundle) === JSON.stringify(proof())) continue
        await expect(verifyProof(bundle, chain)).rejects.toThrow(
          expect.objectContaining({ name: 'VerificationError' }),
        )
      }
    }
  })

  test('with a path that is longer, shorter or in another order', async () => {
    for (const member of ['inclusion', 'log'] as const) {
      const { path } = proof()[member]
      for (const wrong of [path.slice(1), path.slice(0, -1), [...path, path[0]], path.toReversed(), []]) {
        await expect(
          verifyProof({ ...proof(), [member]: { ...proof()[member], path: wrong } }, chain),
        ).rejects.toThrow(refusedAt(member === 'log' ? 'log' : 'batch'))
      }
    }
  })
})

describe('each step refuses what it checks', () => {
  const half = '\ud800'
  const { record, batch, log, anchor, inclusion, disclosures } = proof()
  const bytes32 = `0x${'77'.repeat(32)}`

  test.each([
    ['read', 'MALFORMED_BUNDLE', 'a member more', { extra: 1 }],
    ['read', 'MALFORMED_BUNDLE', 'a member of another format', { evidence: {} }],
    ['read', 'MALFORMED_BUNDLE', 'an authorisation in the old format', { authorization: {} }],
    ['read', 'MALFORMED_BUNDLE', 'the new format without one', { format: 'tidemark-proof/2' }],
    ['read', 'MALFORMED_BUNDLE', 'uppercase hex', { anchor: { ...anchor, ledger: LEDGER.toUpperCase() } }],
    ['read', 'MALFORMED_BUNDLE', 'leading zeros', { log: { ...log, index: `0${log.index}` } }],
    ['read', 'MALFORMED_BUNDLE', 'a number for a uint64', { log: { ...log, size: 6 } }],
    ['read', 'MALFORMED_BUNDLE', 'a disclosure that is no text', { disclosures: [1] }],
    ['read', 'MALFORMED_BUNDLE', 'a part that is a list', { log: [log.index, log.size, log.path] }],
    ['read', 'MALFORMED_HEADER', 'a header with a member more', { batch: { ...batch, extra: 1 } }],
    ['read', 'MALFORMED_HEADER', 'no header', { batch: null }],
    [
      'read',
      'MALFORMED_RECORD',
      'an open person',
      { record: { ...record, data: { ...record.data, person: PERSON } } },
    ],
    ['read', 'MALFORMED_RECORD', 'half of a surrogate pair', { record: { ...record, id: half } }],
    ['read', 'MALFORMED_RECORD', 'an unknown type', { record: { ...record, type: 'tidemark.call.v2' } }],
    [
      'record',
      'BAD_DISCLOSURE',
      'a disclosure of another record',
      { disclosures: world.prove(4, 0).disclosures },
    ],
    ['record', 'BAD_DISCLOSURE', 'a disclosure twice', { disclosures: [...disclosures, ...disclosures] }],
    ['batch', 'ROOT_MISMATCH', 'another record', { record: world.prove(4, 0).record, disclosures: [] }],
    ['batch', 'ROOT_MISMATCH', 'another place', { inclusion: { ...inclusion, index: inclusion.index - 1 } }],
    [
      'batch',
      'INDEX_OUT_OF_RANGE',
      'a place beyond the batch',
      { inclusion: { ...inclusion, index: batch.recordCount } },
    ],
    [
      'batch',
      'MALFORMED_PATH',
      'a path too short',
      { inclusion: { ...inclusion, path: inclusion.path.slice(1) } },
    ],
    [
      'batch',
      'BATCH_MISMATCH',
      'a time after the record',
      { batch: { ...batch, firstTime: batch.lastTime } },
    ],
    [
      'batch',
      'BATCH_MISMATCH',
      'a time before the record',
      { batch: { ...batch, lastTime: batch.firstTime } },
    ],
    ['anchor', 'WRONG_CHAIN', 'another chain', { anchor: { ...anchor, chainId: '1' } }],
    ['anchor', 'NOT_ANCHORED', 'another ledger', { anchor: { ...anchor, ledger: `0x${'77'.repeat(20)}` } }],
    ['anchor', 'NOT_ANCHORED', 'another transaction', { anchor: { ...anchor, transactionHash: bytes32 } }],
    ['anchor', 'NOT_ANCHORED', 'an event that is not there', { anchor: { ...anchor, logIndex: 999 } }],
    [
      'anchor',
      'HEADER_MISMATCH',
      'the event of another header',
      { anchor: { ...anchor, logIndex: anchor.logIndex + 1 } },
    ],
    ['anchor', 'HEADER_MISMATCH', 'another event of the ledger', { anchor: { ...anchor, logIndex: 1 } }],
    ['anchor', 'NOT_CANONICAL', 'another block', { anchor: { ...anchor, blockHash: bytes32 } }],
    ['anchor', 'NOT_CANONICAL', 'another number of the block', { anchor: { ...anchor, blockNumber: '2' } }],
    [
      'anchor',
      'HEADER_MISMATCH',
      'another publisher',
      { batch: { ...batch, publisher: `0x${'77'.repeat(20)}` } },
    ],
    ['anchor', 'HEADER_MISMATCH', 'another sequence', { batch: { ...batch, sequence: '5' } }],
    ['anchor', 'HEADER_MISMATCH', 'another index root', { batch: { ...batch, indexRoot: bytes32 } }],
    ['anchor', 'HEADER_MISMATCH', 'another index of the log', { log: { ...log, index: '3' } }],
    ['log', 'HEADER_MISMATCH', 'another size of the log', { log: { ...log, size: '9' } }],
    ['log', 'ROOT_MISMATCH', 'another path', { log: { ...log, path: log.path.toReversed() } }],
    ['log', 'MALFORMED_PATH', 'no path', { log: { ...log, path: [] } }],
  ])('%s: %s for %s', async (step, code, _, change) => {
    await expect(verifyProof({ ...proof(), ...change }, chain)).rejects.toThrow(refusal(code, step))
  })

  test('read: MALFORMED_BUNDLE for every member that is missing', async () => {
    for (const part of CLAIMS) {
      const { [part]: _, ...rest } = { ...proof() } as Record<string, unknown>
      const code = expect.stringMatching(/^MALFORMED_(?:BUNDLE|RECORD|HEADER)$/)
      await expect(verifyProof(rest, chain)).rejects.toThrow(refusal(code, 'read'))
      for (const member of Object.keys(proof()[part as 'log'])) {
        if (part === 'disclosures') continue
        const bundle = proof()
        put(bundle, [part, member])
        if (part === 'record' && ['traceparent', 'datacontenttype'].includes(member)) {
          // Not demanded, so that only the root tells.
          await expect(verifyProof(bundle, chain)).rejects.toThrow(refusal('ROOT_MISMATCH', 'batch'))
          continue
        }
        await expect(verifyProof(bundle, chain)).rejects.toThrow(refusal(code, 'read'))
      }
    }
  })

  test('anchor: WRONG_LEDGER when the verifier trusts another', async () => {
    await expect(verifyProof(proof(), chain, { ledger: `0x${'77'.repeat(20)}` })).rejects.toThrow(
      refusal('WRONG_LEDGER', 'anchor'),
    )
  })
})

describe('what is no proof at all is the fault of who asks', () => {
  test.each([
    ['nothing', undefined],
    ['null', null],
    ['text', JSON.stringify(proof())],
    ['a number', 1],
    ['a list', [proof()]],
    ['an object', {}],
    ['an unknown format', { ...proof(), format: 'tidemark-proof/3' }],
    ['another bundle', { format: 'tidemark-history/1' }],
    ['a format that is no text', { ...proof(), format: ['tidemark-proof/1'] }],
  ])('%s', async (_, bundle) => {
    await expect(verifyProof(bundle, chain)).rejects.toThrow(
      expect.objectContaining({ name: 'InputError', code: 'BAD_BUNDLE' }),
    )
  })
})

describe('a chain that cannot tell is no refusal', () => {
  const dead = new OperationError('RPC_UNREACHABLE', 'no answer')

  test.each(['chainId', 'receipt', 'blockByNumber', 'finalBlock', 'ledgerRoot'] as const)(
    'a chain that is dead when asked for %s',
    async (question) => {
      const facts = { ...chain, [question]: () => Promise.reject(dead) }
      await expect(verifyProof(proof(), facts)).rejects.toBe(dead)
    },
  )

  test.each(['blockByHash', 'headBlock'] as const)(
    'a chain without the receipt that is dead when asked for %s',
    async (question) => {
      const facts = {
        ...changed((data) => {
          data.receipts = []
          data.blocks = []
        }),
        [question]: () => Promise.reject(dead),
      }
      await expect(verifyProof(proof(), facts)).rejects.toBe(dead)
    },
  )

  test('a chain that lags behind the block', async () => {
    const lagging = changed((data) => {
      data.blocks = data.blocks.filter(({ number }) => Number(number) < 3)
      data.receipts = data.receipts.filter(({ blockNumber }) => Number(blockNumber) < 3)
      data.headBlock = '2'
      data.finalBlock = '2'
    })
    await expect(verifyProof(proof(), lagging)).rejects.toThrow(
      expect.objectContaining({ name: 'OperationError', code: 'RPC_LAGS', retryable: true }),
    )
  })

  test('a ledger that lags behind its event', async () => {
    const lagging = changed((data) => {
      data.ledgerRoots = data.ledgerRoots.filter(({ size }) => Number(size) < 6)
    })
    await expect(verifyProof(proof(), lagging)).rejects.toThrow(
      expect.objectContaining({ name: 'OperationError', code: 'RPC_LAGS' }),
    )
  })

  test('a block that is not final yet', async () => {
    const young = changed((data) => {
      data.finalBlock = '2'
    })
    await expect(verifyProof(proof(), young)).rejects.toThrow(
      expect.objectContaining({ name: 'OperationError', code: 'NOT_FINAL', retryable: true }),
    )
  })

  test('a block that is not final yet, whatever it holds', async () => {
    for (const change of [
      { blockHash: `0x${'99'.repeat(32)}` as const },
      { succeeded: false },
      { logs: [] },
    ]) {
      const young = changed((data) => {
        data.finalBlock = '2'
        for (const receipt of data.receipts) Object.assign(receipt, change)
      })
      await expect(verifyProof(proof(), young)).rejects.toThrow(
        expect.objectContaining({ name: 'OperationError', code: 'NOT_FINAL' }),
      )
    }
  })

  test('a reorg of a block that is not final yet', async () => {
    const young = changed((data) => {
      data.finalBlock = '2'
      data.receipts = []
      for (const block of data.blocks) Object.assign(block, { hash: `0x${'99'.repeat(32)}` })
    })
    await expect(verifyProof(proof(), young)).rejects.toThrow(
      expect.objectContaining({ name: 'OperationError', code: 'NOT_FINAL' }),
    )
  })

  test('a node whose receipt and block contradict each other', async () => {
    for (const change of [
      (data: ChainData) => {
        for (const block of data.blocks) if (block.number === '3') block.hash = `0x${'99'.repeat(32)}`
      },
      (data: ChainData) => {
        data.blocks = []
      },
    ]) {
      await expect(verifyProof(proof(), changed(change))).rejects.toThrow(
        expect.objectContaining({ name: 'OperationError', code: 'RPC_MALFORMED' }),
      )
    }
  })

  test('a node that no longer has the block at all', async () => {
    const pruned = changed((data) => {
      data.receipts = []
      data.blocks = []
    })
    await expect(verifyProof(proof(), pruned)).rejects.toThrow(
      expect.objectContaining({ name: 'OperationError', code: 'RPC_REFUSED' }),
    )
  })

  test('a node that has forgotten the receipt', async () => {
    const pruned = changed((data) => {
      data.receipts = []
    })
    await expect(verifyProof(proof(), pruned)).rejects.toThrow(
      expect.objectContaining({ name: 'OperationError', code: 'RPC_REFUSED' }),
    )
  })
})

describe('a chain that tells otherwise is a refusal', () => {
  const bytes32 = `0x${'99'.repeat(32)}` as const

  test('when a reorg moved the transaction to another block', async () => {
    for (const change of [{ blockNumber: '4' }, { blockHash: bytes32 }]) {
      const reorged = changed((data) => {
        for (const receipt of data.receipts) Object.assign(receipt, change)
      })
      await expect(verifyProof(proof(), reorged)).rejects.toThrow(refusal('NOT_CANONICAL', 'anchor'))
    }
  })

  test('when a reorg dropped the transaction', async () => {
    const reorged = changed((data) => {
      data.receipts = []
      for (const block of data.blocks) Object.assign(block, { hash: bytes32, transactionHashes: [] })
    })
    await expect(verifyProof(proof(), reorged)).rejects.toThrow(refusal('NOT_CANONICAL', 'anchor'))
  })

  test('when the block has another number, and no receipt is left', async () => {
    const moved = changed((data) => {
      data.receipts = []
      for (const block of data.blocks) if (block.number === '3') block.number = '8'
    })
    await expect(verifyProof(proof(), moved)).rejects.toThrow(refusal('NOT_CANONICAL', 'anchor'))
  })

  test('when the transaction was reverted', async () => {
    const reverted = changed((data) => {
      for (const receipt of data.receipts) receipt.succeeded = false
    })
    await expect(verifyProof(proof(), reverted)).rejects.toThrow(refusal('NOT_ANCHORED', 'anchor'))
  })

  test('when the ledger has another root', async () => {
    const forked = changed((data) => {
      for (const held of data.ledgerRoots) held.root = bytes32
    })
    await expect(verifyProof(proof(), forked)).rejects.toThrow(refusal('ROOT_MISMATCH', 'log'))
  })

  test('when another contract wrote the event', async () => {
    const copied = changed((data) => {
      for (const { logs } of data.receipts) for (const log of logs) log.address = `0x${'57'.repeat(20)}`
    })
    await expect(verifyProof(proof(), copied)).rejects.toThrow(refusal('NOT_ANCHORED', 'anchor'))
  })
})

describe('the size of the ledger after a transaction', () => {
  const header = world.batches[0]?.header
  const event = (index: bigint, address = LEDGER) => ({
    address,
    ...encodeAppended(index, header as NonNullable<typeof header>, new Uint8Array(32)),
    logIndex: 0,
  })

  test('is one more than the last index that it appended, in whatever order they come', () => {
    expect(sizeAfter({ logs: [event(4n), event(6n), event(5n)] }, LEDGER)).toBe(7n)
    expect(sizeAfter({ logs: [event(0n)] }, LEDGER)).toBe(1n)
  })

  test('does not count what other contracts write', () => {
    const stranger = `0x${'57'.repeat(20)}` as const
    expect(sizeAfter({ logs: [event(4n), event(9n, stranger)] }, LEDGER)).toBe(5n)
    expect(() => sizeAfter({ logs: [event(9n, stranger)] }, LEDGER)).toThrow(
      expect.objectContaining({ name: 'VerificationError', code: 'NOT_ANCHORED' }),
    )
  })
})
