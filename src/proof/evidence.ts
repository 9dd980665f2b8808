import { fromHex, type Hex, toHex } from '../bytes/hex.ts'
import { expectFormat, hex, hexUpTo, list, malformed, members, uint32 } from './members.ts'

export const OFFLINE_FORMAT = 'tidemark-offline/1'
export const OFFLINE_MEDIA_TYPE = 'application/vnd.tidemark.offline+json'

/** A bundle of any other format, and what shows from the hashes of blocks alone all that it says of the chain. */
export interface Offline {
  /** parsed JSON, read by whoever knows its format */
  bundle: unknown
  evidence: Evidence
}

/** What shows what blocks hold to whoever trusts the hashes of these blocks. */
export interface Evidence {
  /** in the order of their numbers, each once */
  blocks: BlockEvidence[]
  /**
   * Where the ledger of `accounts` had more headers than the log of the bundle: the consistency path of RFC 9162,
   * section 2.1.4, from the log of the bundle to the log of the state that is shown.
   */
  consistency?: Uint8Array[]
}

export interface BlockEvidence {
  /** RLP of the block's header: its Keccak-256 is the block's hash */
  header: Uint8Array
  /** in the order of the block */
  transactions: TransactionEvidence[]
  /** of the state after the block, in the order of their addresses */
  accounts: AccountEvidence[]
}

/** A transaction and its receipt, each by a Merkle-Patricia proof, the node of the root first. */
export interface TransactionEvidence {
  /** position in the block */
  index: number
  transactionProof: Uint8Array[]
  receiptProof: Uint8Array[]
  /** logs of the block's transactions before this one: what the block's log indexes are counted from */
  firstLogIndex: number
}

/** An account and slots of its storage (EIP-1186), each by a Merkle-Patricia proof, the node of the root first. */
export interface AccountEvidence {
  /** 20 bytes */
  address: Hex
  accountProof: Uint8Array[]
  /** in the order of their slots; `slot` is 32 bytes, the value follows from the proof */
  storage: { slot: Hex; proof: Uint8Array[] }[]
}

/** As JSON: bytes as hex. */
export interface JsonOffline {
  format: typeof OFFLINE_FORMAT
  bundle: unknown
  evidence: JsonEvidence
}

export interface JsonEvidence {
  blocks: {
    header: Hex
    transactions: { index: number; transactionProof: Hex[]; receiptProof: Hex[]; firstLogIndex: number }[]
    accounts: { address: Hex; accountProof: Hex[]; storage: { slot: Hex; proof: Hex[] }[] }[]
  }[]
  consistency?: Hex[]
}

/** Far more than any evidence needs; each bounds a list, or the bytes of one element. */
const MOST = {
  blocks: 64,
  transactions: 256,
  accounts: 16,
  slots: 256,
  /** a key of 32 bytes has 64 digits, each of which leads one node down */
  nodes: 65,
  headerBytes: 1 << 16,
  /** a node may hold a whole transaction, or all logs of one */
  nodeBytes: 1 << 20,
  /** of a path, which may begin with a hash of the older log's own */
  hashes: 65,
}

export const toJsonOffline = ({ bundle, evidence }: Offline): JsonOffline => ({
  format: OFFLINE_FORMAT,
  bundle,
  evidence: {
    blocks: evidence.blocks.map(({ header, transactions, accounts }) => ({
      header: toHex(header),
      transactions: transactions.map(({ index, transactionProof, receiptProof, firstLogIndex }) => ({
        index,
        transactionProof: transactionProof.map(toHex),
        receiptProof: receiptProof.map(toHex),
        firstLogIndex,
      })),
      accounts: accounts.map(({ address, accountProof, storage }) => ({
        address,
        accountProof: accountProof.map(toHex),
        storage: storage.map(({ slot, proof }) => ({ slot, proof: proof.map(toHex) })),
      })),
    })),
    ...(evidence.consistency !== undefined && { consistency: evidence.consistency.map(toHex) }),
  },
})

