import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Item, isSealedItem, parseItem } from '../batch/index.ts'
import { type Hex, isHex } from '../bytes/hex.ts'
import { InputError } from '../errors.ts'
import { parseRecord } from '../record/index.ts'
import { OpenBatch } from '../store/batch-folder.ts'

/** A record as a source writes it, or as the ledger keeps it, with what opens its pseudonyms where it stands beside it. */
export function readAny(value: unknown): Item {
  return isSealedItem(value) || holdsDigests(value)
    ? parseItem(value)
    : { record: parseRecord(value), disclosures: [] }
}

function holdsDigests(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('data' in value)) return false
  return typeof value.data === 'object' && value.data !== null && '_sd' in value.data
}

/** A batch of a folder. */
export interface FoundBatch {
  publisher: Hex
  sequence: bigint
  path: string
}

/**
 * All batches below a folder, publisher by publisher; each is open until the next one is asked for.
 *
 * @throws {InputError} `BAD_ARGUMENT` when there is none
 */
export async function* openBatches(folder: string): AsyncGenerator<FoundBatch & { batch: OpenBatch }> {
  for await (const found of listBatches(folder)) {
    const batch = await OpenBatch.open(found.path)
    try {
      yield { ...found, batch }
    } finally {
      await batch.close()
    }
  }
}

/** The same, none of them opened. */
export async function* listBatches(folder: string): AsyncGenerator<FoundBatch> {
  let count = 0
  for (const publisher of await listFolder(folder)) {
    if (!isHex(publisher, 20)) continue
    for (const name of await listFolder(join(folder, publisher))) {
      if (!/^\d+$/.test(name)) continue
      count++
      yield { publisher, sequence: BigInt(name), path: join(folder, publisher, name) }
    }
  }
  if (count === 0) throw new InputError('BAD_ARGUMENT', `there is no batch in ${folder}`)
}

async function listFolder(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).sort()
  } catch (cause) {
    throw new InputError('BAD_ARGUMENT', `cannot read ${path}: ${(cause as Error).message}`, {}, { cause })
  }
}
