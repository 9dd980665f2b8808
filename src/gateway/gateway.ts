import { equalBytes } from '../bytes/bytes.ts'
import type { Hex } from '../bytes/hex.ts'
import type { Signer } from '../chain/signer.ts'
import { type SigningDomain, signReceipt } from '../chain/signing.ts'
import { InputError, OperationError } from '../errors.ts'
import type { Receipt } from '../proof/index.ts'
import type { AcceptedSubmission, SealedBatches, Voucher } from '../store/sealed-batches.ts'
import type { WriteAheadLog } from '../store/write-ahead-log.ts'
import type { Draft } from './draft.ts'
import type { Intake } from './intake.ts'
import { encodeLogHead } from './log-entry.ts'
import type { Sealer } from './sealer.ts'

export interface GatewayPolicy {
  /** a batch is sealed when it holds so many records, */
  sealRecords: number
  /** or when its first record has waited so long */
  sealAfterMs: number
  /** a receipt promises the chain within this time */
  promiseMs: number
  /** records that may wait for sealing before new ones are refused */
  maxWaitingRecords: number
}

/** A batch is sealed at this size too, since whoever seals or checks it holds it in memory. */
const SEAL_BYTES = 64 * 1024 * 1024
/** What waits for sealing is held in memory, so that a repeated submission can be compared. */
const MAX_WAITING_BYTES = 256 * 1024 * 1024

/** A submission between the log and its batch. */
export interface Waiting {
  submission: AcceptedSubmission
  /** its records (`EntryBody`): a repetition may have to be compared with them */
  body: Uint8Array
  /** of its entry in the log */
  bytes: number
  /** resolves when it is synced to disk */
  durable: Promise<void>
}

interface GatewayParts {
  policy: GatewayPolicy
  log: WriteAheadLog
  sealer: Sealer
  sealed: SealedBatches
  batchesPath: string
  intake: Intake
  signer: Signer
  domain: SigningDomain
  now: () => number
  /** what an earlier run left in the log */
  recovered: readonly Omit<Waiting, 'durable'>[]
  /** Throws an `OperationError` when nothing new may be taken now. */
  expectOpen?: () => void
}

/** What a gateway has accepted since its start; bytes as in the log. */
export interface Accepted {
  submissions: number
  records: number
  bytes: number
}

/** Takes submissions: each is durable and numbered when it is acknowledged, and goes into exactly one batch. */
export class Gateway {
  readonly #parts: GatewayParts
  readonly #waiting = new Map<string, Map<bigint, Waiting>>()
  /** the same, in the order in which they came */
  readonly #arrivals = new Set<Waiting>()
  readonly #accepted: Accepted = { submissions: 0, records: 0, bytes: 0 }
  #waitingRecords = 0
  #waitingBytes = 0
  /** of the log's open segment, and the timer that closes it */
  #openRecords = 0
  #openBytes = 0
  #timer: NodeJS.Timeout | undefined
  #stopping = false

