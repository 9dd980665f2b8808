import { isHex, toHex } from '../bytes/hex.ts'
import { readUint64 } from '../bytes/integer.ts'
import { recoverReceiptSigner, type SignedSubmission } from '../chain/signing.ts'
import { VerificationError } from '../errors.ts'
import { RECEIPT_FORMAT, type toJsonReceipt } from '../proof/index.ts'
import type { GatewayIdentity } from './gateway-api.ts'

/** A receipt as the gateway gives it, and as the source keeps it (docs/format.md, section 11.2). */
export type JsonReceipt = ReturnType<typeof toJsonReceipt>

/**
 * Checks that a receipt is for what was sent, and signed by the publisher that is expected.
 *
 * docs/format.md, section 11.2. Trusts `identity`.
 *
 * @param sent what was sent, computed by us
 * @throws {VerificationError} `BAD_RECEIPT`, or `BAD_SIGNATURE` when another key has signed, or none
 */
export function verifyReceipt(
  value: unknown,
  sent: SignedSubmission,
  identity: GatewayIdentity,
): JsonReceipt {
  const found = Object(value) as Record<string, unknown>
  const receivedAt = readUint64(found.receivedAt)
  const anchorBy = readUint64(found.anchorBy)
  const { signature } = found
  if (receivedAt === undefined || anchorBy === undefined || anchorBy < receivedAt)
    throw bad('promises no time')
  if (!isHex(signature, 65)) throw bad('carries no signature')
  const expected: JsonReceipt = {
    format: RECEIPT_FORMAT,
    source: sent.source,
    sequence: String(sent.sequence),
    root: toHex(sent.root),
    size: String(sent.size),
    receivedAt: String(receivedAt),
    anchorBy: String(anchorBy),
    chainId: String(identity.chainId),
    ledger: identity.ledger,
    publisher: identity.publisher,
    signature,
  }
  for (const [member, demanded] of Object.entries(expected)) {
    if (found[member] !== demanded)
      throw bad(`says ${member} ${JSON.stringify(found[member])}, not ${demanded}`)
  }
  if (recoverReceiptSigner(identity, { ...sent, receivedAt, anchorBy }, signature) !== identity.publisher) {
    throw new VerificationError(
      'BAD_SIGNATURE',
      `the receipt is not signed by ${identity.publisher}: someone stands between here and the gateway, or it has another key now`,
    )
  }
  return expected
}

const bad = (what: string) => new VerificationError('BAD_RECEIPT', `the receipt ${what}`)
