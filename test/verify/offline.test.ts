import { verifyMerkleProof } from '@ethereumjs/mpt'
import { decodeRlp, encodeRlp, keccak256 } from 'ethers'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex, type Hex, toHex } from '../../src/bytes/hex.ts'
import { type JsonEvidence, type JsonOffline, parseOffline, toJsonOffline } from '../../src/proof/index.ts'
import { nameId } from '../../src/record/index.ts'
import {
  type Means,
  resourceSlot,
  revokedAtSlot,
  verifyAny,
  verifyHistory,
  verifyProof,
  verifySubmission,
} from '../../src/verify/index.ts'
import { runs } from '../bytes/runs.ts'
import {
  AUTHORIZATIONS,
  type AuthorizedOptions,
  authorizedWorld,
  REGISTRY,
  rightsOf,
  timeOfBlock,
} from './authorized-world.ts'
import { type ChainData, factsOf, LEDGER } from './chain.ts'
import { type MintOptions, mint } from './evidence-world.ts'
import { historyWorld, minutes, personOf, runWorld } from './history-world.ts'
import { worldOf } from './world.ts'

const hashesOf = ({ evidence }: JsonOffline): Hex[] =>
  evidence.blocks.map(({ header }) => keccak256(header) as Hex)

/** Without a network, by whoever trusts the blocks that are shown. */
const offline = (wrapper: JsonOffline, means: Means = {}) =>
  verifyAny(wrapper, { trustedBlocks: hashesOf(wrapper), ...means })

const refused = (step: string, code: string) =>
  expect.objectContaining({ name: 'VerificationError', step, code })
const unknown = (code: string, message: RegExp | string = '') =>
  expect.objectContaining({
    name: 'OperationError',
    code,
    message: expect.stringMatching(message),
    retryable: false,
  })

const world = worldOf([[[2]], [[3, 7, 1], [1]]])
const minted = mint(world.data)
const good = minted.wrap(world.prove(2, 3))
const wrapper = (): JsonOffline => structuredClone(good)
const online = factsOf(minted.renamed(world.data))

const blockOf = (wrapper: JsonOffline, at: number): JsonEvidence['blocks'][number] => {
  const block = wrapper.evidence.blocks.at(at)
  if (block === undefined) throw new RangeError(`block ${at} is not shown`)
  return block
}
const transactionOf = (wrapper: JsonOffline, block = 0) => {
  const [transaction] = blockOf(wrapper, block).transactions
  if (transaction === undefined) throw new RangeError('no transaction is shown')
  return transaction
}

