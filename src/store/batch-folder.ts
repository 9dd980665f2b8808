import { type FileHandle, mkdir, open, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type BatchFileName,
  decodeItem,
  FRAME_RECORDS,
  type Frame,
  frameLines,
  type Header,
  type Item,
  parseJsonHeader,
  parseSubmissions,
  parseVaultLine,
  readFrame,
  readFrameTable,
  type SealedBatch,
  type Submission,
} from '../batch/index.ts'
import type { Hex } from '../bytes/hex.ts'
import { OperationError, VerificationError } from '../errors.ts'
import { IndexReader, type LookupProof } from '../lookup/index.ts'
import {
  HASH_SIZE,
  type Positions,
  type ReadBytes,
  readInclusionPath,
  readRangePath,
  readSubsetPath,
} from '../merkle/index.ts'
import { decompress } from './compression.ts'
import { isMissing, writeFolderDurably } from './durable.ts'

/** The immutable batch files on disk: `<root>/<publisher>/<sequence>/<file>`. */
export class BatchFolder {
  readonly root: string

  constructor(root: string) {
    this.root = root
  }

  /** Durable when it returns; a batch that is there already is left as it is. */
  async save({ header, files }: SealedBatch): Promise<void> {
    if (await this.has(header.publisher, header.sequence)) return
    await mkdir(join(this.root, header.publisher), { recursive: true })
    await writeFolderDurably(this.pathOf(header.publisher, header.sequence), files)
  }

  async has(publisher: Hex, sequence: bigint): Promise<boolean> {
    return (await stat(this.pathOf(publisher, sequence)).catch(ignoreMissing)) !== undefined
  }

  /** @throws {OperationError} `STORE_FAILED` when there is no such batch */
  async loadHeader(publisher: Hex, sequence: bigint): Promise<Header> {
    return parseJsonHeader(await this.#loadJson(publisher, sequence, 'header.json'))
  }

  async loadSubmissions(header: Header): Promise<Submission[]> {
    const value = await this.#loadJson(header.publisher, header.sequence, 'submissions.json')
    return parseSubmissions(value, header.recordCount)
  }

  async open(publisher: Hex, sequence: bigint): Promise<OpenBatch> {
    return OpenBatch.open(this.pathOf(publisher, sequence))
  }

  /**
   * Asks the index of a batch alone, and leaves nothing open.
   *
   * @throws {OperationError} `STORE_FAILED` when it cannot be opened
   */
  useIndex<T>(publisher: Hex, sequence: bigint, work: (index: IndexReader) => Promise<T>): Promise<T> {
    return useIndexFile(this.indexPathOf(publisher, sequence), work)
  }

  async #loadJson(publisher: Hex, sequence: bigint, name: BatchFileName): Promise<unknown> {
    const path = join(this.pathOf(publisher, sequence), name)
    try {
      return JSON.parse(await readFile(path, 'utf8'))
    } catch (cause) {
      if (cause instanceof SyntaxError)
        throw new VerificationError('BATCH_MISMATCH', `${name} is not JSON`, { cause })
      throw new OperationError('STORE_FAILED', `could not read ${path}`, { cause })
    }
  }

  /** Where the index of a batch lies. */
  indexPathOf(publisher: Hex, sequence: bigint): string {
    return join(this.pathOf(publisher, sequence), 'index.bin')
  }

  /** Where the files of a batch lie, or would. */
  pathOf(publisher: Hex, sequence: bigint): string {
    return join(this.root, publisher, String(sequence).padStart(12, '0'))
  }
}

/**
 * Asks an index file, and leaves nothing open.
 *
 * @throws {OperationError} `STORE_FAILED` when it cannot be opened
 */
export async function useIndexFile<T>(path: string, work: (index: IndexReader) => Promise<T>): Promise<T> {
  const handle = await open(path, 'r').catch((cause: unknown) => {
    throw new OperationError('STORE_FAILED', `could not open ${path}`, { cause })
  })
  try {
    const { read } = await readerOf(handle, path)
    return await work(await IndexReader.open(read))
  } finally {
    await handle.close()
  }
}

/** The files of one batch, opened for questions; close it after. It believes the files: verify what it answers. */
export class OpenBatch {
  readonly #path: string
  readonly #handles: readonly FileHandle[]
  readonly #readTree: ReadBytes
  readonly #readRecords: ReadBytes
  readonly #index: IndexReader
  readonly #frames: Frame[]

  private constructor(
    path: string,
    handles: readonly FileHandle[],
    readTree: ReadBytes,
    readRecords: ReadBytes,
    index: IndexReader,
    frames: Frame[],
  ) {
    this.#path = path
    this.#handles = handles
    this.#readTree = readTree
    this.#readRecords = readRecords
    this.#index = index
    this.#frames = frames
  }

  static async open(path: string): Promise<OpenBatch> {
    const handles: FileHandle[] = []
    try {
      const openFile = async (name: BatchFileName) => {
        const handle = await open(join(path, name), 'r')
        handles.push(handle)
        return readerOf(handle, join(path, name))
      }
      const tree = await openFile('tree.bin')
      const records = await openFile('records.ndjson.zst')
      const index = await openFile('index.bin')
      const frames = await readFrameTable(records.read, records.sizeBytes)
      return new OpenBatch(path, handles, tree.read, records.read, await IndexReader.open(index.read), frames)
    } catch (cause) {
      await Promise.all(handles.map((handle) => handle.close()))
      if (cause instanceof OperationError || cause instanceof VerificationError) throw cause
      throw new OperationError('STORE_FAILED', `could not open the batch at ${path}`, { cause })
    }
  }