  constructor(parts: GatewayParts) {
    this.#parts = parts
    for (const waiting of parts.recovered) this.#remember({ ...waiting, durable: Promise.resolve() })
    parts.sealer.onCatalogued((submissions) => this.#forget(submissions))
  }

  get publisher(): Hex {
    return this.#parts.signer.address.toLowerCase() as Hex
  }

  get waitingRecords(): number {
    return this.#waitingRecords
  }

  get waitingBytes(): number {
    return this.#waitingBytes
  }

  get accepted(): Readonly<Accepted> {
    return this.#accepted
  }

  /** By when the oldest submission that waits for its batch was promised to the chain. */
  get anchorBy(): number | undefined {
    const [oldest] = this.#arrivals
    return oldest?.submission.anchorBy
  }

  /**
   * Accepts a submission; it is synced to disk when the promise resolves.
   *
   * @param sequence which submission of its source the caller means it to be; when the ledger has that one already,
   *   the same content gets the same receipt again
   * @param voucher who says that the records are the source's; it has been checked
   * @throws {InputError} `SEQUENCE_CONFLICT` when that sequence holds other content, `SEQUENCE_GAP` when it is not
   *   the next
   * @throws {OperationError} `OVERLOADED`, `SHUTTING_DOWN`, `CHAIN_STALLED` or `STORE_FAILED`: nothing was accepted
   */
  async accept(draft: Draft, sequence?: bigint, voucher: Voucher = { by: 'open' }): Promise<Receipt> {
    if (this.#stopping)
      throw new OperationError('SHUTTING_DOWN', 'the gateway is shutting down; try again soon')
    const next = this.nextSequence(draft.source)
    if (sequence !== undefined && sequence < next) return this.#repeat(draft, sequence, voucher)
    if (sequence !== undefined && sequence > next) {
      throw new InputError(
        'SEQUENCE_GAP',
        `the next submission of ${draft.source} is number ${next}, not ${sequence}`,
      )
    }
    this.#parts.expectOpen?.()
    const receivedAt = this.#parts.now()
    const submission: AcceptedSubmission = {
      source: draft.source,
      sequence: next,
      root: draft.root,
      size: draft.size,
      receivedAt,
      anchorBy: receivedAt + this.#parts.policy.promiseMs,
      voucher,
    }
    const head = encodeLogHead(submission)
    const bytes = head.length + draft.body.length
    this.#expectRoom(submission.size, bytes)
    await this.#log(submission, head, draft.body)
    this.#accepted.submissions++
    this.#accepted.records += submission.size
    this.#accepted.bytes += bytes
    return this.#sign(submission)
  }

  /** The next submission of a source has this sequence. */
  nextSequence(source: string): bigint {
    let next = this.#parts.sealed.nextSubmission(source)
    for (const sequence of this.#waiting.get(source)?.keys() ?? []) if (sequence >= next) next = sequence + 1n
    return next
  }

  /** A submission that was taken, durable or about to be. */
  lookup(source: string, sequence: bigint): AcceptedSubmission | undefined {
    const waiting = this.#waiting.get(source)?.get(sequence)
    return waiting?.submission ?? this.#parts.sealed.submission(source, sequence)
  }

  /** A submission that was acknowledged: its receipt, who vouches for it, and where it is when it has been sealed. */
  async find(source: string, sequence: bigint) {
    const waiting = this.#waiting.get(source)?.get(sequence)
    if (waiting !== undefined) {
      await waiting.durable
      const { submission } = waiting
      return { receipt: await this.#sign(submission), voucher: submission.voucher, sealed: undefined }
    }
    const sealed = this.#parts.sealed.submission(source, sequence)
    return sealed && { receipt: await this.#sign(sealed), voucher: sealed.voucher, sealed }
  }

  /** Takes nothing new, and returns when everything accepted is sealed. */
  async stop(): Promise<void> {
    this.#stopping = true
    await Promise.allSettled(
      [...this.#waiting.values()].flatMap((all) => [...all.values()].map((one) => one.durable)),
    )
    await this.#rotate()
    await this.#parts.sealer.drain()
    await this.#parts.intake.stop()
    await this.#parts.log.close()
  }

  async #repeat(draft: Draft, sequence: bigint, voucher: Voucher): Promise<Receipt> {
    const waiting = this.#waiting.get(draft.source)?.get(sequence)
    const submission = this.lookup(draft.source, sequence)
    if (submission === undefined || !(await this.#isSame(draft, voucher, submission))) {
      throw new InputError(
        'SEQUENCE_CONFLICT',
        `submission ${sequence} of ${draft.source} is in the ledger with other content; the next is ${this.nextSequence(draft.source)}`,
      )
    }
    await waiting?.durable
    return this.#sign(submission)
  }

  /** What a source signs is one root, whatever was disclosed or erased since; otherwise fresh salts must not count. */
  async #isSame(draft: Draft, voucher: Voucher, submission: AcceptedSubmission): Promise<boolean> {
    if (voucher.by === 'signed') return equalBytes(draft.root, submission.root)
    const { intake, sealed, batchesPath } = this.#parts
    const { source, sequence } = submission
    const body = this.#waiting.get(source)?.get(sequence)?.body
    if (body !== undefined) return intake.isSame(draft.body, { body })
    const place = sealed.submission(source, sequence)
    return place !== undefined && intake.isSame(draft.body, { batchesPath, ...place })
  }

  #expectRoom(records: number, bytes: number): void {
    if (this.#waitingRecords === 0) return
    const { maxWaitingRecords } = this.#parts.policy
    if (
      this.#waitingRecords + records <= maxWaitingRecords &&
      this.#waitingBytes + bytes <= MAX_WAITING_BYTES
    ) {
      return
    }
    throw new OperationError('OVERLOADED', `${this.#waitingRecords} records wait for sealing; try again soon`)
  }

  /** Everything up to the first await happens at once, so that sequences and segments keep the order of arrival. */
  async #log(submission: AcceptedSubmission, head: Uint8Array, body: Uint8Array): Promise<void> {
    const { sealRecords, sealAfterMs } = this.#parts.policy
    const bytes = head.length + body.length
    const records = this.#openRecords + submission.size
    if (this.#openRecords > 0 && (records > sealRecords || this.#openBytes + bytes > SEAL_BYTES)) {
      void this.#rotate()
    }
    this.#openRecords += submission.size
    this.#openBytes += bytes
    this.#timer ??= setTimeout(() => void this.#rotate(), sealAfterMs)
    const durable = this.#parts.log.append(head, body)
    this.#remember({ submission, body, bytes, durable })
    try {
      await durable
    } catch (error) {
      this.#forget([submission])
      throw error
    }
    if (this.#openRecords >= sealRecords) void this.#rotate()
  }

  async #rotate(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#openRecords = 0
    this.#openBytes = 0
    // A log that cannot go on refuses the next append, and says why there.
    const segment = await this.#parts.log.rotate().catch(() => undefined)
    if (segment !== undefined) this.#parts.sealer.enqueue(segment)
  }

  #remember(waiting: Waiting): void {
    const { source, sequence, size } = waiting.submission
    const ofSource = this.#waiting.get(source) ?? new Map<bigint, Waiting>()
    this.#waiting.set(source, ofSource.set(sequence, waiting))
    this.#arrivals.add(waiting)
    this.#waitingRecords += size
    this.#waitingBytes += waiting.bytes
  }

  #forget(submissions: readonly AcceptedSubmission[]): void {
    for (const { source, sequence, size } of submissions) {
      const ofSource = this.#waiting.get(source)
      const waiting = ofSource?.get(sequence)
      if (ofSource === undefined || waiting === undefined) continue
      ofSource.delete(sequence)
      this.#arrivals.delete(waiting)
      this.#waitingRecords -= size
      this.#waitingBytes -= waiting.bytes
      if (ofSource.size === 0) this.#waiting.delete(source)
    }
  }

  async #sign(submission: AcceptedSubmission): Promise<Receipt> {
    const { source, sequence, root, size, receivedAt, anchorBy } = submission
    const { signer, domain } = this.#parts
    const signature = await signReceipt(signer, domain, {
      source,
      sequence,
      root,
      size: BigInt(size),
      receivedAt: BigInt(receivedAt),
      anchorBy: BigInt(anchorBy),
    })
    return {
      source,
      sequence,
      root,
      size,
      receivedAt,
      anchorBy,
      ledger: domain.ledger,
      chainId: domain.chainId,
      publisher: this.publisher,
      signature,
    }
  }
}
