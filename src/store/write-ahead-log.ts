import { type FileHandle, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { OperationError } from '../errors.ts'
import { orStoreFailed, syncDirectory } from './durable.ts'
import { decodeSegment, encodeEnd, encodeFrameHead, encodeGroup, SECTOR_BYTES } from './log-format.ts'

/**
 * A segment grows by so many zeros ahead of what is written: a sync that need not change the size of a file, nor find
 * room for it, is one write to the disk. A group as large as this gains nothing and would only be written twice.
 */
const STEP_BYTES = 256 * 1024
/** A full disk must not keep a segment from being ended, so there is always room for that. */
const END_ROOM_BYTES = SECTOR_BYTES
const ZEROS = new Uint8Array(STEP_BYTES)

/** One segment found on disk; its number is the sequence of the batch that it becomes. */
export interface Segment {
  number: bigint
  path: string
}

interface Append {
  /** the parts of its frame */
  frame: [head: Uint8Array, ...payload: Uint8Array[]]
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
  /** of what was synced: a multiple of a sector */
  #size = 0
  /** of the file; what lies beyond `#size` is zeros */
  #fileSize = 0
  /** in the order of the calls, so that a caller knows which segment an append goes to */
  #queue: (Append | Rotation)[] = []
  #working: Promise<void> | undefined
  #broken: OperationError | undefined
  #groups = 0

  private constructor(directory: string, number: bigint, file: FileHandle) {
    this.#directory = directory
    this.#number = number
    this.#file = file
  }

  /** Opens the log for writing at segment `number`, which must be new or empty. */
  static async open(directory: string, number: bigint): Promise<WriteAheadLog> {
    return new WriteAheadLog(directory, number, await createSegment(directory, number))
  }

  /** How many groups of appends have been synced. */
  get syncedGroups(): number {
    return this.#groups
  }

  /**
   * Durable when it resolves.
   *
   * @param payload in parts, together without 512 zeros in a row, which would hide damage to the last group
   * @throws {OperationError} `STORE_FAILED`; then neither this nor any append called after it is in the log, unless the
   *   disk failed in the sync itself: after a restart it may be
   */
  append(...payload: Uint8Array[]): Promise<void> {
    const frame: Append['frame'] = [encodeFrameHead(...payload), ...payload]
    return new Promise((resolve, reject) => this.#enqueue({ frame, resolve, reject }))
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
      if (isAppend(next)) await this.#flush()
      else await this.#turnOver(next)
    }
    this.#working = undefined
  }

  async #flush(): Promise<void> {
    const end = this.#queue.findIndex((call) => !isAppend(call))
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
      await endSegment(this.#file, this.#size)
      const next = await createSegment(this.#directory, this.#number + 1n)
      const closed = { number: this.#number, path: segmentPath(this.#directory, this.#number) }
      await this.#file.close()
      this.#file = next
      this.#number++
      this.#size = 0
      this.#fileSize = 0
      rotation.resolve(closed)
    } catch (cause) {
      this.#broken = new OperationError(
        'STORE_FAILED',
        'the log could not go on to its next segment; restart',
        {
          cause,
        },
      )
      rotation.reject(this.#broken)
      for (const { reject } of this.#queue.splice(0)) reject(this.#broken)
    }
  }

  async #write(group: readonly Append[]): Promise<void> {
    if (this.#broken !== undefined) throw this.#broken
    const parts = encodeGroup(
      group.flatMap(({ frame }) => frame),
      this.#size,
    )
    const sizeBytes = parts.reduce((sum, part) => sum + part.length, 0)
    try {
      await this.#writeWithRoom(parts, sizeBytes)
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
      // It was refused, so better it does not come back; but whether it does is beyond us now.
      await this.#cutBack().catch(() => undefined)
      throw cause
    }
    this.#size += sizeBytes
    this.#groups++
  }

  async #writeWithRoom(parts: readonly Uint8Array[], sizeBytes: number): Promise<void> {
    const room = this.#roomAfter(sizeBytes)
    const { bytesWritten } = await this.#file.writev([...parts, ZEROS.subarray(0, room)], this.#size)
    // A disk that fills up takes a part, and says so by nothing else.
    const missing = sizeBytes + Math.min(room, END_ROOM_BYTES) - bytesWritten
    if (missing > 0) throw new Error(`the disk did not take the last ${missing} bytes`)
    this.#fileSize = Math.max(this.#fileSize, this.#size + bytesWritten)
  }

  #roomAfter(sizeBytes: number): number {
    if (this.#size + sizeBytes + END_ROOM_BYTES <= this.#fileSize) return 0
    return sizeBytes < STEP_BYTES ? STEP_BYTES : END_ROOM_BYTES
  }

  async #cutBack(): Promise<void> {
    const room = this.#size === 0 ? 0 : END_ROOM_BYTES
    await writeWhole(this.#file, ZEROS.subarray(0, room), this.#size)
    await this.#file.truncate(this.#size + room)
    await this.#file.datasync()
    this.#fileSize = this.#size + room
  }
}

const isAppend = (call: Append | Rotation): call is Append => 'frame' in call

/** The segments on disk, oldest first. */
export async function listSegments(directory: string): Promise<Segment[]> {
  await mkdir(directory, { recursive: true })
  const names = (await readdir(directory)).filter((name) => /^\d{12}\.wal$/.test(name)).sort()
  return names.map((name) => ({ number: BigInt(name.slice(0, 12)), path: join(directory, name) }))
}

/**
 * Reads a segment's payloads.
 *
 * @param ending `torn` for the last segment of the log: a group that a crash tore was never acknowledged; it is cut
 *   off, the segment ended and all of it synced. `whole` for one that was ended before
 * @throws {OperationError} `STORE_DAMAGED` with the file and the offset; `STORE_FAILED`
 */
export async function readSegment(segment: Segment, ending: 'torn' | 'whole'): Promise<Uint8Array[]> {
  const bytes = await readFile(segment.path)
  const { payloads, size, isEnded, damagedAt, isGrouped } = decodeSegment(bytes)
  if (damagedAt !== undefined) throw damaged(segment, damagedAt)
  if (ending === 'whole' && !isEnded) throw damaged(segment, size)
  if (ending === 'torn') await settle(segment.path, bytes.subarray(0, size), isGrouped)
  return payloads
}

const damaged = ({ path }: Segment, offset: number) =>
  new OperationError(
    'STORE_DAMAGED',
    `${path} is damaged at byte ${offset}: restore it from a copy; nothing after it was read`,
    { retryable: false },
  )

/**
 * What is read may be in the memory of the operating system alone: the process was killed before its sync, or the sync
 * failed, after which Linux takes the pages for clean. So it is written once more, in its place, which takes no room.
 */
const settle = (path: string, bytes: Uint8Array, isGrouped: boolean): Promise<void> =>
  orStoreFailed(path, async () => {
    const file = await open(path, 'r+')
    try {
      await writeWhole(file, bytes, 0)
      if (isGrouped && bytes.length > 0) return await endSegment(file, bytes.length)
      await file.truncate(bytes.length)
      await file.datasync()
    } finally {
      await file.close()
    }
  })

async function endSegment(file: FileHandle, size: number): Promise<void> {
  const end = encodeEnd(size)
  await writeWhole(file, end, size)
  await file.truncate(size + end.length)
  await file.datasync()
}

async function writeWhole(file: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  const { bytesWritten } = await file.write(bytes, 0, bytes.length, offset)
  if (bytesWritten !== bytes.length) {
    throw new Error(`the disk took ${bytesWritten} of ${bytes.length} bytes`)
  }
}

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

/** Whether the log has a segment of this number. */
export async function hasSegment(directory: string, number: bigint): Promise<boolean> {
  return (await listSegments(directory)).some((segment) => segment.number === number)
}

async function createSegment(directory: string, number: bigint): Promise<FileHandle> {
  await mkdir(directory, { recursive: true })
  const file = await open(segmentPath(directory, number), 'w')
  await syncDirectory(directory)
  return file
}

export const segmentPath = (directory: string, number: bigint) =>
  join(directory, `${String(number).padStart(12, '0')}.wal`)
