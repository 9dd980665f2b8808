import { utf8 } from '../bytes/bytes.ts'
import { type Hex, isHex } from '../bytes/hex.ts'
import { readUint64 } from '../bytes/integer.ts'
import { VerificationError } from '../errors.ts'

/** One submission of a batch: whose, which, where in the batch. */
export interface Submission {
  source: string
  sequence: bigint
  /** position of its first record */
  first: number
  count: number
  /** the source's EIP-712 signature; null when the gateway alone vouches for it */
  signature: Hex | null
  /** milliseconds since 1970 */
  receivedAt: bigint
}

/** submissions.json: a list with uint64 as decimal strings. */
export const encodeSubmissions = (submissions: readonly Submission[]): Uint8Array =>
  utf8(
    `${JSON.stringify(
      submissions.map(({ source, sequence, first, count, signature, receivedAt }) => ({
        source,
        sequence: String(sequence),
        first,
        count,
        signature,
        receivedAt: String(receivedAt),
      })),
    )}\n`,
  )

/**
 * Reads submissions.json and checks that the submissions fill the batch, each after the other.
 *
 * @throws {VerificationError} `BATCH_MISMATCH`
 */
export function parseSubmissions(value: unknown, recordCount: number): Submission[] {
  if (!Array.isArray(value)) throw mismatch('submissions.json is not a list')
  let next = 0
  const submissions = value.map((entry: unknown): Submission => {
    const { source, sequence, first, count, signature, receivedAt } = Object(entry) as Record<string, unknown>
    if (typeof source !== 'string') throw mismatch('a submission has no source')
    if (first !== next || typeof count !== 'number' || !Number.isSafeInteger(count) || count < 1) {
      throw mismatch('the submissions do not follow each other')
    }
    if (signature !== null && !isHex(signature, 65)) throw mismatch('a signature is not hex of 65 bytes')
    next += count
    return {
      source,
      sequence: uint64(sequence, 'sequence'),
      first,
      count,
      signature,
      receivedAt: uint64(receivedAt, 'receivedAt'),
    }
  })
  if (next !== recordCount)
    throw mismatch(`the submissions hold ${next} records, the header says ${recordCount}`)
  return submissions
}

function uint64(value: unknown, name: string): bigint {
  const number = readUint64(value)
  if (number === undefined) throw mismatch(`the ${name} of a submission is not a decimal string of a uint64`)
  return number
}

const mismatch = (message: string) => new VerificationError('BATCH_MISMATCH', message)
