import { OperationError } from '../errors.ts'
import type { Outbox, Parcel } from './outbox.ts'
import type { Clock, Pauses } from './pauses.ts'
import type { JsonReceipt } from './receipt.ts'
import type { Spool, SpooledSegment } from './spool.ts'
import { isRefusal, type Submitter } from './submitter.ts'

export interface SenderParts {
  outbox: Outbox
  spool: Spool | undefined
  submitter: Submitter
  clock: Clock
  /** after a failure of the spool, or of who takes the receipts */
  pauses: Pauses
  lingerMs: number
  onReceipt: (receipt: JsonReceipt, ids: readonly string[]) => void | Promise<void>
  onError: (error: unknown) => void
  /** ends what is under way everywhere */
  ending: AbortController
}

/** Empties an outbox into the ledger: one parcel after the other, the oldest first. */
export class Sender {
  readonly #parts: SenderParts
  readonly #running: Promise<void>
  /** resolved when there is something new to do */
  #bell = Promise.withResolvers<void>()
  /** parcels up to this one are sent without lingering */
  #hurried: Parcel | undefined

  constructor(parts: SenderParts) {
    this.#parts = parts
    this.#running = this.#run()
  }

  /** Says that something has come into the outbox. */
  wake(): void {
    this.#bell.resolve()
  }

  async flush(): Promise<void> {
    const { newest } = this.#parts.outbox
    if (newest === undefined) return
    this.#hurried = newest
    this.wake()
    await newest.gone.promise.catch(() => undefined)
  }

  /** Ends after the request under way is given up; what is left in memory is lost. */
  async stop(): Promise<void> {
    this.#parts.ending.abort()
    this.wake()
    await this.#running
    const { outbox, spool } = this.#parts
    const lost = new OperationError('GATEWAY_UNREACHABLE', 'closed before the gateway took the record')
    for (let parcel = outbox.oldest; parcel !== undefined; parcel = outbox.oldest) {
      outbox.remove(parcel)
      if (spool === undefined) parcel.gone.reject(lost)
      else parcel.gone.resolve(undefined)
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#parts.ending
    while (!signal.aborted) {
      this.#bell = Promise.withResolvers()
      const parcel = this.#parts.outbox.oldest
      if (parcel === undefined) {
        await this.#bell.promise
        continue
      }
      await this.#linger(parcel)
      await this.#deliver(parcel)
    }
  }

  /** Waits for more to come into a parcel, unless it is full or somebody waits for it. */
  async #linger(parcel: Parcel): Promise<void> {
    const { outbox, clock, lingerMs, ending } = this.#parts
    const waited = new AbortController()
    const late = clock.delay(lingerMs, AbortSignal.any([waited.signal, ending.signal])).then(() => {
      waited.abort()
    })
    while (!waited.signal.aborted) {
      if (outbox.isFull(parcel) || this.#hurried !== undefined) break
      await Promise.race([late, this.#bell.promise])
      this.#bell = Promise.withResolvers()
    }
    waited.abort()
  }

  /** Tries until the parcel is gone. */
  async #deliver(parcel: Parcel): Promise<void> {
    const { clock, pauses, onError, spool } = this.#parts
    const { signal } = this.#parts.ending
    const startedAt = clock.now()
    for (let failures = 1; !signal.aborted; failures++) {
      try {
        this.#settle(parcel, await this.#submit(parcel))
        return
      } catch (error) {
        if (signal.aborted) return
        if (spool === undefined) {
          this.#fail(parcel, error)
          return
        }
        onError(error)
        if (await this.#setAside(parcel, error)) return
        await clock.delay(pauses(failures, clock.now() - startedAt) ?? 0, signal)
      }
    }
  }

  async #submit(parcel: Parcel): Promise<JsonReceipt | undefined> {
    const { outbox, spool, submitter, onReceipt, onError, ending } = this.#parts
    const segment = await outbox.close(parcel)
    const lines = spool && segment ? await spool.load(segment) : parcel.lines
    if (lines.length === 0) return undefined
    const receipt = await submitter.submit(lines, {
      sequence: segment?.sequence,
      onSequence: async (sequence) => {
        if (spool && segment) await spool.assign(segment, sequence)
      },
      signal: ending.signal,
    })
    try {
      await onReceipt(
        receipt,
        lines.map(({ id }) => id),
      )
    } catch (error) {
      if (spool !== undefined) throw error
      onError(error)
    }
    if (spool && segment) await spool.remove(segment)
    return receipt
  }

  /** What will never be taken must not hold up the rest; in the spool it stays under another name. */
  async #setAside(parcel: Parcel, error: unknown): Promise<boolean> {
    const { outbox, spool, onError } = this.#parts
    const damaged = error instanceof OperationError && error.code === 'STORE_DAMAGED'
    if (spool === undefined || !(damaged || isRefusal(error))) return false
    try {
      const segment: SpooledSegment | undefined = await outbox.close(parcel)
      if (segment !== undefined) await spool.setAside(segment)
    } catch (failure) {
      onError(failure)
      return false
    }
    this.#fail(parcel, error)
    return true
  }

  #settle(parcel: Parcel, receipt: JsonReceipt | undefined): void {
    this.#remove(parcel)
    parcel.gone.resolve(receipt)
  }

  #fail(parcel: Parcel, error: unknown): void {
    this.#remove(parcel)
    parcel.gone.reject(error)
  }

  #remove(parcel: Parcel): void {
    this.#parts.outbox.remove(parcel)
    if (this.#hurried === parcel) this.#hurried = undefined
  }
}
