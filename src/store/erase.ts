import { readFile } from 'node:fs/promises'
import { encodeFrames, readFrame, readFrameTable, withoutDisclosures } from '../batch/index.ts'
import type { Hex } from '../bytes/hex.ts'
import { OperationError } from '../errors.ts'
import type { BatchFolder } from './batch-folder.ts'
import { compress, decompress } from './compression.ts'
import { orStoreFailed, syncDirectory, writeDurably } from './durable.ts'
import type { ErasedMember, Erasures, WaitingErasure } from './erasures.ts'
import { hasSegment, removeSegment, segmentPath } from './write-ahead-log.ts'

export interface ErasingParts {
  erasures: Erasures
  batches: BatchFolder
  /** the write-ahead log of the folder */
  logPath: string
  /** whose log it is; undefined where nobody runs that knows */
  publisher: Hex | undefined
  now: () => number
}

/**
 * Carries out the erasures that wait; for whoever has the folder to itself.
 *
 * Each vault is rewritten whole before its destruction counts as carried out, however often a crash makes it begin
 * again, and without anything that was ever erased from it, so that a copy put back is no way around it.
 *
 * @throws {OperationError} `STORE_FAILED` or `STORE_DAMAGED`; what is not carried out waits on
 */
export async function carryOutErasures(parts: ErasingParts): Promise<void> {
  const { erasures, batches, now } = parts
  const vaults = Map.groupBy(erasures.waiting(), ({ publisher, sequence }) =>
    batches.vaultPathOf(publisher, sequence),
  )
  const failures: unknown[] = []
  for (const [path, waiting] of vaults) {
    try {
      await eraseFrom(path, waiting)
    } catch (error) {
      // What is wrong with one vault keeps nothing in the others.
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]

  async function eraseFrom(path: string, waiting: readonly WaitingErasure[]): Promise<void> {
    const [{ publisher, sequence }] = waiting as [WaitingErasure] // a group has one at least
    if (!(await isGoneFromLog(parts, publisher, sequence))) return
    const { file } = await vaultWithout(path, erasures.of(publisher, sequence))
    await writeDurably(path, file)
    for (const { id, document } of waiting) {
      const record = { ...Object(JSON.parse(document)), time: new Date(now()).toISOString() }
      erasures.finish(id, JSON.stringify(record))
    }
  }
}

const nameOf = ({ position, member }: ErasedMember) => `${position} ${member}`

/** A segment that could not be removed when its batch was sealed holds what the vault holds. */
async function isGoneFromLog(
  { logPath, publisher: own }: ErasingParts,
  publisher: Hex,
  sequence: bigint,
): Promise<boolean> {
  if (!(await hasSegment(logPath, sequence))) return true
  // Of another publisher's log, the segment of this number is another batch, perhaps one that is being written.
  if (own !== publisher) return false
  await orStoreFailed(logPath, async () => {
    await removeSegment({ number: sequence, path: segmentPath(logPath, sequence) })
    await syncDirectory(logPath)
  })
  return true
}

/** What a vault is without some members, and whether it holds any of them. */
export async function vaultWithout(
  path: string,
  members: readonly ErasedMember[],
): Promise<{ file: Uint8Array; holdsSome: boolean }> {
  const erased = new Set(members.map(nameOf))
  let holdsSome = false
  const isErased = (position: number, member: string) => {
    const isOne = erased.has(nameOf({ position, member }))
    holdsSome ||= isOne
    return isOne
  }
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new OperationError('STORE_FAILED', `could not read ${path}`, { cause })
  })
  const read = async (offset: number, length: number) => bytes.subarray(offset, offset + length)
  const frames: Uint8Array[] = []
  for (const frame of await readFrameTable(read, bytes.length)) {
    frames.push(withoutDisclosures(await readFrame(read, frame, decompress), isErased))
  }
  return { file: encodeFrames(frames, compress), holdsSome }
}