/**
 * Reads a bundle with its evidence; exactly its members, each value in its one spelling. The bundle within is left to
 * whoever knows its format.
 *
 * @param value parsed JSON
 * @throws {InputError} `BAD_BUNDLE` when it is none of this format at all
 * @throws {VerificationError} `MALFORMED_BUNDLE`
 */
export function parseOffline(value: unknown): Offline {
  expectFormat(value, OFFLINE_FORMAT)
  const { bundle, evidence } = members(value, 'the wrapper', ['format', 'bundle', 'evidence'])
  const parts = members(evidence, 'evidence', ['blocks'], ['consistency'])
  const { consistency } = parts
  return {
    bundle,
    evidence: {
      blocks: listOf(parts.blocks, MOST.blocks, 'evidence.blocks', parseBlock),
      ...(consistency !== undefined && {
        consistency: listOf(consistency, MOST.hashes, 'evidence.consistency', (hash, at) =>
          fromHex(hex(hash, 32, at)),
        ),
      }),
    },
  }
}

function parseBlock(value: unknown, place: string): BlockEvidence {
  const block = members(value, place, ['header', 'transactions', 'accounts'])
  const transactions = `${place}/transactions`
  const accounts = `${place}/accounts`
  return {
    header: fromHex(hexUpTo(block.header, MOST.headerBytes, `${place}/header`)),
    transactions: inOrder(
      listOf(block.transactions, MOST.transactions, transactions, parseTransaction),
      ({ index }) => index,
      transactions,
    ),
    accounts: inOrder(
      listOf(block.accounts, MOST.accounts, accounts, parseAccount),
      ({ address }) => address,
      accounts,
    ),
  }
}

function parseTransaction(value: unknown, place: string): TransactionEvidence {
  const parts = members(value, place, ['index', 'transactionProof', 'receiptProof', 'firstLogIndex'])
  return {
    index: uint32(parts.index, `${place}/index`),
    transactionProof: parseNodes(parts.transactionProof, `${place}/transactionProof`),
    receiptProof: parseNodes(parts.receiptProof, `${place}/receiptProof`),
    firstLogIndex: uint32(parts.firstLogIndex, `${place}/firstLogIndex`),
  }
}

function parseAccount(value: unknown, place: string): AccountEvidence {
  const parts = members(value, place, ['address', 'accountProof', 'storage'])
  const storage = `${place}/storage`
  return {
    address: hex(parts.address, 20, `${place}/address`),
    accountProof: parseNodes(parts.accountProof, `${place}/accountProof`),
    storage: inOrder(listOf(parts.storage, MOST.slots, storage, parseSlot), ({ slot }) => slot, storage),
  }
}

function parseSlot(value: unknown, place: string): AccountEvidence['storage'][number] {
  const parts = members(value, place, ['slot', 'proof'])
  return { slot: hex(parts.slot, 32, `${place}/slot`), proof: parseNodes(parts.proof, `${place}/proof`) }
}

const parseNodes = (value: unknown, place: string): Uint8Array[] =>
  listOf(value, MOST.nodes, place, (node, at) => fromHex(hexUpTo(node, MOST.nodeBytes, at)))

function listOf<T>(
  value: unknown,
  most: number,
  place: string,
  parse: (value: unknown, place: string) => T,
): T[] {
  const elements = list(value, place)
  if (elements.length > most) throw malformed(`${place} has more than ${most} elements`)
  return elements.map((element, i) => parse(element, `${place}/${i}`))
}

/** Each once, so that nothing can be shown in two ways. */
function inOrder<T>(elements: T[], orderOf: (element: T) => number | string, place: string): T[] {
  const [, ...later] = elements
  if (later.every((element, i) => orderOf(elements[i] as T) < orderOf(element))) return elements
  throw malformed(`${place} must be in order, each once`)
}
