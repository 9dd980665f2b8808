import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  expandFrame,
  FrameReader,
  type Header,
  type RecordHashes,
  readFrameTable,
  toJsonHeader,
  verifyRecords,
} from '../batch/index.ts'
import { utf8 } from '../bytes/bytes.ts'
import { type Hex, isHex } from '../bytes/hex.ts'
import type { SigningDomain } from '../chain/signing.ts'
import { InputError, OperationError, VerificationError } from '../errors.ts'
import { CheckPool } from '../indexer/check-pool.ts'
import type { CheckResult } from '../indexer/check-worker.ts'
import { encodeTiles, HASH_SIZE, treeRoot } from '../merkle/index.ts'
import { BatchFolder } from '../store/batch-folder.ts'
import { decompress } from '../store/compression.ts'
import { type Database, inTransaction } from '../store/database.ts'
import { isMissing, writeDurably } from '../store/durable.ts'
import { vaultWithout } from '../store/erase.ts'
import { Erasures } from '../store/erasures.ts'
import { decodeSegment } from '../store/log-format.ts'
import { SealedBatches, type Voucher } from '../store/sealed-batches.ts'
import { listSegments } from '../store/write-ahead-log.ts'

export interface FsckOptions {
  database: Database
  batchesPath: string
  logPath: string
  /** of the sources' signatures */
  domain: SigningDomain
  /** rebuilds what can be rebuilt; otherwise no batch and no row is touched */
  repair: boolean
  /** from when a submission is received until its receipt wants it on the chain, for rows that are made anew */
  promiseMs: number
  threads: number
  /** milliseconds since 1970 */
  now: number
}

/** Something that is not as it should be. */
export interface Trouble {
  /** a file or folder, below the data folder */
  where: string
  what: string
  /** `repaired`; `repairable`, if it was not asked for; `lost` when only a copy helps; `unread` when nobody can tell */
  state: 'repaired' | 'repairable' | 'lost' | 'unread'
}

export interface FsckReport {
  segments: number
  batches: number
  troubles: Trouble[]
}

/**
 * Checks what a gateway keeps: every segment of the log, every batch of the catalogue, every batch on disk.
 *
 * A batch's tree.bin, index.bin and header.json are made anew out of its records when these give the header that the
 * catalogue has; rows of the catalogue out of a batch that is whole. Nobody else may work in the folder meanwhile.
 *
 * @throws {OperationError} when the disk cannot be read or written
 */
export async function fsck(options: FsckOptions): Promise<FsckReport> {
  const pool = new CheckPool(options.threads)
  try {
    return await new Fsck(options, pool).run()
  } finally {
    await pool.stop()
  }
}

class Fsck {
  readonly #options: FsckOptions
  readonly #pool: CheckPool
  readonly #sealed: SealedBatches
  readonly #folder: BatchFolder
  readonly #report: FsckReport = { segments: 0, batches: 0, troubles: [] }

  constructor(options: FsckOptions, pool: CheckPool) {
    this.#options = options
    this.#pool = pool
    this.#sealed = new SealedBatches(options.database)
    this.#folder = new BatchFolder(options.batchesPath)
  }

