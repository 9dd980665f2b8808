import { encodeRlp, keccak256, type Signature, Transaction, toBeHex, Wallet } from 'ethers'
import { decodeAppended, hashHeader } from '../../src/batch/index.ts'
import { fromHex, type Hex, toHex } from '../../src/bytes/hex.ts'
import {
  buildTrie,
  consistencyPath,
  GrowingLog,
  listKey,
  listTrie,
  type PatriciaTrie,
  peakHeights,
} from '../../src/merkle/index.ts'
import { type JsonEvidence, type JsonOffline, OFFLINE_FORMAT } from '../../src/proof/index.ts'
import { RESOURCE_SET_TOPIC } from '../../src/record/index.ts'
import type { ReceiptLog } from '../../src/verify/index.ts'
import { AUTHORIZATIONS, REGISTRY, type RightsData } from './authorized-world.ts'
import { type ChainData, LEDGER } from './chain.ts'

/** RLP is written by ethers here, and transactions are signed by it. */
const rlp = (item: Parameters<typeof encodeRlp>[0]): Uint8Array => fromHex(encodeRlp(item))
const number = (value: bigint | number): Hex => (BigInt(value) === 0n ? '0x' : (toBeHex(value) as Hex))
const keccak = (data: string): Uint8Array => fromHex(keccak256(data))
const word = (value: bigint | number): Hex => toBeHex(value, 32) as Hex
const joined = (...words: Hex[]): Hex => `0x${words.map((one) => one.slice(2)).join('')}`

const EMPTY_LIST_HASH: Hex = '0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347'
const ZEROS: Hex = `0x${'00'.repeat(32)}`
const BLOOM: Hex = `0x${'00'.repeat(256)}`
const STRANGERS: Hex[] = ['05', '1e', '1f', 'a1', 'fe'].map((byte): Hex => `0x${byte.repeat(19)}00`)

let signature: Signature | undefined

/** A transaction as its sender signs it; who that is nobody asks here, so that all share one signature. */
function rawTransaction(type: number, nonce: number, chainId: bigint): Uint8Array {
  const address = `0x${'1e'.repeat(20)}`
  const fees = type < 2 ? { gasPrice: 7n } : { maxFeePerGas: 9n, maxPriorityFeePerGas: 1n }
  const more =
    type === 3
      ? { maxFeePerBlobGas: 3n, blobVersionedHashes: [`0x01${'77'.repeat(31)}`] }
      : type === 4
        ? { authorizationList: [{ address, nonce: 0n, chainId, signature: sign() }] }
        : {}
  const members = { type, nonce, chainId, to: address, gasLimit: 90_000, data: '0x', ...fees, ...more }
  const transaction = Transaction.from({ ...members, data: joined(word(nonce), word(type)) })
  transaction.signature = sign()
  return fromHex(transaction.serialized)
}

function sign(): Signature {
  signature ??= new Wallet(`0x${'11'.repeat(32)}`).signingKey.sign(ZEROS)
  return signature
}

function rawReceipt(type: number, succeeded: boolean, gas: number, logs: readonly ReceiptLog[]): Uint8Array {
  const members = [
    number(succeeded ? 1 : 0),
    number(gas),
    BLOOM,
    logs.map(({ address, topics, data }) => [address, topics, data]),
  ]
  return type === 0 ? rlp(members) : Uint8Array.of(type, ...rlp(members))
}

export interface MintOptions {
  /** transactions without logs before the first of each block, and after its last */
  before?: number
  after?: number
  /** of the transactions in turn; all that there are if left out */
  types?: number[]
}

interface MintedBlock {
  hash: Hex
  header: Uint8Array
  transactions: PatriciaTrie
  receipts: PatriciaTrie
  state: PatriciaTrie
  /** of each contract */
  storage: Map<Hex, PatriciaTrie>
  hashes: Hex[]
  /** logs before each transaction */
  firstLogs: number[]
}

/**
 * Makes blocks as Ethereum's out of a chain's data, which knows only names of theirs.
 *
 * @returns `renamed`: the same data, or anything that speaks of it, with the hashes of these blocks and transactions
 */