describe('what a chain shows, its evidence shows without one', () => {
  test('of a proof, wherever its transaction stands in a block, with one or with many others of any type', async () => {
    const places = fc.record({
      before: fc.constantFrom(0, 1, 2, 16, 127, 128),
      after: fc.constantFrom(0, 1, 5, 170),
      types: fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 1 }),
    })
    await fc.assert(
      fc.asyncProperty(places, async (options) => {
        const {
          verified,
          kind,
          offline: shown,
        } = await offline(mint(world.data, undefined, options).wrap(world.prove(2, 3)))
        const { finalBlock, anchor, ...same } = await verifyProof(world.prove(2, 3), factsOf(world.data))
        expect(kind).toBe('proof')
        expect(verified).toMatchObject({ ...same, finalBlock })
        expect(shown?.trustedBlocks.map(({ number }) => number)).toEqual([anchor.blockNumber])
      }),
      runs(15),
    )
  })

  test.each([1, 2, 17, 128, 300])('of a proof in a block of %i transactions', async (count) => {
    const lone = worldOf([[[4]]])
    for (const before of new Set([0, count >> 1, count - 1])) {
      const { wrap } = mint(lone.data, undefined, { before, after: count - before - 1 })
      expect(await offline(wrap(lone.prove(0, 1)))).toMatchObject({ verified: { logIndex: 0n } })
    }
  })

  test('of a submission', async () => {
    const bundle = world.proveSubmission(2, 2, 3)
    const { kind, verified } = await offline(minted.wrap(bundle))
    const { anchor: _, ...same } = await verifySubmission(bundle, factsOf(world.data))
    expect({ kind, verified }).toMatchObject({ kind: 'submission', verified: same })
  })

  test('of a history, batch by batch and over runs', async () => {
    const calls = [
      [{ person: 0, minute: 5 }],
      [
        { person: 1, minute: 9 },
        { person: 0, minute: 10 },
      ],
    ]
    const { data, history } = historyWorld(calls)
    const run = await runWorld([...calls, { first: 0, count: 2 }, [{ person: 0, minute: 30 }]])
    const bundles = [
      [data, await history('person', personOf(0), { period: { from: minutes(0), to: minutes(60) } })],
      [run.data, await run.runHistory('person', personOf(0))],
    ] as const
    for (const [chain, bundle] of bundles) {
      const { kind, verified } = await offline(mint(chain).wrap(bundle))
      const { anchor: _, ...same } = await verifyHistory(bundle, factsOf(chain))
      expect({ kind, verified }).toMatchObject({ kind: 'history', verified: same })
    }
  })

  test('of any earlier size of the ledger, by a consistency path', async () => {
    const growing = worldOf(Array.from({ length: 17 }, (_, i) => [[1], ...(i % 3 === 0 ? [[1, 1]] : [])]))
    const { wrap, sizeAt } = mint(growing.data)
    const sizes = new Set<string>()
    for (const [i] of growing.batches.entries()) {
      const bundle = growing.prove(i, 0)
      sizes.add(bundle.log.size)
      for (const state of [Number(bundle.anchor.blockNumber), 17]) {
        const made = wrap(bundle, { state })
        expect(made.evidence.consistency !== undefined).toBe(Number(bundle.log.size) < sizeAt(state))
        expect(await offline(made)).toMatchObject({ verified: { logIndex: BigInt(i) } })
      }
    }
    for (const size of ['1', '4', '8', '16']) expect(sizes).toContain(size)
  })
})

