import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Wallet } from 'ethers'
import type { Hex } from '../bytes/hex.ts'
import type { Signer } from '../chain/signer.ts'
import { OperationError } from '../errors.ts'
import { type FlowRecord, parseRecord, type RecordTypeName } from '../record/index.ts'
import type { AuthorizationAnswer, AuthorizationRequest } from './authorization.ts'
import { createGatewayApi, type GatewayApi, GatewayAwayError } from './gateway-api.ts'
import { Outbox } from './outbox.ts'
import { type Clock, growingPauses } from './pauses.ts'
import type { JsonReceipt } from './receipt.ts'
import { sealLine } from './sealed-line.ts'
import { Sender } from './sender.ts'
import { Spool } from './spool.ts'
import { type Compression, identifyOnce, Submitter } from './submitter.ts'

export interface TidemarkOptions {
  /** of the gateway */
  url: string
  /** the service that the records come from; one process at a time records for a source */
  source: string
  /** signs every submission: a private key, an ethers `Wallet`, or anything that signs alike */
  key?: Signer | Hex
  /** a bearer token, for a source without a key */
  token?: string
  /** a folder of this process alone, where records wait while the gateway is away; without one they wait in memory */
  spoolPath?: string
  /** what you expect of the gateway; what is left out is believed when the gateway first says it */
  chainId?: bigint
  ledger?: Hex
  publisher?: Hex
  /** a submission is sent when it has so many records, */
  submissionRecords?: number
  /** or so many bytes, */
  submissionBytes?: number
  /** or when its first record has waited so long */
  lingerMs?: number
  /** what may wait before `record` refuses more: 16 MiB in memory, 1 GiB in a spool */
  waitingBytes?: number
  /** without a spool, `record` rejects when the gateway has been away so long */
  giveUpAfterMs?: number
  /** a gateway that does not take it gets everything plain */
  compression?: Compression
  /** told of every verified receipt; with a spool, what it is for is deleted only after this */
  onReceipt?: (receipt: JsonReceipt, ids: readonly string[]) => void | Promise<void>
  /** told of every failure, most of which are tried again; it must not throw. Left out, Node prints warnings */
  onError?: (error: unknown) => void
  clock?: Clock
  /** from 0 up to 1 */
  random?: () => number
}

/** What happened, as a service tells it (docs/format.md, section 4). */
export interface RecordInput {
  type: RecordTypeName
  data: FlowRecord['data']
  /** the data resource's id in the catalogue */
  subject?: string
  /** unique among the records of the source; a UUID when left out */
  id?: string
  /** now when left out */
  time?: string
  traceparent?: string
}

export interface Recorded {
  id: string
  /** there when the gateway has the record; with a spool it comes later, to `onReceipt` */
  receipt?: JsonReceipt
}

const DEFAULTS = {
  submissionRecords: 1_000,
  submissionBytes: 1024 * 1024,
  lingerMs: 20,
  giveUpAfterMs: 30_000,
}
const MEMORY_BYTES = 16 * 1024 * 1024
const SPOOL_BYTES = 1024 * 1024 * 1024
const CLOSE_MS = 10_000

/** A service's way to the ledger: records go in, each comes out on the ledger once, in the order given. */
export class Tidemark {
  readonly source: string
  readonly #api: GatewayApi
  readonly #outbox: Outbox
  readonly #sender: Sender
  readonly #spool: Spool | undefined
  readonly #clock: Clock
  #closing: Promise<void> | undefined

  private constructor(
    source: string,
    api: GatewayApi,
    outbox: Outbox,
    sender: Sender,
    spool: Spool | undefined,
    clock: Clock,
  ) {
    this.source = source
    this.#api = api
    this.#outbox = outbox
    this.#sender = sender
    this.#spool = spool
    this.#clock = clock
  }

