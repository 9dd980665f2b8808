import { readdir, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { utf8 } from '../bytes/bytes.ts'
import { OperationError } from '../errors.ts'
import { syncDirectory } from '../store/durable.ts'
import { lockFolder } from '../store/folder-lock.ts'
import {
  listSegments,
  readSegment,
  removeSegment,
  type Segment,
  WriteAheadLog,
} from '../store/write-ahead-log.ts'
import { readLine, type SealedLine } from './sealed-line.ts'

/** A segment of the spool: the lines of one submission, closed to new ones. */
export interface SpooledSegment extends Segment {
  /** the submission's number, once it may have been sent under it */
  sequence: bigint | undefined
}

/**
 * A folder where sealed lines wait for their gateway: what is appended is on disk before the promise resolves.
 *
 * One segment of a write-ahead log is one submission, and the number under which it is sent is part of its file's
 * name before anything is sent: whenever the process ends, what may have been sent is sent again under the same
 * number with the same bytes, which the gateway answers with the same receipt. A rename needs no room on the disk.
 *
 * `000000000004.wal.17` is submission 17, `000000000005.wal` has no number yet, and `000000000003.wal.refused` is
 * what the gateway will not take; it is left for people to look at.
 */
export class Spool {
  readonly #path: string
  readonly #unlock: () => void
  #log: WriteAheadLog
  /** of the open segment */
  #number: bigint
  /** Segments are closed one after the other. */
  #cutting: Promise<unknown> = Promise.resolve()

  private constructor(path: string, unlock: () => void, number: bigint, log: WriteAheadLog) {
    this.#path = path
    this.#unlock = unlock
    this.#log = log
    this.#number = number
  }

  /**
   * Takes a folder for this process alone, and finds what earlier ones left there.
   *
   * @returns segments with something in them, oldest first
   * @throws {OperationError} `STORE_FAILED`, also when another process has the folder
   */
  static async open(path: string): Promise<{ spool: Spool; left: (SpooledSegment & { bytes: number })[] }> {
    const unlock = await lockFolder(path).catch((cause: unknown) => {
      throw new OperationError(
        'STORE_FAILED',
        `cannot take ${path}: a spool belongs to one process at a time`,
        {
          cause,
          retryable: false,
        },
      )
    })
    try {
      const open = await listSegments(path)
      const names = await readdir(path)
      const last = names.reduce(
        (most, name) => Math.max(most, Number(/^(\d{12})\.wal/.exec(name)?.[1] ?? -1)),
        -1,
      )
      const torn = open.find(({ number }) => number === BigInt(last))
      // One that is damaged is found to be so when it is loaded; it must not keep the service from starting.
      if (torn !== undefined) await readSegment(torn, 'torn').catch(() => undefined)
      const numbered = names.flatMap((name): SpooledSegment[] => {
        const [, number, sequence] = /^(\d{12})\.wal\.(\d+)$/.exec(name) ?? []
        if (number === undefined || sequence === undefined) return []
        return [{ number: BigInt(number), sequence: BigInt(sequence), path: join(path, name) }]
      })
      const left = []
      for (const segment of [...numbered, ...open.map((one) => ({ ...one, sequence: undefined }))]) {
        const { size } = await stat(segment.path)
        if (size > 0) left.push({ ...segment, bytes: size })
        else await removeSegment(segment)
      }
      left.sort((a, b) => Number(a.number - b.number))
      const next = BigInt(last) + 1n
      return { spool: new Spool(path, unlock, next, await WriteAheadLog.open(path, next)), left }
    } catch (error) {
      unlock()
      throw error
    }
  }

  /** Whether nothing can be appended before the open segment is closed. */
  get isBroken(): boolean {
    return this.#log.failure !== undefined
  }

  /** @throws {OperationError} `STORE_FAILED`; then the line is not in the spool */
  append(line: SealedLine): Promise<void> {
    return this.#log.append(utf8(line.text))
  }

  /**
   * Closes the open segment: lines appended before are in it, those after are not.
   *
   * @returns undefined when nothing is in it
   * @throws {OperationError} `STORE_FAILED`; trying again can help
   */
  cut(): Promise<SpooledSegment | undefined> {
    const log = this.#log
    const rotated = log.rotate().catch((error: unknown) => {
      if (log.failure === undefined) throw error
      return undefined
    })
    const cut = this.#cutting.then(async () => {
      const closed = await rotated
      if (closed !== undefined) this.#number = closed.number + 1n
      const segment = closed ?? (this.isBroken ? await this.#replaceLog() : undefined)
      return segment && { ...segment, sequence: undefined }
    })
    this.#cutting = cut.catch(() => undefined)
    return cut
  }

  /** A log that is broken for good (a sync failed, a file could not be made) is left as it is, and another begun. */
  async #replaceLog(): Promise<Segment | undefined> {
    const left = (await listSegments(this.#path)).find(({ number }) => number === this.#number)
    const broken = this.#log
    this.#log = await WriteAheadLog.open(this.#path, this.#number + 1n)
    this.#number++
    await broken.close().catch(() => undefined)
    if (left === undefined) return undefined
    const lines = await readSegment(left, 'torn').catch(() => undefined)
    // One that is damaged is found to be so when it is loaded.
    if (lines?.length !== 0) return left
    await removeSegment(left)
    return undefined
  }

  /** @throws {OperationError} `STORE_DAMAGED` with the file and the offset */
  async load(segment: SpooledSegment): Promise<SealedLine[]> {
    const lines = await readSegment(segment, 'whole')
    try {
      return lines.map((bytes) => readLine(new TextDecoder('utf-8', { fatal: true }).decode(bytes)))
    } catch (cause) {
      throw new OperationError('STORE_DAMAGED', `${segment.path} holds what is no record: it was not sent`, {
        cause,
        retryable: false,
      })
    }
  }

  /** Durable when it resolves. */
  async assign(segment: SpooledSegment, sequence: bigint): Promise<void> {
    await this.#rename(segment, String(sequence))
    segment.sequence = sequence
  }

  /** Keeps a segment that will not be sent where people find it. */
  async setAside(segment: SpooledSegment): Promise<void> {
    await this.#rename(segment, 'refused')
  }

  async remove(segment: SpooledSegment): Promise<void> {
    await removeSegment(segment)
  }

  async close(): Promise<void> {
    await this.#cutting
    await this.#log.close()
    this.#unlock()
  }

  async #rename(segment: SpooledSegment, ending: string): Promise<void> {
    const path = `${segment.path.replace(/(\.wal)(?:\..*)?$/, '$1')}.${ending}`
    try {
      await rename(segment.path, path)
      segment.path = path
      await syncDirectory(this.#path)
    } catch (cause) {
      throw new OperationError('STORE_FAILED', `could not rename ${segment.path} to ${path}`, { cause })
    }
  }
}
