import { grantSigner, recoverReceiptSigner } from '../../src/chain/signing.ts'
import { parseBundle, type Receipt, VerificationError, verifyAny, verifyReceipt } from '../../src/index.ts'
import type { BadCase } from '../vectors/bad.ts'
import { rightsOf } from './authorized-world.ts'
import { factsOf } from './chain.ts'

type Asked = Omit<BadCase, 'name' | 'error' | 'step' | 'code'>

/** Verifies the text of a bundle with what the library has for its kind. */
export async function verifyText({
  kind,
  bundle: text,
  chain,
  rights,
  trust,
  ...asked
}: Asked): Promise<unknown> {
  const bundle = parseBundle(text)
  const facts = chain && factsOf(chain)
  if (kind !== 'tidemark-receipt' || facts === undefined) {
    return verifyAny(bundle, {
      ...(facts !== undefined && { chain: facts }),
      ...(chain !== undefined && rights !== undefined && { rights: rightsOf(rights, chain) }),
      ...(asked.trustedBlocks !== undefined && { trustedBlocks: asked.trustedBlocks }),
      trust,
      grantSigner,
    })
  }
  const { publishers = [], submission, nowMs = 0 } = asked
  const witnesses = {
    signerOf,
    isPublisher: async (_: unknown, publisher: string) => publishers.some((known) => known === publisher),
    fetchSubmission: async () => submission,
    now: () => nowMs,
  }
  return verifyReceipt(bundle, facts, witnesses, trust)
}

const signerOf = (receipt: Receipt) =>
  recoverReceiptSigner(
    receipt,
    {
      ...receipt,
      size: BigInt(receipt.size),
      receivedAt: BigInt(receipt.receivedAt),
      anchorBy: BigInt(receipt.anchorBy),
    },
    receipt.signature,
  )

/** The family, step and code of a refusal. */
export async function refusalOf(asked: Asked): Promise<{ error: string; step?: string; code?: string }> {
  try {
    await verifyText(asked)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const { name, code } = error as Error & { code?: string }
    const step = error instanceof VerificationError ? error.step : undefined
    return { error: name, ...(step !== undefined && { step }), ...(code !== undefined && { code }) }
  }
  return { error: 'none: it is accepted' }
}