  async run(): Promise<FsckReport> {
    const waiting = await this.#checkLog()
    const onDisk = await namesIn(this.#options.batchesPath)
    const publishers = new Set([...this.#sealed.publishers(), ...onDisk.filter((name) => isHex(name, 20))])
    for (const publisher of publishers) {
      const next = this.#sealed.nextSequence(publisher)
      for (let from = 0n; from < next; from += PAGE) await this.#checkPage(publisher, from)
      await this.#checkUnlisted(publisher, waiting)
    }
    await this.#checkErased()
    return this.#report
  }

  /** A vault that was put back from a copy holds what was erased since. */
  async #checkErased(): Promise<void> {
    const erasures = new Erasures(this.#options.database)
    for (const { publisher, sequence } of erasures.batches()) {
      const path = this.#folder.vaultPathOf(publisher, sequence)
      try {
        const { file, holdsSome } = await vaultWithout(path, erasures.of(publisher, sequence))
        if (!holdsSome) continue
        if (this.#options.repair) await writeDurably(path, file)
        this.#tell(this.#options.repair ? 'repaired' : 'repairable', path, 'it holds what was erased')
      } catch (error) {
        if (!(error instanceof OperationError)) throw error
        this.#tell('lost', path, error.message)
      }
    }
  }

  /** @returns the numbers of the segments: what they hold is sealed at the next start */
  async #checkLog(): Promise<Set<bigint>> {
    const segments = await listSegments(this.#options.logPath)
    for (const { path, number } of segments) {
      const { damagedAt, isEnded, size } = decodeSegment(await readFile(path))
      // The end of the last one may have been torn by a crash; that was never acknowledged.
      const isTorn = !isEnded && number !== segments.at(-1)?.number
      const place = damagedAt ?? (isTorn ? size : undefined)
      if (place !== undefined)
        this.#tell('lost', path, `it is damaged at byte ${place}: restore it from a copy`)
    }
    this.#report.segments = segments.length
    return new Set(segments.map(({ number }) => number))
  }

  async #checkPage(publisher: Hex, from: bigint): Promise<void> {
    const headers = this.#sealed
      .headersFrom(publisher, from, Number(PAGE))
      .filter((header) => header.sequence < from + PAGE)
    await Promise.all(headers.map((header) => this.#checkListed(header)))
  }

  async #checkListed(header: Header): Promise<void> {
    this.#report.batches++
    const result = await this.#check(header)
    if (result.state === 'verified') return
    const where = this.#pathOf(header)
    if (result.state === 'unread') return this.#tell('unread', where, result.reason)
    const files = await this.#rebuild(header)
    if (files === undefined) return this.#tell('lost', where, `${result.reason}; restore it from a copy`)
    if (!this.#options.repair) return this.#tell('repairable', where, result.reason)
    for (const [name, bytes] of Object.entries(files)) await writeDurably(join(where, name), bytes)
    const after = await this.#check(header)
    if (after.state === 'verified') this.#tell('repaired', where, result.reason)
    else this.#tell('lost', where, `${after.reason}; restore it from a copy`)
  }

  /** The files that the records of a batch give, if they give its header. */
  async #rebuild(header: Header): Promise<Record<string, Uint8Array> | undefined> {
    try {
      const { leafHashes, indexFile } = verifyRecords(header, await this.#readRecords(header))
      return {
        'tree.bin': encodeTiles(leafHashes),
        'index.bin': indexFile,
        'header.json': utf8(`${JSON.stringify(toJsonHeader(header))}\n`),
      }
    } catch (error) {
      const isBad = error instanceof VerificationError || error instanceof InputError
      const isDamaged = error instanceof OperationError && error.code === 'STORE_DAMAGED'
      if (isBad || isDamaged || isMissing(error)) return undefined
      throw error
    }
  }

  async #readRecords(header: Header): Promise<RecordHashes> {
    const bytes = new Uint8Array(await readFile(join(this.#pathOf(header), 'records.ndjson.zst')))
    const read = async (offset: number, length: number) => bytes.subarray(offset, offset + length)
    const reader = new FrameReader(() => undefined)
    const frames = await readFrameTable(read, bytes.length)
    for (const frame of frames) {
      const { offset, compressedBytes } = frame
      const text = expandFrame(await read(offset, compressedBytes), frame, decompress)
      reader.read(text, frame === frames.at(-1))
    }
    return reader.finish()
  }

  /** Batches on disk that the catalogue does not have: it is lost, or older than they are. */
  async #checkUnlisted(publisher: Hex, waiting: ReadonlySet<bigint>): Promise<void> {
    const names = await namesIn(join(this.#options.batchesPath, publisher))
    const sequences = names.filter((name) => /^\d{12,}$/.test(name)).map(BigInt)
    let next = this.#sealed.nextSequence(publisher)
    const unlisted = sequences.filter((sequence) => sequence >= next).sort((a, b) => (a < b ? -1 : 1))
    for (const sequence of unlisted) {
      // A crash came before the catalogue: the log still has it, and it is sealed again.
      if (waiting.has(sequence)) continue
      this.#report.batches++
      const where = this.#folder.pathOf(publisher, sequence)
      if (sequence !== next) {
        this.#tell('lost', where, `the catalogue has neither it nor batch ${next} before it`)
        continue
      }
      const header = await this.#folder.loadHeader(publisher, sequence).catch(ifBad)
      const result = header && (await this.#check(header))
      if (header?.sequence !== sequence || header.publisher !== publisher || result?.state !== 'verified') {
        this.#tell('lost', where, 'the catalogue does not have it, and its files do not fit together')
        continue
      }
      next++
      if (this.#options.repair) await this.#list(header, result)
      this.#tell(this.#options.repair ? 'repaired' : 'repairable', where, 'the catalogue does not have it')
    }
  }

  async #list(header: Header, { findings }: Extract<CheckResult, { state: 'verified' }>): Promise<void> {
    const { database, promiseMs, now } = this.#options
    const { publisher, sequence, recordCount } = header
    const submissions = await this.#folder.loadSubmissions(header)
    const files = await this.#folder.open(publisher, sequence)
    const { leaves } = await files.leavesFrom(recordCount, 0, recordCount).finally(() => files.close())
    const accepted = submissions.map(({ first, count, signature, receivedAt, ...submission }, i) => {
      const signer = findings.submissions[i]?.signer
      const voucher: Voucher =
        signature === null || signer === undefined ? { by: 'open' } : { by: 'signed', signer, signature }
      return {
        ...submission,
        root: treeRoot(leaves.subarray(HASH_SIZE * first, HASH_SIZE * (first + count))),
        size: count,
        receivedAt: Number(receivedAt),
        anchorBy: Number(receivedAt) + promiseMs,
        voucher,
      }
    })
    const anchorBy = Math.min(...accepted.map((one) => one.anchorBy))
    inTransaction(database, () => {
      this.#sealed.addSubmissions(publisher, sequence, 0, accepted)
      this.#sealed.addBatch(header, { sequence, sealedAt: now, anchorBy })
    })
  }

  #check(header: Header): Promise<CheckResult> {
    const { batchesPath, domain } = this.#options
    return this.#pool.run({ batchesPath, header, domain })
  }

  #pathOf = ({ publisher, sequence }: Header): string => this.#folder.pathOf(publisher, sequence)

  #tell(state: Trouble['state'], where: string, what: string): void {
    this.#report.troubles.push({ where, what, state })
  }
}

/** Batches that are under way at a time. */
const PAGE = 64n

async function namesIn(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).sort()
  } catch (cause) {
    if (isMissing(cause)) return []
    throw new OperationError('STORE_FAILED', `could not read ${path}`, { cause })
  }
}

function ifBad(error: unknown): undefined {
  if (error instanceof VerificationError || (error instanceof OperationError && isMissing(error.cause)))
    return undefined
  throw error
}