describe('an authorised call', () => {
  const authorized = async (options: AuthorizedOptions = {}, minting: MintOptions = {}) => {
    const made = await authorizedWorld(options)
    const { grantSigner } = rightsOf(made.rights, made.chain)
    const { wrap, renamed, ledgerSlots } = mint(made.chain, made.rights, minting)
    const resource = nameId('urn:example:civil:births')
    const slots = [
      [LEDGER, ledgerSlots(6)],
      [AUTHORIZATIONS, [revokedAtSlot(made.id)]],
      [REGISTRY, [resourceSlot(resource)]],
    ] as const
    const sets = made.rights.resources.flatMap(({ sets }) =>
      sets.map(({ transactionHash }) => transactionHash),
    )
    const bundle = made.proof()
    const all = {
      slots: slots.map(([address, held]) => [address, [...held]] as const),
      blocks: [Number(bundle.authorization?.revocation.blockNumber)],
      state: 6,
    }
    return {
      ...made,
      bundle,
      sets: sets.map((hash) => renamed(hash)),
      wrapper: wrap(bundle, all),
      wrap,
      all,
      grantSigner,
      renamed,
    }
  }

  test.each<[string, AuthorizedOptions]>([
    ['signed by its subject, and never withdrawn', {}],
    ['given to the contract', { consent: 'given' }],
    ['withdrawn since', { revokedAt: timeOfBlock(5) }],
    ['withdrawn after the proof was made', { revokedAt: timeOfBlock(5), claim: { revokedAt: 0, block: 4 } }],
    ['under a version that was replaced since', { sets: [1, 4], showNext: true }],
  ])('is shown: %s', async (_, options) => {
    const { bundle, chain, rights, wrapper, grantSigner } = await authorized(options)
    const { authorization } = await verifyProof(bundle, factsOf(chain), {}, rightsOf(rights, chain))
    const { resource, asOf, ...same } = authorization ?? {}
    const trust = { ledger: LEDGER, authorizations: AUTHORIZATIONS, registry: REGISTRY }
    const { verified } = await offline(wrapper, { grantSigner, trust })
    expect(verified).toMatchObject({ authorization: { ...same, asOf: { number: 6n } } })
  })

  test('is shown under a version that was replaced after the proof was made, where that event is shown', async () => {
    const { bundle, wrap, wrapper, all, sets, grantSigner } = await authorized({ sets: [1, 4] })
    await expect(offline(wrapper, { grantSigner })).rejects.toThrow(unknown('NOT_IN_EVIDENCE', 'version 2'))
    const transactions = [...JSON.stringify(wrapper.bundle).matchAll(/"transactionHash":"(0x\w+)"/g)].map(
      ([, hash]) => hash as Hex,
    )
    const whole = wrap(bundle, { ...all, transactions: [...transactions, ...sets] })
    expect(await offline(whole, { grantSigner })).toMatchObject({
      verified: { authorization: { replacedAt: BigInt(timeOfBlock(4)) } },
    })
  })

  test('is refused where the evidence says otherwise', async () => {
    const withdrawn = await authorized({ revokedAt: timeOfBlock(2), claim: { revokedAt: 0, block: 6 } })
    await expect(offline(withdrawn.wrapper, { grantSigner: withdrawn.grantSigner })).rejects.toThrow(
      refused('revocation', 'FALSE_REVOCATION'),
    )
    const { wrapper, grantSigner } = await authorized()
    const other: Hex = `0x${'77'.repeat(20)}`
    await expect(offline(wrapper, { grantSigner, trust: { registry: other } })).rejects.toThrow(
      refused('registry', 'WRONG_REGISTRY'),
    )
    await expect(offline(wrapper, { grantSigner, trust: { authorizations: other } })).rejects.toThrow(
      refused('grant', 'WRONG_AUTHORIZATIONS'),
    )
  })

  test('is neither shown nor refused where an account with code signed, or the state is not shown', async () => {
    const account = await authorized({ consent: 'account' })
    await expect(offline(account.wrapper, { grantSigner: account.grantSigner })).rejects.toThrow(
      unknown('NOT_IN_EVIDENCE', 'what account'),
    )
    const { bundle, wrap, all, grantSigner } = await authorized()
    for (const address of [LEDGER, AUTHORIZATIONS, REGISTRY]) {
      const slots = all.slots.filter(([shown]) => shown !== address)
      const bare = all.slots.map(([shown, held]) => [shown, shown === address ? [] : held] as const)
      for (const less of [slots, bare]) {
        await expect(offline(wrap(bundle, { ...all, slots: less }), { grantSigner })).rejects.toThrow(
          unknown('NOT_IN_EVIDENCE', address),
        )
      }
    }
  })

  test('is not shown by a state from before the call, though it was not withdrawn then', async () => {
    const { wrapper, grantSigner } = await authorized({ callMs: 1_000 * timeOfBlock(7) })
    await expect(offline(wrapper, { grantSigner })).rejects.toThrow(
      expect.objectContaining({ name: 'OperationError', code: 'NOT_FINAL' }),
    )
  })

  test('under a version that was replaced before it is refused, or not shown where that is hidden', async () => {
    const { bundle, wrap, wrapper, all, sets, grantSigner } = await authorized({ sets: [1, 2] })
    await expect(offline(wrapper, { grantSigner })).rejects.toThrow(unknown('NOT_IN_EVIDENCE', 'version 2'))
    const transactions = [...JSON.stringify(wrapper.bundle).matchAll(/"transactionHash":"(0x\w+)"/g)].map(
      ([, hash]) => hash as Hex,
    )
    const whole = wrap(bundle, { ...all, transactions: [...transactions, ...sets] })
    await expect(offline(whole, { grantSigner })).rejects.toThrow(refused('registry', 'NOT_IN_FORCE'))
  })

  test('under a grant that was given after it is refused', async () => {
    const { wrapper, grantSigner } = await authorized({
      consent: 'given',
      callMs: 1_000 * timeOfBlock(2) - 1,
      grant: { notBefore: 0n },
    })
    await expect(offline(wrapper, { grantSigner })).rejects.toThrow(refused('signature', 'NOT_IN_FORCE'))
  })

  test('is not shown by the slot of an older block than the highest', async () => {
    const { bundle, wrap, all, grantSigner } = await authorized({
      revokedAt: timeOfBlock(6),
      claim: { revokedAt: 0, block: 5 },
      callMs: 1_000 * timeOfBlock(5),
    })
    const older = wrap(bundle, { ...all, state: 5, blocks: [5, 6] })
    await expect(offline(older, { grantSigner })).rejects.toThrow(unknown('NOT_IN_EVIDENCE', 'block 6'))
  })

  test('needs somebody to read the signature', async () => {
    const { wrapper } = await authorized()
    await expect(offline(wrapper)).rejects.toThrow(
      expect.objectContaining({ name: 'InputError', code: 'BAD_ARGUMENT' }),
    )
  })

  test('is shown by a chain and by its evidence alike', async () => {
    const { wrapper, renamed, chain, rights } = await authorized()
    const data = renamed(chain)
    const means = { chain: factsOf(data), rights: rightsOf(renamed(rights), data) }
    expect(await verifyAny(wrapper, means)).toMatchObject({
      kind: 'proof',
      verified: { authorization: { revokedAt: 0n } },
    })
  })
})

