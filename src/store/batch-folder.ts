import { mkdir, open, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type BatchFileName,
  decodeItem,
  expandFrame,
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
import { IndexReader } from '../lookup/index.ts'
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

  /** Where the vault of a batch lies. */
  vaultPathOf(publisher: Hex, sequence: bigint): string {
    return join(this.pathOf(publisher, sequence), 'vault.ndjson.zst')
  }

  /** Where the files of a batch lie, or would. */
  pathOf(publisher: Hex, sequence: bigint): string {
    return join(this.root, publisher, String(sequence).padStart(12, '0'))
  }
}

/** Bytes of neighbouring frames that are read together. */
const READ_AT_ONCE = 1 << 20

/**
 * Asks an index file, and leaves nothing open.
 *
 * @throws {OperationError} `STORE_FAILED` when it cannot be opened
 */
export async function useIndexFile<T>(path: string, work: (index: IndexReader) => Promise<T>): Promise<T> {
  const index = await openFile(path)
  try {
    return await work(await IndexReader.open(index.read))
  } finally {
    await index.close()
  }
}

/** The records of one batch and their tree, opened for questions; close it after. It believes the files. */
export class OpenBatch {
  readonly #path: string
  readonly #records: OpenFile
  readonly #frames: Frame[]
  #tree: Promise<OpenFile> | undefined

  private constructor(path: string, records: OpenFile, frames: Frame[]) {
    this.#path = path
    this.#records = records
    this.#frames = frames
  }

  static async open(path: string): Promise<OpenBatch> {
    const records = await openFile(join(path, 'records.ndjson.zst'))
    try {
      const sizeBytes = await records.size()
      return new OpenBatch(path, records, await readFrameTable(await tailOf(records, sizeBytes), sizeBytes))
    } catch (cause) {
      await records.close()
      if (cause instanceof OperationError) throw cause
      throw new OperationError('STORE_FAILED', `could not open the batch at ${path}`, { cause })
    }
  }

  /** Where a file of the batch is. */
  pathOf(name: BatchFileName): string {
    return join(this.#path, name)
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
    let text: Uint8Array = new Uint8Array()
    let starts: number[] = []
    for (const position of positions) {
      const wanted = Math.floor(position / FRAME_RECORDS)
      if (wanted !== frame) {
        frame = wanted
        text = await this.#text(frame)
        starts = lineStarts(text)
      }
      // Most of a frame is not asked for: only what is becomes text.
      const [start, end] = [starts[position % FRAME_RECORDS], starts[(position % FRAME_RECORDS) + 1]]
      if (start === undefined || end === undefined) throw missing(position)
      items.push(decodeItem(decodeLine(text.subarray(start, end - 1))))
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

  /** The bytes of the text of every frame in their order, and whether it is the last. */
  async *frames(): AsyncGenerator<{ text: Uint8Array; isLast: boolean }> {
    const last = this.#frames.at(-1)
    for (let first = 0; first < this.#frames.length; ) {
      const start = this.#frames[first]?.offset ?? 0
      let end = first
      let size = 0
      for (let frame = this.#frames[end]; frame !== undefined; frame = this.#frames[++end]) {
        if (end > first && size + frame.compressedBytes > READ_AT_ONCE) break
        size += frame.compressedBytes
      }
      const bytes = await this.#records.read(start, size)
      for (const frame of this.#frames.slice(first, end)) {
        const from = frame.offset - start
        const text = expandFrame(bytes.subarray(from, from + frame.compressedBytes), frame, decompress)
        yield { text, isLast: frame === last }
      }
      first = end
    }
  }

  /** Private disclosures of `count` records from position `first` on that have not been erased, a list a record. */
  async vaultFrom(first: number, count: number): Promise<string[][]> {
    const found: string[][] = Array.from({ length: count }, () => [])
    const vault = await openFile(this.pathOf('vault.ndjson.zst'))
    try {
      const frames = await readFrameTable(vault.read, await vault.size())
      const [start, end] = [first, first + count - 1].map((position) => Math.floor(position / FRAME_RECORDS))
      for (const frame of frames.slice(start, (end ?? 0) + 1)) {
        for (const line of frameLines(await readFrame(vault.read, frame, decompress))) {
          const { position, disclosures } = parseVaultLine(line)
          if (found[position - first] !== undefined) found[position - first] = disclosures
        }
      }
      return found
    } finally {
      await vault.close()
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
    await this.#records.close()
    await (await this.#tree?.catch(() => undefined))?.close()
  }

  async #lines(index: number): Promise<string[]> {
    const frame = this.#frames[index]
    return frame === undefined ? [] : frameLines(await readFrame(this.#records.read, frame, decompress))
  }

  /** The bytes of a frame; none beyond the last. */
  async #text(index: number): Promise<Uint8Array> {
    const frame = this.#frames[index]
    if (frame === undefined) return new Uint8Array()
    return expandFrame(await this.#records.read(frame.offset, frame.compressedBytes), frame, decompress)
  }

  /** Few questions need the tree. */
  readonly #readTree: ReadBytes = async (offset, length) => {
    this.#tree ??= openFile(join(this.#path, 'tree.bin'))
    return (await this.#tree).read(offset, length)
  }
}

/** Where each line starts, and where the last one ends. */
function lineStarts(text: Uint8Array): number[] {
  const starts = [0]
  for (let feed = text.indexOf(LINE_FEED); feed !== -1; feed = text.indexOf(LINE_FEED, feed + 1)) {
    starts.push(feed + 1)
  }
  return starts
}

const LINE_FEED = 0x0a
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decodeLine(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw damaged('a line of the batch is not text', cause)
  }
}

interface OpenFile {
  /** @throws {OperationError} `STORE_DAMAGED` when the file ends before */
  read: ReadBytes
  size(): Promise<number>
  close(): Promise<void>
}

/** What a damaged count can make us reserve before we look how much the file holds. */
const UNCHECKED_BYTES = 1024 * 1024

/** @throws {OperationError} `STORE_FAILED` when it cannot be opened */
async function openFile(path: string): Promise<OpenFile> {
  const handle = await open(path, 'r').catch((cause: unknown) => {
    throw new OperationError('STORE_FAILED', `could not open ${path}`, { cause })
  })
  const size = async () => (await handle.stat()).size
  return {
    async read(offset, length) {
      const isTooLong = length > UNCHECKED_BYTES && offset + length > (await size())
      const bytes = new Uint8Array(isTooLong ? 0 : length)
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, offset)
      if (bytesRead !== length) throw damaged(`${path} ends before byte ${offset + length}`)
      return bytes
    },
    size,
    close: () => handle.close(),
  }
}

/** More than a frame table has of a batch of 65,536 records. */
const TAIL_BYTES = 4_096

/** Reads a file whose end has been read at once. */
async function tailOf({ read }: OpenFile, sizeBytes: number): Promise<ReadBytes> {
  const start = Math.max(0, sizeBytes - TAIL_BYTES)
  const tail = await read(start, sizeBytes - start)
  return async (offset, length) =>
    offset < start ? read(offset, length) : tail.subarray(offset - start, offset - start + length)
}

const missing = (position: number) => damaged(`the batch has no record ${position}`)

const damaged = (message: string, cause?: unknown) =>
  new OperationError('STORE_DAMAGED', message, { cause, retryable: false })

function ignoreMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error
}
