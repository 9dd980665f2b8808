import { equalBytes } from '../bytes/bytes.ts'
import { fromHex, type Hex, isHex } from '../bytes/hex.ts'
import type { SigningDomain } from '../chain/signing.ts'
import { InputError } from '../errors.ts'
import type { AcceptedSubmission, Voucher } from '../store/sealed-batches.ts'
import type { Sources } from '../store/sources.ts'
import type { Draft } from './draft.ts'
import type { Intake } from './intake.ts'
import type { ReadJob, ReadResult } from './intake-worker.ts'

/** Who may submit for a source that has neither a key nor a token: anybody, or nobody. */
export type SubmissionMode = 'open' | 'registered'

/** What a request brings besides its records, as it came. */
export interface Credentials {
  sequence: bigint | undefined
  root: string | undefined
  signature: string | undefined
  token: string | undefined
}

/** The body of a request, expanded. */
export interface SubmissionBody {
  mediaType: string
  bytes: Uint8Array
}

/** A submission that may be accepted. */
export interface Admitted {
  draft: Draft
  voucher: Voucher
}

interface AdmissionParts {
  intake: Intake
  sources: Sources
  domain: SigningDomain
  mode: SubmissionMode
  maxRecords: number
  /** what has been accepted under a number */
  lookup: (source: string, sequence: bigint) => AcceptedSubmission | undefined
}

/** Has submissions read, and decides who vouches for each: its source's signature, a token, or nobody. */
export class Admission {
  readonly #parts: AdmissionParts

  constructor(parts: AdmissionParts) {
    this.#parts = parts
  }

  /**
   * @throws {InputError} `NO_CREDENTIALS`, `UNKNOWN_SOURCE`, `BAD_TOKEN`, `WRONG_SOURCE`, `BAD_SIGNATURE`,
   *   `ROOT_MISMATCH` or `WRONG_KEY`, and what `Intake.read` throws
   */
  admit(body: SubmissionBody, credentials: Credentials): Promise<Admitted> {
    const { root, signature, token } = credentials
    if (root !== undefined || signature !== undefined) return this.#admitSigned(body, credentials)
    return token === undefined ? this.#admitOpen(body) : this.#admitToken(body, token)
  }

  /**
   * Whether somebody may act for a source without a signature: with a token of it, or without one where anybody may.
   *
   * @throws {InputError} `NO_CREDENTIALS`, `UNKNOWN_SOURCE`, `BAD_TOKEN` or `WRONG_SOURCE`
   */
  expectVoucher(source: string, secret: string | undefined): void {
    if (secret === undefined) this.#expectOpen(source)
    else expectSource(this.#tokenSource(secret), source)
  }

  async #admitOpen(body: SubmissionBody): Promise<Admitted> {
    const { draft } = await this.#read(body)
    this.#expectOpen(draft.source)
    return { draft, voucher: { by: 'open' } }
  }

  async #admitToken(body: SubmissionBody, secret: string): Promise<Admitted> {
    const source = this.#tokenSource(secret)
    const { draft } = await this.#read(body)
    expectSource(source, draft.source)
    return { draft, voucher: { by: 'token' } }
  }

  #expectOpen(source: string): void {
    const { sources, mode } = this.#parts
    if (sources.isRegistered(source)) {
      throw new InputError('NO_CREDENTIALS', `${source} signs its submissions or sends a token`)
    }
    if (mode === 'registered') throw unknownSource(source)
  }

  #tokenSource(secret: string): string {
    const token = this.#parts.sources.findToken(secret)
    if (token === undefined) throw new InputError('BAD_TOKEN', 'the token is not known here, or was revoked')
    const { role } = token
    if (role.role === 'source') return role.source
    throw new InputError('WRONG_SOURCE', `the token is one of role ${role.role}, not of a source`)
  }

  /** Nothing is normalised or sealed here: what the source has signed is kept as it is, or refused. */
  async #admitSigned(body: SubmissionBody, credentials: Credentials): Promise<Admitted> {
    const { sources, domain } = this.#parts
    const { sequence } = credentials
    if (sequence === undefined) {
      throw new InputError('BAD_ARGUMENT', 'a signed submission says which one it is: Tidemark-Sequence')
    }
    const signature = expectHex(credentials.signature, 65, 'Tidemark-Signature')
    const claimed = fromHex(expectHex(credentials.root, 32, 'Tidemark-Root'))
    const { draft, signer } = await this.#read(body, { domain, sequence, signature })
    const { source, root } = draft
    if (!sources.isRegistered(source)) throw unknownSource(source)
    if (!equalBytes(root, claimed)) {
      throw new InputError('ROOT_MISMATCH', 'the records do not have the root that Tidemark-Root names')
    }
    if (signer === undefined) {
      throw new InputError('BAD_SIGNATURE', 'Tidemark-Signature: it is not a signature of EIP-712 by anybody')
    }
    if (!sources.hasKey(source, signer) && !this.#isRepeated(source, sequence, root, signer)) {
      throw new InputError('WRONG_KEY', `the signature is by ${signer}, which is not a key of ${source} now`)
    }
    return { draft, voucher: { by: 'signed', signer, signature } }
  }

  #read({ mediaType, bytes }: SubmissionBody, signed?: ReadJob['signed']): Promise<ReadResult> {
    const { intake, maxRecords } = this.#parts
    return intake.read({ mediaType, body: bytes, maxRecords, signed })
  }

  /** What was accepted under a key stays so: its source may ask for the receipt again after the key was revoked. */
  #isRepeated(source: string, sequence: bigint, root: Uint8Array, signer: Hex): boolean {
    const earlier = this.#parts.lookup(source, sequence)
    return (
      earlier?.voucher.by === 'signed' && earlier.voucher.signer === signer && equalBytes(earlier.root, root)
    )
  }
}

function expectSource(ofToken: string, source: string): void {
  if (source === ofToken) return
  throw new InputError('WRONG_SOURCE', `the token is one of ${ofToken}, not of ${source}`)
}

function expectHex(text: string | undefined, sizeBytes: number, header: string): Hex {
  if (isHex(text, sizeBytes)) return text
  throw new InputError('BAD_SIGNATURE', `${header} must be 0x and lowercase hex of ${sizeBytes} bytes`)
}

const unknownSource = (source: string) =>
  new InputError('UNKNOWN_SOURCE', `${source} is not registered here: tidemark source add`)
