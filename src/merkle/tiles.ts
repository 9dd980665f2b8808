import { InputError } from '../errors.ts'
import { inclusionPath } from './path.ts'
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

/** How many hashes each stored level has, leaves first. */
function levelWidths(leafCount: number): number[] {
  const widths = [leafCount]
  for (let width = leafCount; width > TILE_WIDTH; ) {
    width = Math.ceil(width / TILE_WIDTH)
    widths.push(width)
  }
  return widths
}
