import type { CallAccount } from '../../src/rules/reconcile.ts'

/** What the consumer says of a call that succeeded. */
export const consumerSays = (change: Partial<CallAccount> = {}): CallAccount => ({
  source: 'urn:tax',
  id: 'c-1',
  side: 'consumer',
  requestId: 'r-1',
  timeMs: 1_767_600_000_000,
  consumer: 'tax',
  provider: 'registry',
  subject: 'registry/person',
  operation: 'get',
  stated: { outcome: 'success', responseBytes: 400 },
  ...change,
})

/** What the provider says of the same call. */
export const providerSays = (change: Partial<CallAccount> = {}): CallAccount =>
  consumerSays({ source: 'urn:registry', id: 'p-1', side: 'provider', ...change })
