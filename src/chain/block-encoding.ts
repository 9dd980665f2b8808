import { concatBytes } from '../bytes/bytes.ts'
import { fromHex } from '../bytes/hex.ts'
import { encodeRlp, type Rlp, rlpNumber } from '../bytes/rlp.ts'
import { type Members, parseBytes, parseList, parseMembers, parseQuantity } from './answers.ts'

/** How a member of a node's answer stands in RLP. */
type Spelling = 'bytes' | 'quantity'

/** In the order of the header; a block of an early fork ends before the last ones (execution-specs, `Header`). */
const HEADER: readonly (readonly [name: string, spelling: Spelling])[] = [
  ['parentHash', 'bytes'],
  ['sha3Uncles', 'bytes'],
  ['miner', 'bytes'],
  ['stateRoot', 'bytes'],
  ['transactionsRoot', 'bytes'],
  ['receiptsRoot', 'bytes'],
  ['logsBloom', 'bytes'],
  ['difficulty', 'quantity'],
  ['number', 'quantity'],
  ['gasLimit', 'quantity'],
  ['gasUsed', 'quantity'],
  ['timestamp', 'quantity'],
  ['extraData', 'bytes'],
  ['mixHash', 'bytes'],
  ['nonce', 'bytes'],
  ['baseFeePerGas', 'quantity'],
  ['withdrawalsRoot', 'bytes'],
  ['blobGasUsed', 'quantity'],
  ['excessBlobGas', 'quantity'],
  ['parentBeaconBlockRoot', 'bytes'],
  ['requestsHash', 'bytes'],
]
/** What every header has. */
const HEADER_LEAST = 15

/** The header of a block as its hash commits to it, if this fork is known: hash it and compare. */
export function encodeBlockHeader(block: Members): Uint8Array {
  const fields = HEADER.filter(([name], i) => i < HEADER_LEAST || (block[name] ?? null) !== null)
  return encodeRlp(fields.map(([name, spelling]) => spell(block, name, spelling)))
}

const FEE_FIELDS = ['chainId', 'nonce', 'maxPriorityFeePerGas', 'maxFeePerGas'] as const

/** The members of each type before its signature, by EIP-2718 type: EIP-155, 2930, 1559, 4844 and 7702. */
const TRANSACTIONS: readonly (readonly string[])[] = [
  ['nonce', 'gasPrice', 'gas', 'to', 'value', 'input'],
  ['chainId', 'nonce', 'gasPrice', 'gas', 'to', 'value', 'input', 'accessList'],
  [...FEE_FIELDS, 'gas', 'to', 'value', 'input', 'accessList'],
  [...FEE_FIELDS, 'gas', 'to', 'value', 'input', 'accessList', 'maxFeePerBlobGas', 'blobVersionedHashes'],
  [...FEE_FIELDS, 'gas', 'to', 'value', 'input', 'accessList', 'authorizationList'],
]

/** A transaction as its hash commits to it; undefined when its type is not known. */
export function encodeTransaction(transaction: Members): Uint8Array | undefined {
  const type = typeOf(transaction)
  const names = TRANSACTIONS[type]
  if (names === undefined) return undefined
  const fields = names.map((name) => spellTransactionMember(transaction, name))
  const signature = ['v', 'r', 's'].map((name) => spell(transaction, name, 'quantity'))
  return typed(type, [...fields, ...signature])
}

/** A receipt as the block's root commits to it (EIP-2718, EIP-658; before that, with a state root). */
export function encodeReceipt(receipt: Members): Uint8Array {
  const isEarly = (receipt.status ?? null) === null
  const logs = parseList(receipt.logs, 'list of logs').map((value) => {
    const log = parseMembers(value, 'log')
    const topics = parseList(log.topics, 'list of topics').map((topic) =>
      fromHex(parseBytes(topic, 'topic', 32)),
    )
    return [spell(log, 'address', 'bytes'), topics, spell(log, 'data', 'bytes')]
  })
  return typed(typeOf(receipt), [
    isEarly ? spell(receipt, 'root', 'bytes') : spell(receipt, 'status', 'quantity'),
    spell(receipt, 'cumulativeGasUsed', 'quantity'),
    spell(receipt, 'logsBloom', 'bytes'),
    logs,
  ])
}

/** A node that knows no types but the first leaves it out. */
const typeOf = ({ type }: Members): number => Number(parseQuantity(type ?? '0x0', 'type'))

const typed = (type: number, fields: readonly Rlp[]): Uint8Array =>
  type === 0 ? encodeRlp(fields) : concatBytes(Uint8Array.of(type), encodeRlp(fields))

function spellTransactionMember(transaction: Members, name: string): Rlp {
  const value = transaction[name]
  switch (name) {
    case 'to':
      return value === null || value === undefined ? new Uint8Array() : spell(transaction, name, 'bytes')
    case 'input':
      return spell(transaction, name, 'bytes')
    case 'blobVersionedHashes':
      return parseList(value, name).map((hash) => fromHex(parseBytes(hash, 'blob hash', 32)))
    case 'accessList':
      return parseList(value, name).map((entry) => {
        const { address, storageKeys } = parseMembers(entry, 'entry of an access list')
        const keys = parseList(storageKeys, 'storage keys').map((key) =>
          fromHex(parseBytes(key, 'storage key', 32)),
        )
        return [fromHex(parseBytes(address, 'address', 20)), keys]
      })
    case 'authorizationList':
      return parseList(value, name).map((entry) => {
        const members = parseMembers(entry, 'authorization')
        return [
          spell(members, 'chainId', 'quantity'),
          spell(members, 'address', 'bytes'),
          ...['nonce', 'yParity', 'r', 's'].map((part) => spell(members, part, 'quantity')),
        ]
      })
    default:
      return spell(transaction, name, 'quantity')
  }
}

function spell(members: Members, name: string, spelling: Spelling): Uint8Array {
  if (spelling === 'bytes') return fromHex(parseBytes(members[name], name))
  return rlpNumber(parseQuantity(members[name], name))
}