  /** Where a file of the batch is. */
  pathOf(name: BatchFileName): string {
    return join(this.#path, name)
  }

  /** Positions of the records under an index key. */
  find(key: Uint8Array): Promise<Uint32Array> {
    return this.#index.find(key)
  }

  prove(key: Uint8Array): Promise<LookupProof> {
    return this.#index.prove(key)
  }

  async item(position: number): Promise<Item> {
    const [item] = await this.itemsFrom(position, 1)
    if (item === undefined) throw missing(position)
    return item
  }

  /**
   * `count` records from position `first` on; each frame is read once.
   *
   * @throws {OperationError} `STORE_DAMAGED` when the batch has fewer
   */
  async itemsFrom(first: number, count: number): Promise<Item[]> {
    const items: Item[] = []
    for (let position = first; position < first + count; position = first + items.length) {
      const start = position % FRAME_RECORDS
      const lines = await this.#lines(Math.floor(position / FRAME_RECORDS))
      const wanted = lines.slice(start, start + count - items.length)
      if (wanted.length === 0) throw missing(position)
      items.push(...wanted.map(decodeItem))
    }
    return items
  }

  /**
   * The records at some positions, in the order given; neighbours of one frame are read together.
   *
   * @throws {OperationError} `STORE_DAMAGED` when the batch does not have one of them
   */
  async itemsAt(positions: Positions): Promise<Item[]> {
    const items: Item[] = []
    let frame = -1
    let lines: string[] = []
    for (const position of positions) {
      const wanted = Math.floor(position / FRAME_RECORDS)
      if (wanted !== frame) {
        frame = wanted
        lines = await this.#lines(frame)
      }
      const line = lines[position % FRAME_RECORDS]
      if (line === undefined) throw missing(position)
      items.push(decodeItem(line))
    }
    return items
  }

  /**
   * All records in their order.
   *
   * @throws {VerificationError} `BATCH_MISMATCH` or `MALFORMED_RECORD`
   */
  async *items(): AsyncGenerator<Item> {
    for await (const lines of this.lines()) yield* lines.map(decodeItem)
  }

  /**
   * The lines of all records in their order, a frame at a time.
   *
   * @throws {VerificationError} `BATCH_MISMATCH`
   */
  async *lines(): AsyncGenerator<string[]> {
    for (let frame = 0; frame < this.#frames.length; frame++) {
      const lines = await this.#lines(frame)
      // Otherwise a position would lead to another line than its record's.
      const isLast = frame === this.#frames.length - 1
      if (lines.length === 0 || lines.length > FRAME_RECORDS || (!isLast && lines.length < FRAME_RECORDS)) {
        throw new VerificationError(
          'BATCH_MISMATCH',
          `frame ${frame} of the records has ${lines.length} lines`,
        )
      }
      yield lines
    }
  }

  /** Private disclosures of `count` records from position `first` on that have not been erased, a list a record. */
  async vaultFrom(first: number, count: number): Promise<string[][]> {
    const found: string[][] = Array.from({ length: count }, () => [])
    const path = this.pathOf('vault.ndjson.zst')
    const handle = await open(path, 'r')
    try {
      const { read, sizeBytes } = await readerOf(handle, path)
      const frames = await readFrameTable(read, sizeBytes)
      const [start, end] = [first, first + count - 1].map((position) => Math.floor(position / FRAME_RECORDS))
      for (const frame of frames.slice(start, (end ?? 0) + 1)) {
        for (const line of frameLines(await readFrame(read, frame, decompress))) {
          const { position, disclosures } = parseVaultLine(line)
          if (found[position - first] !== undefined) found[position - first] = disclosures
        }
      }
      return found
    } finally {
      await handle.close()
    }
  }

  inclusionPath(recordCount: number, position: number): Promise<Uint8Array[]> {
    return readInclusionPath(this.#readTree, recordCount, position)
  }

  subsetPath(recordCount: number, positions: Positions): Promise<Uint8Array[]> {
    return readSubsetPath(this.#readTree, recordCount, positions)
  }

  /** Leaf hashes of `count` records from position `first` on, one after the other, and the range path that completes them to the root. */
  async leavesFrom(recordCount: number, first: number, count: number) {
    return {
      leaves: await this.#readTree(HASH_SIZE * first, HASH_SIZE * count),
      path: await readRangePath(this.#readTree, recordCount, first, first + count),
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#handles.map((handle) => handle.close()))
  }

  async #lines(index: number): Promise<string[]> {
    const frame = this.#frames[index]
    return frame === undefined ? [] : frameLines(await readFrame(this.#readRecords, frame, decompress))
  }
}

/**
 * Reads exactly what is asked for, so that a damaged count cannot make us reserve more than the file holds.
 *
 * @throws {OperationError} `STORE_DAMAGED` when the file ends before
 */
async function readerOf(handle: FileHandle, path: string): Promise<{ read: ReadBytes; sizeBytes: number }> {
  const { size } = await handle.stat()
  const read: ReadBytes = async (offset, length) => {
    if (offset + length > size) throw damaged(`${path} ends before byte ${offset + length}`)
    const bytes = new Uint8Array(length)
    const { bytesRead } = await handle.read(bytes, 0, length, offset)
    if (bytesRead !== length) throw damaged(`${path} ends before byte ${offset + length}`)
    return bytes
  }
  return { read, sizeBytes: size }
}

const missing = (position: number) => damaged(`the batch has no record ${position}`)

const damaged = (message: string) => new OperationError('STORE_DAMAGED', message, { retryable: false })

function ignoreMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error
}