  /**
   * Connects to a gateway, and begins to send what an earlier run left in the spool.
   *
   * @throws {OperationError} `GATEWAY_UNREACHABLE`, but not with a spool: then it connects when it can; `STORE_FAILED`
   *   when another process has the spool
   * @throws {VerificationError} `BAD_RECEIPT` when the gateway is not the one that was pinned
   */
  static async connect({
    clock = { now: Date.now, delay: delayUnlessAborted },
    random = Math.random,
    onError = warn,
    ...options
  }: TidemarkOptions): Promise<Tidemark> {
    const { url, source, token, spoolPath } = options
    const ending = new AbortController()
    const api = createGatewayApi(url, { token, signal: ending.signal, now: clock.now })
    const identify = identifyOnce(api, options)
    const { spool, left } =
      spoolPath === undefined ? { spool: undefined, left: [] } : await Spool.open(spoolPath)
    try {
      await identify()
    } catch (error) {
      if (spool === undefined || !(error instanceof GatewayAwayError)) {
        await spool?.close()
        throw error
      }
      onError(error)
    }
    const limits = {
      submissionRecords: options.submissionRecords ?? DEFAULTS.submissionRecords,
      submissionBytes: options.submissionBytes ?? DEFAULTS.submissionBytes,
      waitingBytes: options.waitingBytes ?? (spool === undefined ? MEMORY_BYTES : SPOOL_BYTES),
    }
    const outbox = new Outbox(limits, spool, left)
    const giveUpAfterMs = options.giveUpAfterMs ?? DEFAULTS.giveUpAfterMs
    const submitter = new Submitter({
      api,
      source,
      identify,
      key: typeof options.key === 'string' ? new Wallet(options.key) : options.key,
      compression: options.compression,
      pauses: spool === undefined ? growingPauses(random, giveUpAfterMs) : growingPauses(random),
      clock,
      manner: spool === undefined ? 'hasty' : 'patient',
      onFailure: onError,
    })
    const sender = new Sender({
      outbox,
      spool,
      submitter,
      clock,
      pauses: growingPauses(random),
      lingerMs: options.lingerMs ?? DEFAULTS.lingerMs,
      onReceipt: options.onReceipt ?? (() => undefined),
      onError,
      ending,
    })
    return new Tidemark(source, api, outbox, sender, spool, clock)
  }

  /** What waits for the gateway, about. */
  get waitingBytes(): number {
    return this.#outbox.waitingBytes
  }

  /**
   * Records one event. Without a spool it resolves when the gateway has the record on its disk and the receipt is
   * verified; with one, when the record is on the disk here.
   *
   * @throws {InputError} when the record is wrong: it is not taken
   * @throws {OperationError} `OVERLOADED` when too much waits, `STORE_FAILED` when the spool cannot be written,
   *   `SHUTTING_DOWN` after `close`: it is not taken. Without a spool also `GATEWAY_UNREACHABLE`: then it may be in the
   *   ledger all the same
   * @throws {VerificationError} without a spool, when the receipt is not what it should be
   */
  async record(event: RecordInput): Promise<Recorded> {
    if (this.#closing !== undefined) throw new OperationError('SHUTTING_DOWN', 'this client is closed')
    const { id = randomUUID(), time = new Date(this.#clock.now()).toISOString(), ...rest } = event
    const record = parseRecord({ specversion: '1.0', id, source: this.source, time, ...rest })
    const { parcel, kept } = this.#outbox.add(sealLine(record))
    this.#sender.wake()
    await kept
    if (this.#spool !== undefined) return { id }
    const receipt = await parcel.gone.promise
    return { id, ...(receipt && { receipt }) }
  }

  /**
   * Whether a use of a resource is allowed, under a grant where it needs one. It is not allowed unless this resolves to
   * an answer that says so; nothing is tried again, so that no call is counted twice.
   *
   * @throws {InputError} when the gateway refuses the question: nobody decides there, or this client may not count calls
   * @throws {OperationError} `GATEWAY_UNREACHABLE` when there is no decision
   */
  async authorize({
    consumer = this.source,
    ...question
  }: AuthorizationRequest): Promise<AuthorizationAnswer> {
    return await this.#api.decide({ consumer, ...question })
  }

  /**
   * Sends what waits without lingering, and resolves when all that was recorded before is gone: acknowledged, or
   * refused, which `record` or `onError` was told of. While the gateway is away this waits, until `close`.
   */
  flush(): Promise<void> {
    return this.#sender.flush()
  }

  /**
   * Takes nothing more, flushes, and ends; what the gateway has not taken by `timeoutMs` stays in the spool for the
   * next start. Without a spool, what is left is lost, and its `record` rejects.
   */
  close({ timeoutMs = CLOSE_MS }: { timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(timeoutMs)
    return this.#closing
  }

  async #close(timeoutMs: number): Promise<void> {
    const flushed = new AbortController()
    await Promise.race([this.flush(), this.#clock.delay(timeoutMs, flushed.signal)])
    flushed.abort()
    await this.#sender.stop()
    await this.#spool?.close()
  }
}

const delayUnlessAborted: Clock['delay'] = (ms, signal) =>
  delay(ms, undefined, signal && { signal }).catch(() => undefined)

const warn = (error: unknown) =>
  process.emitWarning(`tidemark: ${error instanceof Error ? error.message : error}`)
