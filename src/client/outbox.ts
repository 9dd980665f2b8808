import { utf8 } from '../bytes/bytes.ts'
import { InputError, OperationError } from '../errors.ts'
import type { JsonReceipt } from './receipt.ts'
import type { SealedLine } from './sealed-line.ts'
import type { Spool, SpooledSegment } from './spool.ts'

export interface OutboxLimits {
  /** of one submission */
  submissionRecords: number
  submissionBytes: number
  /** of everything that waits */
  waitingBytes: number
}

/** Lines that are, or will be, one submission. */
export interface Parcel {
  /** where the lines are when there is no spool */
  lines: SealedLine[]
  /** of lines given in this run */
  ids: Set<string>
  bytes: number
  /** set when it is closed to new lines: where the spool has them; undefined if it has none, or there is no spool */
  closed: Promise<SpooledSegment | undefined> | undefined
  /** settled when the parcel is gone, with its receipt if it has one */
  gone: PromiseWithResolvers<JsonReceipt | undefined>
}

/** What waits to be submitted, in order, divided into parcels: on disk with a spool, otherwise in memory. */
export class Outbox {
  readonly #limits: OutboxLimits
  readonly #spool: Spool | undefined
  readonly #parcels: Parcel[] = []
  #waitingBytes = 0

  constructor(
    limits: OutboxLimits,
    spool?: Spool,
    left: readonly (SpooledSegment & { bytes: number })[] = [],
  ) {
    this.#limits = limits
    this.#spool = spool
    for (const { bytes, ...segment } of left) this.#push({ bytes, closed: Promise.resolve(segment) })
  }

  get waitingBytes(): number {
    return this.#waitingBytes
  }

  get oldest(): Parcel | undefined {
    return this.#parcels[0]
  }

  get newest(): Parcel | undefined {
    return this.#parcels.at(-1)
  }

  /**
   * Takes a line into the newest parcel.
   *
   * @returns the parcel; the line is as durable as it gets here when `kept` resolves
   * @throws {InputError} `DUPLICATE_ID` when the parcel has the id already
   * @throws {OperationError} `OVERLOADED` when too much waits
   */
  add(line: SealedLine): { parcel: Parcel; kept: Promise<void> } {
    const bytes = utf8(line.text).length + 1
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes > this.#limits.waitingBytes) {
      throw new OperationError(
        'OVERLOADED',
        `${this.#spool === undefined ? 'too much' : 'the spool is full: too much'} waits for the gateway (${this.#waitingBytes} bytes)`,
      )
    }
    let parcel = this.newest
    if (parcel === undefined || parcel.closed !== undefined || !this.#hasRoom(parcel, bytes)) {
      if (parcel !== undefined) void this.close(parcel)
      parcel = this.#push({ bytes: 0, closed: undefined })
    }
    if (parcel.ids.has(line.id)) {
      throw new InputError('DUPLICATE_ID', `a record with the id ${line.id} waits already`, {
        pointer: '/id',
      })
    }
    parcel.ids.add(line.id)
    this.#weigh(parcel, bytes)
    if (this.#spool === undefined) {
      parcel.lines.push(line)
      return { parcel, kept: Promise.resolve() }
    }
    return { parcel, kept: this.#append(this.#spool, parcel, line, bytes) }
  }

  /**
   * Closes a parcel to new lines.
   *
   * @throws {OperationError} `STORE_FAILED`; then it is not closed, and trying again can help
   */
  close(parcel: Parcel): Promise<SpooledSegment | undefined> {
    if (parcel.closed === undefined) {
      parcel.closed = this.#spool?.cut() ?? Promise.resolve(undefined)
      parcel.closed.catch(() => {
        parcel.closed = undefined
      })
    }
    return parcel.closed
  }

  isFull(parcel: Parcel): boolean {
    return parcel.closed !== undefined || !this.#hasRoom(parcel, 0)
  }

  /** The parcel is on the ledger, or will never be. */
  remove(parcel: Parcel): void {
    const at = this.#parcels.indexOf(parcel)
    if (at === -1) return
    this.#parcels.splice(at, 1)
    this.#weigh(parcel, -parcel.bytes)
  }

  async #append(spool: Spool, parcel: Parcel, line: SealedLine, bytes: number): Promise<void> {
    try {
      await spool.append(line)
    } catch (error) {
      parcel.ids.delete(line.id)
      this.#weigh(parcel, -bytes)
      // Where the log goes on, so does the parcel.
      if (spool.isBroken) void this.close(parcel)
      throw error
    }
  }

  #hasRoom({ ids, bytes }: Parcel, more: number): boolean {
    const { submissionRecords, submissionBytes } = this.#limits
    return ids.size < submissionRecords && (bytes === 0 || bytes + more < submissionBytes)
  }

  #push({ bytes, closed }: Pick<Parcel, 'bytes' | 'closed'>): Parcel {
    const gone = Promise.withResolvers<JsonReceipt | undefined>()
    // Who waits for it sees the failure; with a spool, nobody has to.
    gone.promise.catch(() => undefined)
    const parcel: Parcel = { lines: [], ids: new Set(), bytes: 0, closed, gone }
    this.#parcels.push(parcel)
    this.#weigh(parcel, bytes)
    return parcel
  }

  #weigh(parcel: Parcel, bytes: number): void {
    parcel.bytes += bytes
    this.#waitingBytes += bytes
  }
}
