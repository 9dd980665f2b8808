import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, truncate } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import { OperationError } from '../errors.ts'
import { syncDirectory } from './durable.ts'

/** Of a frame, before its payload: `length u32 || crc32 of the length || crc32 of the payload`. */
const FRAME_HEAD_BYTES = 12

/** One segment found on disk; its number is the sequence of the batch that it becomes. */
export interface Segment {
  number: bigint
  path: string
}

interface Append {
  payload: Uint8Array
  resolve: () => void
  reject: (error: unknown) => void
}

interface Rotation {
  resolve: (closed: Segment | undefined) => void
  reject: (error: unknown) => void
}

/**
 * The write-ahead log: what is appended is on disk before the promise resolves.
 *
 * Segment n holds exactly what batch n will hold, so a crash between any two steps of sealing leaves nothing to
 * guess: a segment whose batch is there is deleted, any other is sealed. One sync serves all appends that wait.
 */
export class WriteAheadLog {
  readonly #directory: string
  #file: FileHandle
  #number: bigint
  #size = 0
  /** in the order of the calls, so that a caller knows which segment an append goes to */
  #queue: (Append | Rotation)[] = []
  #working: Promise<void> | undefined
  #broken: OperationError | undefined

  private constructor(directory: string, number: bigint, file: FileHandle) {
    this.#directory = directory
    this.#number = number
    this.#file = file
  }

  /** Opens the log for writing at segment `number`, which must be new or empty. */
  static async open(directory: string, number: bigint): Promise<WriteAheadLog> {
    return new WriteAheadLog(directory, number, await createSegment(directory, number))
  }

  /**
   * Durable when it resolves.
   *
   * @throws {OperationError} `STORE_FAILED`; then neither this nor any append called after it is in the log
   */
  append(payload: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => this.#enqueue({ payload, resolve, reject }))
  }

  /**
   * Closes the segment and starts the next: appends called before are in the closed one, those after are not.
   *
   * @returns undefined when there was nothing in it; it then goes on
   */
  rotate(): Promise<Segment | undefined> {
    return new Promise((resolve, reject) => this.#enqueue({ resolve, reject }))
  }

  /** Why nothing can be appended until a restart; undefined while it can. */
  get failure(): OperationError | undefined {
    return this.#broken
  }

  async close(): Promise<void> {
    while (this.#working !== undefined) await this.#working
    this.#broken ??= new OperationError('SHUTTING_DOWN', 'the log is closed')
    await this.#file.close()
  }

  #enqueue(call: Append | Rotation): void {
    if (this.#broken !== undefined) {
      call.reject(this.#broken)
      return
    }
    this.#queue.push(call)
    this.#working ??= this.#work()
  }

  async #work(): Promise<void> {
    // Appends of the same turn of the event loop go into the same group.
    await Promise.resolve()
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      if ('payload' in next) await this.#flush()
      else await this.#turnOver(next)
    }
    this.#working = undefined
  }

  async #flush(): Promise<void> {
    const end = this.#queue.findIndex((call) => !('payload' in call))
    const group = this.#queue.splice(0, end === -1 ? this.#queue.length : end).filter(isAppend)
    try {
      await this.#write(group)
      for (const { resolve } of group) resolve()
    } catch (cause) {
      const error = new OperationError('STORE_FAILED', 'the write-ahead log could not be written', { cause })
      // Appends that queued up behind build on these (sequences follow each other), so they fail together.
      const behind = this.#queue.filter(isAppend)
      this.#queue = this.#queue.filter((call) => !isAppend(call))
      for (const { reject } of [...group, ...behind]) reject(error)
    }
  }

  async #turnOver(rotation: Rotation): Promise<void> {
    this.#queue.shift()
    if (this.#size === 0) return rotation.resolve(undefined)
    try {
      const next = await createSegment(this.#directory, this.#number + 1n)
      const closed = { number: this.#number, path: segmentPath(this.#directory, this.#number) }
      await this.#file.close()
      this.#file = next
      this.#number++
      this.#size = 0
      rotation.resolve(closed)
    } catch (cause) {
      this.#broken = new OperationError('STORE_FAILED', 'the next log segment could not be made; restart', {
        cause,
      })
      rotation.reject(this.#broken)
      for (const { reject } of this.#queue.splice(0)) reject(this.#broken)
    }
  }

  async #write(group: readonly Append[]): Promise<void> {
    if (this.#broken !== undefined) throw this.#broken
    const frames = group.flatMap(({ payload }) => [frameHead(payload), payload])
    const sizeBytes = frames.reduce((sum, frame) => sum + frame.length, 0)
    try {
      const { bytesWritten } = await this.#file.writev(frames, this.#size)
      // A disk that fills up takes a part, and says so by nothing else.
      if (bytesWritten !== sizeBytes) throw new Error(`the disk took ${bytesWritten} of ${sizeBytes} bytes`)
    } catch (cause) {
      // What was written of the group must not be found after a restart: nobody was told that it is safe.
      await this.#cutBack().catch((error: unknown) => {
        this.#broken = new OperationError('STORE_FAILED', 'the write-ahead log is torn; restart', {
          cause: error,
        })
      })
      throw cause
    }
    try {
      await this.#file.datasync()
    } catch (cause) {
      // After a failed sync nobody knows what is on disk, and a second sync would lie about it.
      this.#broken = new OperationError(
        'STORE_FAILED',
        'the disk could not sync the write-ahead log; restart',
        {
          cause,
          retryable: false,
        },
      )
      throw cause
    }
    this.#size += sizeBytes
  }

  async #cutBack(): Promise<void> {
    await this.#file.truncate(this.#size)
    await this.#file.datasync()
  }
}