describe('evidence', () => {
  test('is read and written again as it was', () => {
    expect(JSON.stringify(toJsonOffline(parseOffline(wrapper())))).toBe(JSON.stringify(wrapper()))
  })

  test('holds proofs that @ethereumjs/mpt verifies, of values whose hash is the transaction', async () => {
    const [anchor] = good.evidence.blocks
    const fields = decodeRlp(anchor?.header ?? '') as Hex[]
    const { index, transactionProof, receiptProof } = transactionOf(good)
    const key = fromHex(encodeRlp(index === 0 ? '0x' : `0x0${index}`))
    const prove = (root: Hex | undefined, proof: Hex[]) =>
      verifyMerkleProof(
        key,
        proof.map((node) => fromHex(node)),
        { root: fromHex(root ?? '') },
      )
    const raw = await prove(fields[4], transactionProof)
    expect(keccak256(raw ?? '')).toBe(Object(good.bundle).anchor.transactionHash)
    expect(await prove(fields[5], receiptProof)).not.toBeNull()
  })

  test('counts for nothing until its blocks are trusted, and says which are not', async () => {
    const [first = '0x', ...others] = hashesOf(good)
    await expect(verifyAny(wrapper(), {})).rejects.toThrow(unknown('BLOCK_NOT_TRUSTED', first))
    await expect(verifyAny(wrapper(), { trustedBlocks: others })).rejects.toThrow(
      unknown('BLOCK_NOT_TRUSTED', 'block 2, 0x.*--trusted-block'),
    )
    const strange: Hex = `0x${'77'.repeat(32)}`
    expect(await verifyAny(wrapper(), { trustedBlocks: [strange, ...hashesOf(good)] })).toMatchObject({
      offline: { trustedBlocks: [{ number: 2n, hash: first, timestamp: 1_790_000_024n }] },
    })
  })

  test('is needed where there is no chain', async () => {
    await expect(verifyAny(world.prove(2, 3), { trustedBlocks: hashesOf(good) })).rejects.toThrow(
      unknown('NOT_IN_EVIDENCE', 'with a node'),
    )
  })

  test('wraps no other evidence', async () => {
    await expect(
      verifyAny({ ...wrapper(), bundle: wrapper() }, { trustedBlocks: hashesOf(good) }),
    ).rejects.toThrow(expect.objectContaining({ name: 'InputError', code: 'BAD_BUNDLE' }))
  })

  test.each<[string, (changed: JsonOffline) => unknown, string, string]>([
    [
      'a node of a transaction',
      (all) => flip(transactionOf(all).transactionProof),
      'evidence',
      'BAD_EVIDENCE',
    ],
    ['a node of a receipt', (all) => flip(transactionOf(all).receiptProof), 'evidence', 'BAD_EVIDENCE'],
    ['a node of an account', (all) => flip(accountOf(all).accountProof), 'evidence', 'BAD_EVIDENCE'],
    ['a node of a slot', (all) => flip(accountOf(all).storage[0]?.proof), 'evidence', 'BAD_EVIDENCE'],
    [
      'the receipt in place of the transaction, and the reverse',
      (all) => {
        const shown = transactionOf(all)
        const { transactionProof, receiptProof } = shown
        Object.assign(shown, { transactionProof: receiptProof, receiptProof: transactionProof })
      },
      'evidence',
      'BAD_EVIDENCE',
    ],
    [
      'the slots of one contract under the name of another',
      (all) => {
        accountOf(all).address = AUTHORIZATIONS
      },
      'evidence',
      'BAD_EVIDENCE',
    ],
    ['a node less', (all) => transactionOf(all).receiptProof.pop(), 'evidence', 'BAD_EVIDENCE'],
    ['a node more', (all) => transactionOf(all).receiptProof.push('0xc0'), 'evidence', 'BAD_EVIDENCE'],
    [
      'another slot',
      (all) => Object.assign(accountOf(all).storage[0] ?? {}, { slot: `0x${'00'.repeat(32)}` }),
      'evidence',
      'BAD_EVIDENCE',
    ],
    [
      'another position',
      (all) => {
        transactionOf(all).index = 1
      },
      'evidence',
      'BAD_EVIDENCE',
    ],
    [
      'logs before the first transaction',
      (all) => {
        transactionOf(all).firstLogIndex = 1
      },
      'evidence',
      'BAD_EVIDENCE',
    ],
    [
      'a consistency path less',
      (all) => {
        all.evidence.consistency?.pop()
      },
      'evidence',
      'BAD_EVIDENCE',
    ],
    [
      'a consistency path with another hash',
      (all) => flip(all.evidence.consistency),
      'evidence',
      'BAD_EVIDENCE',
    ],
    [
      'the blocks turned round',
      (all) => all.evidence.blocks.push(blockOf(all, 0)),
      'evidence',
      'BAD_EVIDENCE',
    ],
    [
      'a header that is none',
      (all) => {
        blockOf(all, 0).header = '0xc0'
      },
      'evidence',
      'BAD_EVIDENCE',
    ],
    ['slots out of order', (all) => accountOf(all).storage.reverse(), 'read', 'MALFORMED_BUNDLE'],
    ['a member more', (all) => Object.assign(all.evidence, { extra: 1 }), 'read', 'MALFORMED_BUNDLE'],
    [
      'an empty node',
      (all) => {
        transactionOf(all).receiptProof[0] = '0x'
      },
      'read',
      'MALFORMED_BUNDLE',
    ],
    [
      'a position beyond uint32',
      (all) => {
        transactionOf(all).index = 2 ** 32
      },
      'read',
      'MALFORMED_BUNDLE',
    ],
    [
      'too many blocks',
      (all) => {
        all.evidence.blocks = Array(65).fill(blockOf(all, 0))
      },
      'read',
      'MALFORMED_BUNDLE',
    ],
  ])('is refused with %s', async (_, change, step, code) => {
    const grown = worldOf([[[1], [1]], [[1]], [[1]]])
    const all = mint(grown.data).wrap(grown.prove(0, 0))
    change(all)
    await expect(offline(all)).rejects.toThrow(refused(step, code))
  })

  test('is never accepted with a character of the wrapper changed, with a chain or without', async () => {
    const places = leavesOf(good)
    const grown = hashesOf(good)
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...places),
        fc.nat(),
        fc.constantFrom(...'0123456789abcdef'),
        async (path, where, by) => {
          const changed = wrapper()
          const parent = path
            .slice(0, -1)
            .reduce(
              (at: Record<string | number, unknown>, name) => at[name] as Record<string | number, unknown>,
              changed as never,
            )
          const name = path.at(-1) ?? ''
          const text = String(parent[name])
          const at = where % text.length
          const other = `${text.slice(0, at)}${by}${text.slice(at + 1)}`
          fc.pre(other !== text)
          parent[name] = typeof parent[name] === 'number' ? Number(other) : other
          fc.pre(JSON.stringify(changed) !== JSON.stringify(good))
          const ended = /^(?:Input|Verification|Operation)Error$/
          for (const means of [{ trustedBlocks: grown }, { chain: online }]) {
            await expect(verifyAny(changed, means)).rejects.toThrow(
              expect.objectContaining({ name: expect.stringMatching(ended) }),
            )
          }
        },
      ),
      runs(400),
    )
  })
})