export function mint(
  chain: ChainData,
  rights?: RightsData,
  { before = 0, after = 0, types = [0, 1, 2, 3, 4] }: MintOptions = {},
) {
  const names = new Map<Hex, Hex>()
  const blocks: MintedBlock[] = []
  const leaves: Uint8Array[] = []
  const log = new GrowingLog()
  const slots = new Map<Hex, Map<Hex, bigint>>(
    [LEDGER, AUTHORIZATIONS, REGISTRY].map((one) => [one, new Map()]),
  )
  slots.get(AUTHORIZATIONS)?.set(word(0), 1n)
  for (const held of chain.blocks) {
    const transactions: Uint8Array[] = []
    const receipts: Uint8Array[] = []
    const firstLogs: number[] = []
    let logCount = 0
    const add = (name: Hex | undefined, succeeded: boolean, logs: readonly ReceiptLog[]) => {
      const type = types[transactions.length % types.length] ?? 0
      const raw = rawTransaction(type, 1_000 * blocks.length + transactions.length, BigInt(chain.chainId))
      transactions.push(raw)
      receipts.push(rawReceipt(type, succeeded, 21_000 * transactions.length, logs))
      firstLogs.push(logCount)
      logCount += logs.length
      if (name !== undefined) names.set(name, keccak256(toHex(raw)) as Hex)
    }
    for (let i = 0; i < before; i++) add(undefined, i % 2 === 0, [])
    for (const name of held.transactionHashes) {
      const receipt = chain.receipts.find(({ transactionHash }) => transactionHash === name)
      if (receipt === undefined) throw new Error('every transaction has a receipt')
      add(name, receipt.succeeded, receipt.logs)
      for (const event of receipt.logs) store(event)
    }
    for (let i = 0; i < after; i++) add(undefined, i % 2 === 0, [{ ...STRANGE_LOG, logIndex: logCount }])
    commitLedger()
    for (const { authorizations, grant, revokedAt } of rights?.revocations ?? []) {
      if (BigInt(held.timestamp) < BigInt(revokedAt)) continue
      slots.get(authorizations)?.set(keccak256(joined(grant, word(2))) as Hex, BigInt(revokedAt))
    }
    const block = seal(held, transactions, receipts)
    names.set(held.hash, block.hash)
    blocks.push({ ...block, hashes: transactions.map((raw) => keccak256(toHex(raw)) as Hex), firstLogs })
  }

  function store({ address, topics, data }: ReceiptLog): void {
    if (address === LEDGER) {
      const appended = decodeAppended(topics, data)
      if (appended === undefined) return
      leaves.push(hashHeader(appended.header))
      log.append(hashHeader(appended.header))
    } else if (topics[0] === RESOURCE_SET_TOPIC && topics[1] !== undefined) {
      const slot = keccak256(joined(topics[1], keccak256(joined(word(2), word(1))) as Hex)) as Hex
      // Its version between the time of a trip, below, and its way of sharing and level.
      slots.get(address)?.set(slot, (BigInt(topics[2] ?? 0) << 64n) | (2n << 96n) | (3n << 104n) | 5n)
    }
  }

  /** As MerkleLog.sol: what was a peak of a smaller log stays where it is. */
  function commitLedger(): void {
    const ledger = slots.get(LEDGER)
    ledger?.set(word(4), BigInt(log.size))
    const peaks = log.peaks()
    for (const [i, height] of peakHeights(log.size).entries())
      ledger?.set(word(5 + height), BigInt(toHex(peaks[i] ?? new Uint8Array())))
  }

  function seal(held: ChainData['blocks'][number], transactions: Uint8Array[], receipts: Uint8Array[]) {
    const storage = new Map(
      [...slots].map(([address, stored]) => {
        const entries = [...stored].filter(([, value]) => value !== 0n)
        return [
          address,
          buildTrie(entries.map(([slot, value]) => [keccak(slot), rlp(number(value))])),
        ] as const
      }),
    )
    const accounts = [...storage].map(
      ([address, { root }]) =>
        [keccak(address), rlp([number(1), '0x', toHex(root), keccak256('0xfe')])] as const,
    )
    const others = STRANGERS.map(
      (address, i) =>
        [
          keccak(address),
          rlp([number(i), number(10n ** 18n), toHex(buildTrie([]).root), keccak256('0x')]),
        ] as const,
    )
    const state = buildTrie([...accounts, ...others])
    const tries = { transactions: listTrie(transactions), receipts: listTrie(receipts), state, storage }
    const header = rlp([
      blocks.at(-1)?.hash ?? ZEROS,
      EMPTY_LIST_HASH,
      `0x${'00'.repeat(20)}`,
      toHex(state.root),
      toHex(tries.transactions.root),
      toHex(tries.receipts.root),
      BLOOM,
      '0x',
      number(BigInt(held.number)),
      number(30_000_000),
      number(21_000 * transactions.length),
      number(BigInt(held.timestamp)),
      '0x',
      ZEROS,
      `0x${'00'.repeat(8)}`,
      number(7),
      toHex(buildTrie([]).root),
      '0x',
      '0x',
      ZEROS,
    ])
    return { hash: keccak256(toHex(header)) as Hex, header, ...tries }
  }

  const renamed = <T>(value: T): T => {
    const text = JSON.stringify(value, (_, member) =>
      typeof member === 'string' ? (names.get(member as Hex) ?? member) : member,
    )
    return JSON.parse(text) as T
  }

  interface Shown {
    /** names of the data's own; those that the bundle names if left out */
    transactions?: Hex[]
    /** whose header is shown, besides */
    blocks?: number[]
    /** of which state is shown; the final one if left out */
    state?: number
    /** slots of contracts; those of the ledger's log if left out */
    slots?: readonly (readonly [address: Hex, slots: readonly Hex[]])[]
    /** of the log of the bundle */
    size?: number
  }

  /** A bundle about the data, in the wrapper that shows all that it says of the chain. */
  const wrap = (bundle: object, shown: Shown = {}): JsonOffline => {
    const renamedBundle = renamed(bundle)
    const named = [...JSON.stringify(renamedBundle).matchAll(/"transactionHash":"(0x[0-9a-f]{64})"/g)].map(
      ([, hash]) => hash,
    )
    const state = shown.state ?? Number(chain.finalBlock)
    const shownSlots = shown.slots ?? [[LEDGER, ledgerSlots(state)] as const]
    const evidence: JsonEvidence = { blocks: [] }
    for (const [i, block] of blocks.entries()) {
      const transactions = block.hashes.flatMap((hash, index) => {
        if (!(shown.transactions ?? named).includes(hash)) return []
        const [transactionProof, receiptProof] = [block.transactions, block.receipts].map((trie) =>
          trie.prove(listKey(index)).map(toHex),
        )
        return [
          {
            index,
            transactionProof: transactionProof ?? [],
            receiptProof: receiptProof ?? [],
            firstLogIndex: block.firstLogs[index] ?? 0,
          },
        ]
      })
      const accounts =
        i !== state
          ? []
          : shownSlots.toSorted().map(([address, slots]) => ({
              address,
              accountProof: block.state.prove(keccak(address)).map(toHex),
              storage: slots.toSorted().map((slot) => ({
                slot,
                proof: block.storage.get(address)?.prove(keccak(slot)).map(toHex) ?? [],
              })),
            }))
      if (transactions.length === 0 && i !== state && !shown.blocks?.includes(i)) continue
      evidence.blocks.push({ header: toHex(block.header), transactions, accounts })
    }
    const grown = sizeAt(state)
    const size = shown.size ?? Number(Object(bundle).log?.size ?? Object(bundle).range?.size)
    if (size < grown) evidence.consistency = consistencyPath(leaves, size, grown).map(toHex)
    return { format: OFFLINE_FORMAT, bundle: renamedBundle, evidence }
  }

  /** Headers in the ledger after a block. */
  const sizeAt = (place: number): number => {
    const held = new Set(chain.blocks.slice(0, place + 1).map(({ hash }) => hash))
    return chain.receipts
      .filter(({ blockHash }) => held.has(blockHash))
      .flatMap(({ logs }) =>
        logs.filter(
          ({ address, topics, data }) => address === LEDGER && decodeAppended(topics, data) !== undefined,
        ),
      ).length
  }

  const ledgerSlots = (place: number): Hex[] => [
    word(4),
    ...peakHeights(sizeAt(place)).map((height) => word(5 + height)),
  ]

  return { blocks, leaves, renamed, wrap, ledgerSlots, sizeAt }
}

const STRANGE_LOG: ReceiptLog = { address: `0x${'57'.repeat(20)}`, topics: [ZEROS], data: '0x', logIndex: 0 }
