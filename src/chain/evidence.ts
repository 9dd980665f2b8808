import { fromHex, type Hex, toHex } from '../bytes/hex.ts'
import { OperationError, VerificationError } from '../errors.ts'
import { listKey, listTrie, type PatriciaTrie, withoutEmbedded } from '../merkle/index.ts'
import type { AccountEvidence, TransactionEvidence } from '../proof/index.ts'
import { readAccount, type ShownAccount } from '../verify/block-evidence.ts'
import { LEDGER_SIZE_SLOT, ledgerPeakSlots } from '../verify/index.ts'
import { malformed, parseBytes, parseList, parseMembers } from './answers.ts'
import { createLedger } from './ledger.ts'
import type { Rpc } from './rpc.ts'
import type { BlockHeader, WholeBlock } from './whole-block.ts'

/**
 * Where a block holds a transaction, and its receipt.
 *
 * @throws {OperationError} `RPC_MALFORMED` when the block does not hold it, or does not have the roots that it says: the
 *   node lies, or encodes receipts in a way that is not known here
 */
export function showTransaction(block: WholeBlock, transactionHash: Hex): TransactionEvidence {
  const index = block.transactions.findIndex(({ hash }) => hash === transactionHash)
  if (index < 0) throw malformed(`block ${block.hash}`, `one that holds transaction ${transactionHash}`)
  const transactions = listTrie(block.transactions.map(({ encoded }) => encoded))
  expectRoot(transactions, block.transactionsRoot, `transactions of block ${block.hash}`)
  const receipts = listTrie(block.receipts.map(({ encoded }) => encoded))
  expectRoot(receipts, block.receiptsRoot, `receipts of block ${block.hash}`)
  return {
    index,
    transactionProof: transactions.prove(listKey(index)),
    receiptProof: receipts.prove(listKey(index)),
    firstLogIndex: block.receipts.slice(0, index).reduce((sum, { logCount }) => sum + logCount, 0),
  }
}

function expectRoot({ root }: PatriciaTrie, expected: Hex, what: string): void {
  if (toHex(root) === expected) return
  throw malformed(what, 'those of its root, or of a kind that is not known here')
}

/**
 * Slots of an account in the state after a block (EIP-1186).
 *
 * @param slots 32 bytes each
 * @throws {OperationError} the node's refusal when it no longer has that state; `RPC_MALFORMED` when what it shows does
 *   not lead to the block's state root
 */
export async function fetchAccount(
  rpc: Rpc,
  block: BlockHeader,
  address: Hex,
  slots: readonly Hex[],
): Promise<AccountEvidence> {
  const answer = await rpc.call('eth_getProof', [address, slots, { blockHash: block.hash }])
  const members = parseMembers(answer, 'proof of an account')
  const proofs = parseList(members.storageProof, 'storage proofs').map((value) =>
    parseMembers(value, 'storage proof'),
  )
  if (proofs.length !== slots.length)
    throw malformed('list of storage proofs', 'as long as that of the slots')
  const evidence: AccountEvidence = {
    address,
    accountProof: parseNodes(members.accountProof),
    storage: slots
      .map((slot, i) => ({ slot, proof: parseNodes(proofs[i]?.proof) }))
      .sort((a, b) => (a.slot < b.slot ? -1 : 1)),
  }
  readProven(evidence, block)
  return evidence
}

/**
 * The ledger's size and the peaks of its log in the state after a block.
 *
 * @throws {OperationError} as `fetchAccount`; `RPC_MALFORMED` also when the node says another size than it shows
 */
export async function fetchLedgerAccount(
  rpc: Rpc,
  block: BlockHeader,
  ledger: Hex,
): Promise<{ account: AccountEvidence; size: bigint }> {
  const size = await createLedger(rpc, ledger).size({ blockHash: block.hash })
  const slots = [LEDGER_SIZE_SLOT, ...ledgerPeakSlots(size)]
  const account = await fetchAccount(rpc, block, ledger, slots)
  const shown = readProven(account, block).storage.get(LEDGER_SIZE_SLOT)
  if (shown !== size) throw malformed(`size of ledger ${ledger} in block ${block.hash}`, 'what it shows')
  return { account, size }
}

const parseNodes = (value: unknown): Uint8Array[] =>
  withoutEmbedded(parseList(value, 'proof').map((node) => fromHex(parseBytes(node, 'node of a proof'))))

function readProven(evidence: AccountEvidence, { hash, stateRoot }: BlockHeader): ShownAccount {
  try {
    const account = readAccount(evidence, { stateRoot: fromHex(stateRoot) })
    if (account.hasCode) return account
    throw new VerificationError('BAD_EVIDENCE', 'there is no such contract')
  } catch (cause) {
    if (!(cause instanceof VerificationError)) throw cause
    const message = `the node's proof of account ${evidence.address} is not of the state after block ${hash}: ${cause.message}`
    throw new OperationError('RPC_MALFORMED', message, { cause })
  }
}
