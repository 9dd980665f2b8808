import { type CallAccount, type Reconciled, reconcile } from '../rules/reconcile.ts'
import { Parts, type PartsOptions } from './parts.ts'

/**
 * `reconcile` for more accounts than fit into memory, in one reading.
 *
 * Accounts of one request fall into the same of 256 parts, and the parts are reconciled one after the other. Memory
 * holds `mostHeld` accounts, or one part and its results where that is more.
 *
 * @throws {OperationError} `STORE_FAILED` when the folder cannot be written or read
 */
export async function* reconcileAll(
  accounts: AsyncIterable<CallAccount> | Iterable<CallAccount>,
  options: PartsOptions,
): AsyncGenerator<Reconciled, void, undefined> {
  const parts = new Parts<CallAccount>(options)
  try {
    for await (const account of accounts) {
      const { requestId, source, id } = account
      parts.add(requestId === '' ? `${source}\0${id}` : requestId, account)
      await parts.relieve()
    }
    for await (const part of parts.all()) yield* reconcile(part)
  } finally {
    await parts.remove()
  }
}
