import { equalBytes } from '../bytes/bytes.ts'
import { fromHex, type Hex, isHex } from '../bytes/hex.ts'
import { recoverSubmissionSigner, type SigningDomain } from '../chain/signing.ts'
import { InputError, VerificationError } from '../errors.ts'
import type { AcceptedSubmission, Voucher } from '../store/sealed-batches.ts'
import type { Sources } from '../store/sources.ts'
import { type Draft, type Incoming, readDraft, rootOf } from './draft.ts'

/** Who may submit for a source that has neither a key nor a token: anybody, or nobody. */
export type SubmissionMode = 'open' | 'registered'

/** What a request brings besides its records, as it came. */
export interface Credentials {
  sequence: bigint | undefined
  root: string | undefined
  signature: string | undefined
  token: string | undefined
}

/** A submission that may be accepted. */
export interface Admitted {
  draft: Draft
  voucher: Voucher
  /** of the draft, where it was needed */
  root?: Uint8Array
}

interface AdmissionParts {
  sources: Sources
  domain: SigningDomain
  mode: SubmissionMode
  maxRecords: number
  /** what has been accepted under a number */
  lookup: (source: string, sequence: bigint) => AcceptedSubmission | undefined
}

/** Reads submissions, and decides who vouches for each: its source's signature, a token, or nobody. */
export class Admission {
  readonly #parts: AdmissionParts

  constructor(parts: AdmissionParts) {
    this.#parts = parts
  }

  /**
   * @throws {InputError} `NO_CREDENTIALS`, `UNKNOWN_SOURCE`, `BAD_TOKEN`, `WRONG_SOURCE`, `BAD_SIGNATURE`,
   *   `ROOT_MISMATCH` or `WRONG_KEY`, and what `readDraft` throws
   */
  admit(records: Iterable<Incoming>, credentials: Credentials): Admitted {
    const { root, signature, token } = credentials
    if (root !== undefined || signature !== undefined) return this.#admitSigned(records, credentials)
    return token === undefined ? this.#admitOpen(records) : this.#admitToken(records, token)
  }

  #admitOpen(records: Iterable<Incoming>): Admitted {
    const { sources, mode, maxRecords } = this.#parts
    const draft = readDraft(records, maxRecords)
    if (sources.isRegistered(draft.source)) {
      throw new InputError('NO_CREDENTIALS', `${draft.source} signs its submissions or sends a token`)
    }
    if (mode === 'registered') throw unknownSource(draft.source)
    return { draft, voucher: { by: 'open' } }
  }

  #admitToken(records: Iterable<Incoming>, secret: string): Admitted {
    const { sources, maxRecords } = this.#parts
    const token = sources.findToken(secret)
    if (token === undefined) throw new InputError('BAD_TOKEN', 'the token is not known here, or was revoked')
    const draft = readDraft(records, maxRecords)
    if (draft.source !== token.source) {
      throw new InputError(
        'WRONG_SOURCE',
        `the token is one of ${token.source}, the records are of ${draft.source}`,
      )
    }
    return { draft, voucher: { by: 'token' } }
  }

  /** Nothing is normalised or sealed here: what the source has signed is kept as it is, or refused. */
  #admitSigned(records: Iterable<Incoming>, credentials: Credentials): Admitted {
    const { sources, maxRecords } = this.#parts
    const { sequence } = credentials
    if (sequence === undefined) {
      throw new InputError('BAD_ARGUMENT', 'a signed submission says which one it is: Tidemark-Sequence')
    }
    const signature = expectHex(credentials.signature, 65, 'Tidemark-Signature')
    const claimed = fromHex(expectHex(credentials.root, 32, 'Tidemark-Root'))
    const draft = readDraft(records, maxRecords, 'sealed')
    const { source } = draft
    if (!sources.isRegistered(source)) throw unknownSource(source)
    const root = rootOf(draft)
    if (!equalBytes(root, claimed)) {
      throw new InputError('ROOT_MISMATCH', 'the records do not have the root that Tidemark-Root names')
    }
    const signer = this.#recover({ source, sequence, root, size: BigInt(draft.items.length) }, signature)
    if (!sources.hasKey(source, signer) && !this.#isRepeated(source, sequence, root, signer)) {
      throw new InputError('WRONG_KEY', `the signature is by ${signer}, which is not a key of ${source} now`)
    }
    return { draft, voucher: { by: 'signed', signer, signature }, root }
  }

  #recover(submission: Parameters<typeof recoverSubmissionSigner>[1], signature: Hex): Hex {
    try {
      return recoverSubmissionSigner(this.#parts.domain, submission, signature)
    } catch (cause) {
      if (!(cause instanceof VerificationError)) throw cause
      throw new InputError('BAD_SIGNATURE', `Tidemark-Signature: ${cause.message}`, {}, { cause })
    }
  }

  /** What was accepted under a key stays so: its source may ask for the receipt again after the key was revoked. */
  #isRepeated(source: string, sequence: bigint, root: Uint8Array, signer: Hex): boolean {
    const earlier = this.#parts.lookup(source, sequence)
    return (
      earlier?.voucher.by === 'signed' && earlier.voucher.signer === signer && equalBytes(earlier.root, root)
    )
  }
}

function expectHex(text: string | undefined, sizeBytes: number, header: string): Hex {
  if (isHex(text, sizeBytes)) return text
  throw new InputError('BAD_SIGNATURE', `${header} must be 0x and lowercase hex of ${sizeBytes} bytes`)
}

const unknownSource = (source: string) =>
  new InputError('UNKNOWN_SOURCE', `${source} is not registered here: tidemark source add`)
