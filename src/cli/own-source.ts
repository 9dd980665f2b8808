import type { LedgerIdentity } from '../chain/ledger.ts'
import type { Signer } from '../chain/signer.ts'
import { signSubmission } from '../chain/signing.ts'
import { readDraft } from '../gateway/draft.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { Sources } from '../store/sources.ts'

interface OwnSourceParts {
  gateway: Gateway
  sources: Sources
  identity: LedgerIdentity
  signer: Signer
  now: () => number
}

/**
 * Speaks for a source whose key is the publisher's; from here on nobody else does.
 *
 * @returns hands over records as a submission of the source, durable when it resolves
 */
export function speakFor(source: string, { gateway, sources, identity, signer, now }: OwnSourceParts) {
  const { publisher } = gateway
  if (!sources.isRegistered(source)) sources.addKey(source, publisher, now())
  return async (records: readonly unknown[], sequence: bigint): Promise<void> => {
    const draft = readDraft(
      records.map((value, i) => ({ line: i + 1, value })),
      records.length,
    )
    const size = BigInt(draft.size)
    const signature = await signSubmission(signer, identity, { source, sequence, root: draft.root, size })
    await gateway.accept(draft, sequence, { by: 'signed', signer: publisher, signature })
  }
}
