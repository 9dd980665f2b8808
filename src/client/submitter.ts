import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { concatBytes, utf8 } from '../bytes/bytes.ts'
import { toHex } from '../bytes/hex.ts'
import type { Signer } from '../chain/signer.ts'
import { type SignedSubmission, signSubmission } from '../chain/signing.ts'
import { OperationError, VerificationError } from '../errors.ts'
import { treeRoot } from '../merkle/index.ts'
import { type GatewayApi, GatewayAwayError, type GatewayIdentity, ProblemError } from './gateway-api.ts'
import type { Clock, Pauses } from './pauses.ts'
import { type JsonReceipt, verifyReceipt } from './receipt.ts'
import type { SealedLine } from './sealed-line.ts'

export type Compression = 'gzip' | 'zstd'

export interface SubmitterParts {
  api: GatewayApi
  source: string
  identify: () => Promise<GatewayIdentity>
  /** signs every submission, where there is one */
  key?: Signer | undefined
  compression?: Compression | undefined
  pauses: Pauses
  clock: Clock
  /**
   * `patient` tries again whatever happens, unless the gateway refuses the records themselves; `hasty` only what
   * passes by itself: a gateway that is away, a number that someone else took
   */
  manner: 'patient' | 'hasty'
  /** told of each failure that is tried again */
  onFailure?: (error: unknown) => void
}

export interface SubmitOptions {
  /** a number under which these lines may have been sent before */
  sequence?: bigint | undefined
  /** told of a number before anything is sent under it; what must outlive this process is durable when it resolves */
  onSequence?: (sequence: bigint) => Promise<void>
  signal?: AbortSignal
}

/** Hands over the submissions of one source, one after the other. */
export class Submitter {
  readonly #parts: SubmitterParts
  #compression: Compression | undefined
  #next: bigint | undefined
  #failingSince: number | undefined

  constructor(parts: SubmitterParts) {
    this.#parts = parts
    this.#compression = parts.compression
  }

  /**
   * Submits lines as one submission, and returns its verified receipt.
   *
   * A try whose outcome is unknown is repeated under the same number with the same bytes, which the gateway answers
   * with the same receipt. Only when the gateway says that the number is not ours (409) is another one taken: then
   * these lines are not in the ledger under it.
   *
   * @throws {ProblemError} when the gateway refuses the records
   * @throws {OperationError | VerificationError} the last failure, when it gives up
   */
  async submit(lines: readonly SealedLine[], options: SubmitOptions = {}): Promise<JsonReceipt> {
    const { clock, pauses, onFailure } = this.#parts
    const root = treeRoot(concatBytes(...lines.map(({ leafHash }) => leafHash)))
    const body = utf8(lines.map(({ text }) => `${text}\n`).join(''))
    let { sequence } = options
    for (let failures = 1; ; failures++) {
      try {
        if (sequence === undefined) {
          sequence = this.#next ?? (await this.#parts.api.nextSequence(this.#parts.source))
          await options.onSequence?.(sequence)
        }
        return await this.#try({ sequence, root, size: BigInt(lines.length) }, body)
      } catch (error) {
        if (options.signal?.aborted || !this.#passes(error)) throw error
        if (isWrongNumber(error)) {
          sequence = undefined
          this.#next = undefined
        }
        this.#failingSince ??= clock.now()
        const pauseMs = pauses(failures, clock.now() - this.#failingSince)
        if (pauseMs === undefined) throw error
        onFailure?.(error)
        const demandedMs = error instanceof GatewayAwayError ? error.retryAfterMs : 0
        await clock.delay(demandedMs + pauseMs, options.signal)
        if (options.signal?.aborted) throw error
      }
    }
  }

  async #try(unnamed: Omit<SignedSubmission, 'source'>, body: Uint8Array): Promise<JsonReceipt> {
    const { api, source, identify, key } = this.#parts
    const submission = { source, ...unnamed }
    const identity = await identify()
    const headers: Record<string, string> = {
      'content-type': 'application/x-ndjson',
      'tidemark-sequence': String(submission.sequence),
    }
    if (key !== undefined) {
      headers['tidemark-root'] = toHex(submission.root)
      headers['tidemark-signature'] = await signSubmission(key, identity, submission)
    }
    const answer = await this.#post(api, body, headers)
    const receipt = verifyReceipt(answer, submission, identity)
    this.#next = submission.sequence + 1n
    this.#failingSince = undefined
    return receipt
  }

  /** A gateway that does not take the compression (415) gets everything plain from then on. */
  async #post(api: GatewayApi, body: Uint8Array, headers: Record<string, string>) {
    if (this.#compression !== undefined) {
      const encoded = { ...headers, 'content-encoding': this.#compression }
      try {
        return await api.submit(compress(body, this.#compression), encoded)
      } catch (error) {
        if (!(error instanceof ProblemError && error.status === 415)) throw error
        this.#compression = undefined
      }
    }
    return api.submit(body, headers)
  }

  #passes(error: unknown): boolean {
    if (this.#parts.manner === 'patient') return !isRefusal(error)
    return isWrongNumber(error) || (error instanceof OperationError && error.retryable)
  }
}

/** Problems of the records themselves; any other lies with a key, a token, a limit on the way, and passes or is mended. */
const REFUSALS = [
  'BAD_JSON',
  'BAD_RECORD',
  'BAD_DISCLOSURE',
  'MIXED_SOURCES',
  'DUPLICATE_ID',
  'EMPTY_SUBMISSION',
  'TOO_LARGE',
]

/** Whether the gateway itself, and not something before it, says that it will never take these records. */
export const isRefusal = (error: unknown): error is ProblemError =>
  error instanceof ProblemError && REFUSALS.includes(String(error.problem.code))

const isWrongNumber = (error: unknown) => error instanceof ProblemError && error.status === 409

const compress = (body: Uint8Array, compression: Compression): Uint8Array =>
  compression === 'gzip'
    ? gzipSync(body)
    : zstdCompressSync(body, { params: { [constants.ZSTD_c_compressionLevel]: 3 } })

/** What a source expects of its gateway; what is left out is believed when the gateway first says it. */
export interface Pins {
  chainId?: bigint | undefined
  ledger?: string | undefined
  publisher?: string | undefined
}

/**
 * Asks a gateway once who it is, and holds it to that.
 *
 * @throws {VerificationError} `BAD_RECEIPT` when it is not the one that was pinned: its receipts would not do
 */
export function identifyOnce(api: GatewayApi, pins: Pins = {}): () => Promise<GatewayIdentity> {
  let known: GatewayIdentity | undefined
  return async () => {
    if (known !== undefined) return known
    const found = await api.identity()
    for (const name of ['chainId', 'ledger', 'publisher'] as const) {
      const pinned = pins[name]
      if (pinned === undefined || String(pinned).toLowerCase() === String(found[name])) continue
      throw new VerificationError('BAD_RECEIPT', `the gateway's ${name} is ${found[name]}, not ${pinned}`)
    }
    known ??= found
    return known
  }
}