const isAppend = (call: Append | Rotation): call is Append => 'payload' in call

/** The segments on disk, oldest first. */
export async function listSegments(directory: string): Promise<Segment[]> {
  await mkdir(directory, { recursive: true })
  const names = (await readdir(directory)).filter((name) => /^\d{12}\.wal$/.test(name)).sort()
  return names.map((name) => ({ number: BigInt(name.slice(0, 12)), path: join(directory, name) }))
}

/**
 * Reads a segment's payloads.
 *
 * @param ending `torn` for the last segment of the log: a frame that the file ends within was never acknowledged, and
 *   is cut off; `whole` for one that was closed, where it is damage. Damage before the end always is
 * @throws {OperationError} `STORE_DAMAGED` with the file and the offset
 */
export async function readSegment(segment: Segment, ending: 'torn' | 'whole'): Promise<Uint8Array[]> {
  const bytes = await readFile(segment.path)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const payloads: Uint8Array[] = []
  let offset = 0
  while (offset < bytes.length && !isZero(bytes.subarray(offset))) {
    const start = offset + FRAME_HEAD_BYTES
    if (start > bytes.length) break
    // A length that cannot be believed leads nowhere: what follows may have been acknowledged.
    if (crc32(bytes.subarray(offset, offset + 4)) !== view.getUint32(offset + 4))
      throw damaged(segment, offset)
    const end = start + view.getUint32(offset)
    if (end > bytes.length) break
    const payload = bytes.subarray(start, end)
    if (crc32(payload) !== view.getUint32(offset + 8)) {
      if (end < bytes.length) throw damaged(segment, offset)
      break
    }
    payloads.push(payload)
    offset = end
  }
  if (offset < bytes.length) {
    if (ending === 'whole') throw damaged(segment, offset)
    await truncate(segment.path, offset)
  }
  return payloads
}

const damaged = ({ path }: Segment, offset: number) =>
  new OperationError(
    'STORE_DAMAGED',
    `${path} is damaged at byte ${offset}: restore it from a copy; nothing after it was read`,
    { retryable: false },
  )

/** What a file system leaves where it had made room but not written yet. */
const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0)

/** Gives a segment another number, before it becomes a batch. */
export async function renumberSegment(segment: Segment, number: bigint): Promise<Segment> {
  const path = segmentPath(dirname(segment.path), number)
  await rename(segment.path, path)
  return { number, path }
}

/** Forgets a segment whose batch is durable. */
export async function removeSegment(segment: Segment): Promise<void> {
  await rm(segment.path, { force: true })
}

async function createSegment(directory: string, number: bigint): Promise<FileHandle> {
  await mkdir(directory, { recursive: true })
  const file = await open(segmentPath(directory, number), 'w')
  await syncDirectory(directory)
  return file
}

const segmentPath = (directory: string, number: bigint) =>
  join(directory, `${String(number).padStart(12, '0')}.wal`)

function frameHead(payload: Uint8Array): Uint8Array {
  const head = new Uint8Array(FRAME_HEAD_BYTES)
  const view = new DataView(head.buffer)
  view.setUint32(0, payload.length)
  view.setUint32(4, crc32(head.subarray(0, 4)))
  view.setUint32(8, crc32(payload))
  return head
}
