import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Header, hashHeader, ownKeys, type RecordHashes } from '../batch/index.ts'
import { toHex } from '../bytes/hex.ts'
import { KEY_BYTES } from '../lookup/index.ts'
import { orStoreFailed, writeDurably } from '../store/durable.ts'

/**
 * A file of the keys under which the records of one batch are found by source and id, so that all batches together can
 * be searched for repeated ones: 257 u32, where the rows of each first byte of a key start and where the last ones end;
 * then the rows, each a key and the u32 position of its record.
 */
export const KEY_GROUPS = 256
export const KEY_HEAD_BYTES = 4 * (KEY_GROUPS + 1)
export const KEY_ROW_BYTES = KEY_BYTES + 4

export const recordKeysPath = (folder: string, header: Header): string =>
  join(folder, `${toHex(hashHeader(header)).slice(2)}.keys`)

/** Durable when it returns. */
export async function saveRecordKeys(folder: string, header: Header, records: RecordHashes): Promise<void> {
  const path = recordKeysPath(folder, header)
  await orStoreFailed(path, async () => {
    await mkdir(dirname(path), { recursive: true })
  })
  await writeDurably(path, encodeRecordKeys(records))
}

function encodeRecordKeys(records: RecordHashes): Uint8Array {
  const { count, keys } = records
  const file = new Uint8Array(KEY_HEAD_BYTES + KEY_ROW_BYTES * count)
  const view = new DataView(file.buffer)
  const own = ownKeys(records)
  const next = new Uint32Array(KEY_GROUPS + 1)
  for (const key of own) next[(keys[KEY_BYTES * key] as number) + 1]!++
  for (let group = 1; group <= KEY_GROUPS; group++) next[group]! += next[group - 1] as number
  for (const [group, start] of next.entries()) view.setUint32(4 * group, start)
  for (const [position, key] of own.entries()) {
    const row = KEY_HEAD_BYTES + KEY_ROW_BYTES * next[keys[KEY_BYTES * key] as number]!++
    file.set(keys.subarray(KEY_BYTES * key, KEY_BYTES * (key + 1)), row)
    view.setUint32(row + KEY_BYTES, position)
  }
  return file
}
