import type { Hex } from '../bytes/hex.ts'
import { InputError } from '../errors.ts'
import { parseBytes } from './answers.ts'
import { createLedger, type PublisherStatus } from './ledger.ts'
import { ledgerInterface } from './ledger-abi.ts'
import { type Sender, transact } from './transact.ts'

/** What a registrar may do to a publisher. */
export const PUBLISHER_CHANGES = ['add', 'suspend', 'reinstate'] as const
export type PublisherChange = (typeof PUBLISHER_CHANGES)[number]

const CHANGES: Record<PublisherChange, { call: string; from: PublisherStatus; to: PublisherStatus }> = {
  add: { call: 'addPublisher', from: 'none', to: 'active' },
  suspend: { call: 'suspendPublisher', from: 'active', to: 'suspended' },
  reinstate: { call: 'reinstatePublisher', from: 'suspended', to: 'active' },
}

const STATUS_WORDS: Record<PublisherStatus, string> = {
  none: 'is not registered: use add',
  active: 'is active',
  suspended: 'is suspended: use reinstate',
}

/**
 * Changes what a publisher may do, and waits until the change is in a block.
 *
 * @param sender a registrar of the ledger
 * @returns the block of the change; undefined when the publisher was so already, and nothing was sent
 * @throws {InputError} `BAD_ARGUMENT` when the publisher's status does not allow the change
 * @throws {OperationError} see `transact`
 */
export async function changePublisher(
  sender: Sender,
  ledger: Hex,
  change: PublisherChange,
  publisher: Hex,
): Promise<bigint | undefined> {
  const { call, from, to } = CHANGES[change]
  const { status } = await createLedger(sender.rpc, ledger).publisher(publisher)
  if (status === to) return undefined
  if (status !== from) {
    throw new InputError('BAD_ARGUMENT', `publisher ${publisher} ${STATUS_WORDS[status]}`)
  }
  const data = parseBytes(ledgerInterface.encodeFunctionData(call, [publisher]), 'calldata')
  const { receipt } = await transact(sender, { to: ledger, data })
  return receipt.blockNumber
}