describe('with a chain at hand', () => {
  test('a bundle with good evidence is verified, as it is without', async () => {
    expect(await verifyAny(wrapper(), { chain: online })).toEqual(
      await verifyAny(good.bundle, { chain: online }),
    )
  })

  test('evidence of another chain is refused, of a block that is not final not yet believed', async () => {
    const bundle = world.prove(2, 3)
    const elsewhere = mint(world.data, undefined, { after: 1 }).wrap(bundle)
    const foreign = { ...wrapper(), evidence: elsewhere.evidence }
    await expect(verifyAny(foreign, { chain: online })).rejects.toThrow(refused('evidence', 'NOT_CANONICAL'))
    const later = minted.wrap(bundle, { state: 3 })
    await expect(verifyAny(later, { chain: online })).rejects.toThrow(
      expect.objectContaining({ code: 'NOT_FINAL' }),
    )
    const short: ChainData = minted.renamed(world.data)
    short.blocks.splice(1, 1)
    await expect(verifyAny(minted.wrap(bundle, { blocks: [1] }), { chain: factsOf(short) })).rejects.toThrow(
      expect.objectContaining({ code: 'RPC_REFUSED' }),
    )
  })

  test('evidence that shows another place than the chain is refused, though its bundle is good', async () => {
    const grown = worldOf([[[1]], [[1], [1]], [[1]]])
    const { wrap, renamed } = mint(grown.data)
    const all = wrap(grown.prove(2, 0))
    transactionOf(all).firstLogIndex += 1
    await expect(verifyAny(all, { chain: factsOf(renamed(grown.data)) })).rejects.toThrow(
      refused('evidence', 'BAD_EVIDENCE'),
    )
    await expect(offline(all)).rejects.toThrow(refused('anchor', 'HEADER_MISMATCH'))
  })

  test('a bundle that the chain refutes is refuted, whatever its evidence', async () => {
    const { data } = worldOf([[[2]]])
    await expect(verifyAny(wrapper(), { chain: factsOf(data) })).rejects.toThrow(/not final|reached/)
  })
})

const accountOf = (wrapper: JsonOffline) => {
  const [account] = blockOf(wrapper, -1).accounts
  if (account === undefined) throw new RangeError('no account is shown')
  return account
}

/** Flips a bit in the middle of the last of them. */
function flip(list: Hex[] | undefined): void {
  const bytes = fromHex(list?.at(-1) ?? '0x')
  const middle = bytes.length >> 1
  bytes[middle] = (bytes[middle] ?? 0) ^ 1
  list?.splice(-1, 1, toHex(bytes))
}

type Path = (string | number)[]
function leavesOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  return Object.entries(value).flatMap(([name, member]) => leavesOf(member, [...path, name]))
}
