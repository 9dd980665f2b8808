import { keccak_256 } from '@noble/hashes/sha3.js'
import { equalBytes } from '../bytes/bytes.ts'
import { fromHex, type Hex, toHex } from '../bytes/hex.ts'
import { decodeRlp, isBytes, type Rlp } from '../bytes/rlp.ts'
import { VerificationError } from '../errors.ts'
import { EMPTY_TRIE_ROOT, listKey, verifyTrie } from '../merkle/index.ts'
import type { AccountEvidence, TransactionEvidence } from '../proof/index.ts'
import type { Block, ReceiptLog, TransactionReceipt } from './chain-facts.ts'

/** What a block's header says; forks add members behind these and move none. */
export interface BlockHeader extends Omit<Block, 'transactionHashes'> {
  stateRoot: Uint8Array
  transactionsRoot: Uint8Array
  receiptsRoot: Uint8Array
}

export interface ShownTransaction {
  hash: Hex
  /** absent where it was signed for any chain, or is of a kind that only some chain has */
  chainId?: bigint
  receipt: TransactionReceipt
}

export interface ShownAccount {
  hasCode: boolean
  /** by slot: 0 where nothing is stored */
  storage: ReadonlyMap<Hex, bigint>
}

const EMPTY_CODE_HASH = keccak_256(new Uint8Array())
const UINT64_BYTES = 8
const WORD_BYTES = 32

/** @throws {VerificationError} `BAD_EVIDENCE` */
export function readHeader(bytes: Uint8Array): BlockHeader {
  const members = listOf(decodeRlp(bytes), 'a header')
  const root = (place: number) => bytesOf(members[place], WORD_BYTES, 'a root of a header')
  return {
    hash: toHex(keccak_256(bytes)),
    stateRoot: root(3),
    transactionsRoot: root(4),
    receiptsRoot: root(5),
    number: numberOf(members[8], UINT64_BYTES, 'the number of a block'),
    timestamp: numberOf(members[11], UINT64_BYTES, 'the time of a block'),
  }
}

/**
 * A transaction of a block and what came of it.
 *
 * @throws {VerificationError} `BAD_EVIDENCE`
 */
export function readTransaction(
  { index, transactionProof, receiptProof, firstLogIndex }: TransactionEvidence,
  block: BlockHeader,
): ShownTransaction {
  const key = listKey(index)
  const transaction = verifyTrie(block.transactionsRoot, key, transactionProof)
  const receipt = verifyTrie(block.receiptsRoot, key, receiptProof)
  if (transaction === undefined || receipt === undefined) {
    throw bad(`block ${block.number} has no transaction ${index}`)
  }
  const { type, members } = readEnvelope(transaction)
  const outcome = readEnvelope(receipt)
  if (outcome.type !== type) throw bad('a receipt is of another type than its transaction')
  const chainId = chainIdOf(type, members)
  return {
    hash: toHex(keccak_256(transaction)),
    ...(chainId !== undefined && { chainId }),
    receipt: {
      blockNumber: block.number,
      blockHash: block.hash,
      succeeded: readStatus(outcome.members[0]),
      logs: listOf(outcome.members[3], 'the logs of a receipt').map((log, i) =>
        readLog(log, firstLogIndex + i),
      ),
    },
  }
}

const LEGACY = 0

/** What EIP-2718 wraps: a type, below 0x80, and a list; the legacy one is a list alone. */
function readEnvelope(bytes: Uint8Array): { type: number; members: readonly Rlp[] } {
  const [first = LEGACY] = bytes
  const isTyped = first < 0x80
  const members = listOf(decodeRlp(isTyped ? bytes.subarray(1) : bytes), 'a transaction or receipt')
  return { type: isTyped ? first : LEGACY, members }
}

/** EIP-155 for legacy transactions; types 1 to 4 (EIP-2930, 1559, 4844, 7702) begin with it. */
function chainIdOf(type: number, members: readonly Rlp[]): bigint | undefined {
  if (type > 4) return undefined
  if (type !== LEGACY) return numberOf(members[0], WORD_BYTES, 'the chain of a transaction')
  const v = numberOf(members[6], WORD_BYTES, 'the signature of a transaction')
  return v < 35n ? undefined : (v - 35n) / 2n
}

function readStatus(item: Rlp | undefined): boolean {
  const status = numberOf(item, 1, 'the status of a receipt')
  if (status > 1n) throw bad('the status of a receipt is neither 0 nor 1')
  return status === 1n
}

function readLog(item: Rlp, logIndex: number): ReceiptLog {
  const [address, topics, data] = listOf(item, 'a log')
  return {
    address: toHex(bytesOf(address, 20, 'the address of a log')),
    topics: listOf(topics, 'the topics of a log').map((topic) =>
      toHex(bytesOf(topic, WORD_BYTES, 'a topic')),
    ),
    data: toHex(bytesOf(data, undefined, 'the data of a log')),
    logIndex,
  }
}

/**
 * What an account and its storage were after a block (EIP-1186).
 *
 * @throws {VerificationError} `BAD_EVIDENCE`
 */
export function readAccount(
  { address, accountProof, storage }: AccountEvidence,
  { stateRoot }: Pick<BlockHeader, 'stateRoot'>,
): ShownAccount {
  const account = verifyTrie(stateRoot, keccak_256(fromHex(address)), accountProof)
  const members = account && listOf(decodeRlp(account), 'an account')
  const storageRoot = members && bytesOf(members[2], WORD_BYTES, 'the storage of an account')
  const codeHash = members && bytesOf(members[3], WORD_BYTES, 'the code of an account')
  return {
    hasCode: codeHash !== undefined && !equalBytes(codeHash, EMPTY_CODE_HASH),
    storage: new Map(
      storage.map(({ slot, proof }) => {
        const value = verifyTrie(storageRoot ?? EMPTY_TRIE_ROOT, keccak_256(fromHex(slot)), proof)
        return [slot, value === undefined ? 0n : numberOf(decodeRlp(value), WORD_BYTES, 'what a slot holds')]
      }),
    ),
  }
}

function listOf(item: Rlp | undefined, what: string): readonly Rlp[] {
  if (item === undefined || isBytes(item)) throw bad(`${what} is no list`)
  return item
}

function bytesOf(item: Rlp | undefined, size: number | undefined, what: string): Uint8Array {
  if (!isBytes(item) || (size !== undefined && item.length !== size)) throw bad(`${what} is not of its size`)
  return item
}

function numberOf(item: Rlp | undefined, mostBytes: number, what: string): bigint {
  if (!isBytes(item) || item.length > mostBytes || item[0] === 0)
    throw bad(`${what} is no number of its size`)
  return item.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)
}

const bad = (fault: string) => new VerificationError('BAD_EVIDENCE', fault)
