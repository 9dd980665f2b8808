import { encodeRlp, keccak256 } from 'ethers'
import { describe, expect, test } from 'vitest'
import { fromHex, type Hex, toHex } from '../../src/bytes/hex.ts'
import { buildTrie, listKey, listTrie } from '../../src/merkle/index.ts'
import type { BlockEvidence } from '../../src/proof/index.ts'
import { evidenceFacts } from '../../src/verify/index.ts'

type Item = Hex | Item[]
const rlp = (item: Item): Uint8Array => fromHex(encodeRlp(item))
const typed = (type: number, item: Item) => Uint8Array.of(type, ...rlp(item))
const keccak = (data: Hex) => fromHex(keccak256(data))

const WORD: Hex = `0x${'11'.repeat(32)}`
const CONTRACT: Hex = `0x${'c0'.repeat(20)}`
const LOG: Item = [CONTRACT, [WORD], '0x1234']

const legacy = (v: Hex): Item => ['0x', '0x07', '0x5208', CONTRACT, '0x', '0x', v, WORD, WORD]
const receipt = (...logs: Item[]): Item => ['0x01', '0x5208', '0x00', logs]

interface Shape {
  transactions?: Uint8Array[]
  receipts?: Uint8Array[]
  /** positions that are shown, and logs before each; the first if left out */
  shown?: [index: number, firstLogIndex: number][]
  /** of `CONTRACT` */
  account?: Item
  header?: (members: Hex[]) => Item
}

/** A block of whatever a test puts into it. */
function blockOf({
  transactions = [rlp(legacy('0x26'))],
  receipts = [rlp(receipt(LOG))],
  shown = [[0, 0]],
  account,
  header = (members) => members,
}: Shape): BlockEvidence {
  const tries = [listTrie(transactions), listTrie(receipts)] as const
  const state = buildTrie([
    [keccak(WORD), rlp('0x01')],
    ...(account === undefined ? [] : ([[keccak(CONTRACT), rlp(account)]] as const)),
  ])
  const roots = [state, ...tries].map(({ root }) => toHex(root))
  const members: Hex[] = [WORD, WORD, CONTRACT, ...roots, '0x', '0x', '0x05', '0x', '0x', '0x68000000', '0x']
  return {
    header: rlp(header(members)),
    transactions: shown.map(([index, firstLogIndex]) => ({
      index,
      transactionProof: tries[0].prove(listKey(index)),
      receiptProof: tries[1].prove(listKey(index)),
      firstLogIndex,
    })),
    accounts: [
      {
        address: CONTRACT,
        accountProof: state.prove(keccak(CONTRACT)),
        storage: [{ slot: WORD, proof: [] }],
      },
    ],
  }
}

function factsOf(shape: Shape) {
  const block = blockOf(shape)
  const trustedBlocks = [keccak256(block.header) as Hex]
  return evidenceFacts({ blocks: [block] }, { trustedBlocks, grantSigner: () => undefined })
}

const badEvidence = expect.objectContaining({
  name: 'VerificationError',
  code: 'BAD_EVIDENCE',
  step: 'evidence',
})
const notShown = expect.objectContaining({ name: 'OperationError', code: 'NOT_IN_EVIDENCE' })

