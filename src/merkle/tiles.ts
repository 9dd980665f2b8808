import { InputError } from '../errors.ts'
import { EMPTY_ROOT } from './hash.ts'
import { findRangePath, inclusionPath } from './path.ts'
import { toIndex } from './position.ts'
import { outsideSubset, type Positions } from './subset.ts'
import { treeRoot } from './tree.ts'

/**
 * A tree as it is stored: its leaf hashes, then the roots of each 256 of them, then of each 256 of those, until at
 * most 256 are left (docs/format.md, "Tree files"; the heights are those of C2SP tlog-tiles).
 *
 * Any path then costs two short reads and 2 * 255 hashes for up to 65,536 leaves, at 32.1 bytes a leaf.
 */
const TILE_WIDTH = 256

/** Reads `length` bytes from `offset` of a stored file. */
export type ReadBytes = (offset: number, length: number) => Promise<Uint8Array>

/** @param leafHashes one or more hashes of 32 bytes, one after the other */
export function encodeTiles(leafHashes: Uint8Array): Uint8Array {
  const widths = levelWidths(leafHashes.length / 32)
  const file = new Uint8Array(tilesSize(leafHashes.length / 32))
  file.set(leafHashes)
  let level = file.subarray(0, leafHashes.length)
  let end = level.length
  for (const width of widths.slice(1)) {
    for (let i = 0; i < width; i++) {
      file.set(treeRoot(level.subarray(i * TILE_WIDTH * 32, (i + 1) * TILE_WIDTH * 32)), end + 32 * i)
    }
    level = file.subarray(end, end + 32 * width)
    end += level.length
  }
  return file
}

/** Bytes of the stored tree of `leafCount` leaves. */
export const tilesSize = (leafCount: number): number =>
  32 * levelWidths(leafCount).reduce((sum, width) => sum + width, 0)

/**
 * The inclusion path of a leaf (RFC 9162, section 2.1.3.1) out of a stored tree.
 *
 * @throws {InputError} `BAD_ARGUMENT` when the index is not in the tree
 */
export async function readInclusionPath(
  read: ReadBytes,
  leafCount: number,
  index: number,
): Promise<Uint8Array[]> {
  if (!Number.isSafeInteger(index) || index < 0 || index >= leafCount) {
    throw new InputError('BAD_ARGUMENT', `a tree of ${leafCount} leaves has no leaf ${index}`)
  }
  const path: Uint8Array[] = []
  let offset = 0
  let place = index
  for (const width of levelWidths(leafCount)) {
    const first = place - (place % TILE_WIDTH)
    const tile = await read(offset + 32 * first, 32 * Math.min(TILE_WIDTH, width - first))
    path.push(...inclusionPath(tile, place - first))
    offset += 32 * width
    place = first / TILE_WIDTH
  }
  return path
}

/**
 * The path that completes leaves `from` up to `to` to the root (`rangePath`), out of a stored tree: a read of at most
 * 256 hashes for each of its elements.
 *
 * @throws {InputError} `BAD_ARGUMENT` unless `from <= to <= leafCount`
 */
export async function readRangePath(
  read: ReadBytes,
  leafCount: number,
  from: number,
  to: number,
): Promise<Uint8Array[]> {
  const end = toIndex(to, leafCount, 'to')
  const outside: [start: number, stop: number][] = []
  const note = (start: number, stop: number) => {
    outside.push([start, stop])
    return EMPTY_ROOT
  }
  findRangePath(note, toIndex(from, end, 'from'), end, leafCount)
  const path: Uint8Array[] = []
  for (const [start, stop] of outside) path.push(await readSubtree(read, leafCount, start, stop))
  return path
}

/**
 * The path that completes the leaves at some positions to the root (`subsetPath`), out of a stored tree: a read of at
 * most 256 hashes for each of its elements.
 *
 * @throws {InputError} `BAD_ARGUMENT` unless the positions ascend and lie in the tree
 */
export async function readSubsetPath(
  read: ReadBytes,
  leafCount: number,
  positions: Positions,
): Promise<Uint8Array[]> {
  const path: Uint8Array[] = []
  for (const [start, stop] of outsideSubset(positions, leafCount)) {
    path.push(await readSubtree(read, leafCount, start, stop))
  }
  return path
}

/** The root over leaves `start` up to `stop`, a subtree as of `Subtrees`, from the highest level that has it whole. */
async function readSubtree(
  read: ReadBytes,
  leafCount: number,
  start: number,
  stop: number,
): Promise<Uint8Array> {
  let offset = 0
  let [first, last] = [start, stop]
  for (const width of levelWidths(leafCount)) {
    // A subtree of more than a tile begins with one, and ends with one or with the tree.
    if (last - first <= TILE_WIDTH) return treeRoot(await read(offset + 32 * first, 32 * (last - first)))
    offset += 32 * width
    first /= TILE_WIDTH
    last = Math.ceil(last / TILE_WIDTH)
  }
  throw new RangeError('the last level of a stored tree has at most a tile')
}

/** How many hashes each stored level has, leaves first. */
function levelWidths(leafCount: number): number[] {
  const widths = [leafCount]
  for (let width = leafCount; width > TILE_WIDTH; ) {
    width = Math.ceil(width / TILE_WIDTH)
    widths.push(width)
  }
  return widths
}
