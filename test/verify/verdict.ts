import { recoverReceiptSigner } from '../../src/chain/signing.ts'
import {
  parseBundle,
  type Receipt,
  VerificationError,
  verifyHistory,
  verifyProof,
  verifyReceipt,
  verifySubmission,
} from '../../src/index.ts'
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
  const facts = factsOf(chain)
  switch (kind) {
    case 'tidemark-proof':
      return verifyProof(bundle, facts, trust, rights && rightsOf(rights, chain))
    case 'tidemark-submission':
      return verifySubmission(bundle, facts, trust)
    case 'tidemark-history':
      return verifyHistory(bundle, facts, trust)
    case 'tidemark-receipt': {
      const { publishers = [], submission, nowMs = 0 } = asked
      const witnesses = {
        signerOf,
        isPublisher: async (_: unknown, publisher: string) => publishers.some((known) => known === publisher),
        fetchSubmission: async () => submission,
        now: () => nowMs,
      }
      return verifyReceipt(bundle, facts, witnesses, trust)
    }
    default:
      throw new Error(`nothing verifies ${kind}`)
  }
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
