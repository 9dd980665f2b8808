import { type FileHandle, open } from 'node:fs/promises'
import type { Header } from '../batch/index.ts'
import { toHex } from '../bytes/hex.ts'
import { OperationError } from '../errors.ts'
import { KEY_GROUPS, KEY_HEAD_BYTES, KEY_ROW_BYTES, recordKeysPath } from '../indexer/record-keys.ts'
import { KEY_BYTES } from '../lookup/index.ts'

/** A batch whose keys are looked through. */
export interface KeyedBatch {
  logIndex: bigint
  header: Header
}

interface RecordPlace {
  logIndex: bigint
  position: number
}

/** The records of a batch that an earlier batch holds under the same source and id. */
export interface RepeatedRecords {
  count: number
  /** of some of them, at most 100 */
  positions: number[]
  /** the first of them, and where the earlier one is */
  first: { position: number; earlier: RecordPlace }
}

/** Keys held in memory at a time, 8 bytes each, unless a single group of them is larger. */
const KEYS_AT_ONCE = 2 ** 20
const MAX_POSITIONS = 100

/**
 * Finds records that stand in several batches, by the files that `saveRecordKeys` has left.
 *
 * Compares every record with every other, a stretch of the keys at a time: memory does not grow with the ledger before
 * it has some 250 million records, and then by 8 bytes for each 256 more.
 *
 * @param batches in the ledger's order; walked through several times
 * @returns by the index of the later batch
 * @throws {OperationError} `STORE_DAMAGED` when a file is not there or is cut off
 */
export async function findRepeatedRecords(
  keysPath: string,
  batches: () => Iterable<KeyedBatch>,
  keysAtOnce = KEYS_AT_ONCE,
): Promise<Map<bigint, RepeatedRecords>> {
  const repeated = new Map<bigint, RepeatedRecords>()
  const rows = (start: number, end: number) => readGroups(keysPath, batches, start, end)
  const sizes = await countGroups(keysPath, batches)
  for (let start = 0, end = 0; start < KEY_GROUPS; start = end) {
    let total = 0
    do total += sizes[end++] as number
    while (end < KEY_GROUPS && total + (sizes[end] as number) <= keysAtOnce)
    const suspects = await findAlike(rows(start, end), total)
    if (suspects.size > 0) await collect(rows(start, end), suspects, repeated)
  }
  for (const { positions } of repeated.values()) positions.sort((a, b) => a - b)
  return repeated
}

/** Rows of one batch whose keys start with the bytes that were asked for. */
interface Rows extends KeyedBatch {
  view: DataView
  count: number
}

/** Beginnings of keys that stand there twice. */
async function findAlike(batches: AsyncIterable<Rows>, total: number): Promise<Set<number>> {
  const beginnings = new Float64Array(total)
  let size = 0
  for await (const { view, count } of batches) {
    for (let row = 0; row < count; row++) beginnings[size++] = beginningOf(view, row)
  }
  beginnings.sort()
  const alike = new Set<number>()
  for (let i = 1; i < size; i++) {
    if (beginnings[i] === beginnings[i - 1]) alike.add(beginnings[i] as number)
  }
  return alike
}

async function collect(
  batches: AsyncIterable<Rows>,
  suspects: ReadonlySet<number>,
  repeated: Map<bigint, RepeatedRecords>,
): Promise<void> {
  const first = new Map<string, RecordPlace>()
  for await (const { logIndex, view, count } of batches) {
    for (let row = 0; row < count; row++) {
      if (!suspects.has(beginningOf(view, row))) continue
      const key = toHex(new Uint8Array(view.buffer, view.byteOffset + KEY_ROW_BYTES * row, KEY_BYTES))
      const position = view.getUint32(KEY_ROW_BYTES * row + KEY_BYTES)
      const earlier = first.get(key)
      if (earlier === undefined) first.set(key, { logIndex, position })
      // One that its own batch holds twice is found where the batch is checked.
      else if (earlier.logIndex !== logIndex) note(repeated, logIndex, position, earlier)
    }
  }
}

function note(
  repeated: Map<bigint, RepeatedRecords>,
  logIndex: bigint,
  position: number,
  earlier: RecordPlace,
): void {
  const known = repeated.get(logIndex)
  if (known === undefined) {
    repeated.set(logIndex, { count: 1, positions: [position], first: { position, earlier } })
    return
  }
  known.count++
  if (position < known.first.position) known.first = { position, earlier }
  if (known.positions.length < MAX_POSITIONS) known.positions.push(position)
}

/** As much of a key as a float holds exactly. */
const beginningOf = (view: DataView, row: number): number =>
  view.getUint32(KEY_ROW_BYTES * row) * 2 ** 21 + (view.getUint32(KEY_ROW_BYTES * row + 4) >>> 11)

async function countGroups(keysPath: string, batches: () => Iterable<KeyedBatch>): Promise<Float64Array> {
  const sizes = new Float64Array(KEY_GROUPS)
  for (const batch of batches()) {
    await useKeys(keysPath, batch, async (starts) => {
      for (let group = 0; group < KEY_GROUPS; group++) sizes[group]! += starts(group + 1) - starts(group)
    })
  }
  return sizes
}

async function* readGroups(
  keysPath: string,
  batches: () => Iterable<KeyedBatch>,
  start: number,
  end: number,
): AsyncGenerator<Rows> {
  for (const batch of batches()) {
    const view = await useKeys(keysPath, batch, (starts, read) =>
      read(
        KEY_HEAD_BYTES + KEY_ROW_BYTES * starts(start),
        Math.max(0, KEY_ROW_BYTES * (starts(end) - starts(start))),
      ),
    )
    yield { ...batch, view, count: view.byteLength / KEY_ROW_BYTES }
  }
}

type Read = (offset: number, length: number) => Promise<DataView>

async function useKeys<T>(
  keysPath: string,
  { header }: KeyedBatch,
  work: (starts: (group: number) => number, read: Read) => Promise<T>,
): Promise<T> {
  const path = recordKeysPath(keysPath, header)
  let handle: FileHandle | undefined
  try {
    handle = await open(path, 'r')
    const { size } = await handle.stat()
    const read: Read = async (offset, length) => {
      if (offset + length > size) throw new RangeError(`it ends before byte ${offset + length}`)
      const bytes = new Uint8Array(length)
      await handle?.read(bytes, 0, length, offset)
      return new DataView(bytes.buffer)
    }
    const head = await read(0, KEY_HEAD_BYTES)
    return await work((group) => head.getUint32(4 * group), read)
  } catch (cause) {
    const { message } = cause as Error
    throw new OperationError('STORE_DAMAGED', `${path}: ${message}; begin a new audit in another folder`, {
      cause,
      retryable: false,
    })
  } finally {
    await handle?.close()
  }
}