describe('a transaction', () => {
  const receiptIn = (shape: Shape, raw: Uint8Array) => factsOf(shape).chain.receipt(keccak256(raw) as Hex)

  test('is found by its hash, with what its receipt says', async () => {
    const raw = rlp(legacy('0x26'))
    expect(await receiptIn({}, raw)).toEqual({
      blockNumber: 5n,
      blockHash: keccak256(blockOf({}).header),
      succeeded: true,
      logs: [{ address: CONTRACT, topics: [WORD], data: '0x1234', logIndex: 0 }],
    })
  })

  test('that failed is shown to have failed', async () => {
    const raw = rlp(legacy('0x26'))
    const failed = rlp(['0x', '0x5208', '0x00', []])
    expect(await receiptIn({ receipts: [failed] }, raw)).toMatchObject({ succeeded: false, logs: [] })
  })

  test('of a type that only some chains have is read, whatever follows in its receipt', async () => {
    const raw = typed(0x7e, [WORD, CONTRACT])
    const outcome = typed(0x7e, ['0x01', '0x5208', '0x00', [LOG], '0x07', '0x01'])
    const shape = { transactions: [raw], receipts: [outcome] }
    expect(await receiptIn(shape, raw)).toMatchObject({ succeeded: true, logs: [{ address: CONTRACT }] })
    await expect(factsOf(shape).chain.chainId()).rejects.toThrow(notShown)
  })

  test.each<[string, Uint8Array[], bigint]>([
    ['a legacy one, by its v', [rlp(legacy('0x26'))], 1n],
    ['a legacy one of a chain of 32 bits', [rlp(legacy('0x0134e0a5'))], 10_121_281n],
    ['one of type 2', [typed(2, ['0x7a69'])], 31_337n],
    ['the one of two that names it', [rlp(legacy('0x1b')), typed(1, ['0x0a'])], 10n],
  ])('names the chain: %s', async (_, transactions, chainId) => {
    const receipts = transactions.map(([first = 0]) =>
      first < 0x80 ? typed(first, receipt()) : rlp(receipt()),
    )
    const shown = transactions.map((_, i): [number, number] => [i, 0])
    expect(await factsOf({ transactions, receipts, shown }).chain.chainId()).toBe(chainId)
  })

  test('of before EIP-155 names no chain', async () => {
    await expect(factsOf({ transactions: [rlp(legacy('0x1c'))] }).chain.chainId()).rejects.toThrow(notShown)
  })

  test.each<[string, Shape]>([
    [
      'is of another chain than another',
      {
        transactions: [typed(1, ['0x0a']), typed(2, ['0x0b'])],
        receipts: [typed(1, receipt()), typed(2, receipt())],
        shown: [
          [0, 0],
          [1, 0],
        ],
      },
    ],
    ['is of another type than its receipt', { receipts: [typed(2, receipt())] }],
    ['has a root for its status, as before Byzantium', { receipts: [rlp([WORD, '0x5208', '0x00', []])] }],
    ['has a status of 2', { receipts: [rlp(['0x02', '0x5208', '0x00', []])] }],
    ['has no logs at all', { receipts: [rlp(['0x01', '0x5208', '0x00'])] }],
    ['has a log of an address of 19 bytes', { receipts: [rlp(receipt(['0x01', [], '0x']))] }],
    ['has a topic of 31 bytes', { receipts: [rlp(receipt([CONTRACT, [WORD.slice(0, -2) as Hex], '0x']))] }],
    ['has a list for the data of a log', { receipts: [rlp(receipt([CONTRACT, [], []]))] }],
    ['has bytes behind its list', { transactions: [Uint8Array.of(...rlp(legacy('0x26')), 0)] }],
    [
      'names its chain with a leading zero',
      { transactions: [typed(2, ['0x000a'])], receipts: [typed(2, receipt())] },
    ],
    ['is not in the block', { shown: [[1, 0]] }],
    ['is the first and has logs before it', { shown: [[0, 1]] }],
  ])('is refused where it %s', (_, shape) => {
    expect(() => factsOf(shape)).toThrow(badEvidence)
  })

  test('counts its logs from where those before it ended, as far as these are shown', async () => {
    const transactions = ['0x26', '0x25', '0x26'].map((v) => rlp(legacy(v as Hex)))
    const receipts = [rlp(receipt(LOG, LOG)), rlp(receipt(LOG)), rlp(receipt(LOG))]
    for (const good of [
      [
        [0, 0],
        [1, 2],
        [2, 3],
      ],
      [
        [0, 0],
        [2, 2],
      ],
      [
        [0, 0],
        [2, 9],
      ],
      [[1, 0]],
      [[2, 7]],
    ] as [number, number][][]) {
      expect(() => factsOf({ transactions, receipts, shown: good })).not.toThrow()
    }
    for (const bad of [
      [
        [0, 0],
        [1, 3],
      ],
      [
        [0, 0],
        [1, 1],
      ],
      [
        [0, 0],
        [2, 1],
      ],
      [
        [1, 4],
        [2, 4],
      ],
    ] as [number, number][][]) {
      expect(() => factsOf({ transactions, receipts, shown: bad })).toThrow(badEvidence)
    }
  })
})

describe('a header', () => {
  test('may have members that later forks add', async () => {
    const { chain, blocks } = factsOf({ header: (members) => [...members, WORD, ['0x01'], '0x', WORD] })
    expect(blocks).toMatchObject([{ number: 5n, timestamp: 0x68000000n }])
    expect(await chain.headBlock()).toBe(5n)
    expect(await chain.blockByHash(blocks[0]?.hash ?? '0x')).toMatchObject({ number: 5n })
  })

  const changed = (place: number, value: Item) => (members: Hex[]) =>
    members.map((member, i) => (i === place ? value : member))
  test.each<[string, Shape['header']]>([
    ['is bytes', () => WORD],
    ['ends before its time', (members) => members.slice(0, 11)],
    ['has a root of 31 bytes', changed(5, '0x11')],
    ['has a list for its state', changed(3, [])],
    ['has a number with a leading zero', changed(8, '0x0005')],
    ['has a time of 9 bytes', changed(11, `0x${'11'.repeat(9)}`)],
  ])('is refused where it %s', (_, header) => {
    expect(() => factsOf({ header: header ?? ((members) => members) })).toThrow(badEvidence)
  })
})

describe('an account', () => {
  const EMPTY_ROOT = toHex(buildTrie([]).root)
  const account = (codeHash: Hex): Item => ['0x01', '0x', EMPTY_ROOT, codeHash]
  const ask = (shape: Shape) => {
    const { rights, blocks } = factsOf(shape)
    return rights.revokedAt(CONTRACT, WORD, blocks[0]?.hash ?? '0x')
  }

  test('that is absent, or has no code, is no contract', async () => {
    for (const shape of [{}, { account: account(keccak256('0x') as Hex) }]) {
      await expect(ask(shape)).rejects.toThrow(
        expect.objectContaining({ code: 'CHAIN_FAILED', retryable: false }),
      )
    }
    await expect(ask({ account: account(WORD) })).rejects.toThrow(notShown)
  })

  test.each<[string, Item]>([
    ['is bytes', '0x01'],
    ['has three members', ['0x01', '0x', EMPTY_ROOT]],
    ['has a storage root of 31 bytes', ['0x01', '0x', '0x11', WORD]],
  ])('is refused where it %s', (_, item) => {
    expect(() => factsOf({ account: item })).toThrow(badEvidence)
  })
})
