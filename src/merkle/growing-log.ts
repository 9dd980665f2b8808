import { InputError } from '../errors.ts'
import { EMPTY_ROOT, HASH_SIZE, hashNode } from './hash.ts'
import { findConsistencyPath, findInclusionPath, findRangePath } from './path.ts'
import { peakHeights } from './peaks.ts'
import { type Position, toIndex } from './position.ts'
import { outsideSubset, type Positions } from './subset.ts'
import { hashAt, isPowerOfTwo, joinSubtrees, type Subtrees } from './subtrees.ts'

/** Hashes end to end that can grow and shrink at the end. */
interface Level {
  bytes: Uint8Array
  size: number
}

/**
 * The log of a ledger as an indexer keeps it: answers for every size it has had, and can be cut back.
 *
 * Stores the roots of all perfect subtrees, 64 bytes a leaf; a proof hashes at most O(log² size) of them.
 */
export class GrowingLog {
  readonly #levels: Level[] = []

  /** Number of leaves. */
  get size(): number {
    return this.#levels[0]?.size ?? 0
  }

  /**
   * Adds one leaf.
   *
   * @param leafHash 32 bytes, copied
   * @throws {InputError} `BAD_ARGUMENT` if it is not 32 bytes
   */
  append(leafHash: Uint8Array): void {
    if (leafHash.length !== HASH_SIZE) {
      throw new InputError('BAD_ARGUMENT', `a leaf hash has 32 bytes, not ${leafHash.length}`)
    }
    let hash = leafHash
    for (let k = 0; ; k++) {
      const level = this.#levels[k] ?? { bytes: new Uint8Array(HASH_SIZE), size: 0 }
      this.#levels[k] = level
      push(level, hash)
      if (level.size % 2 === 1) return
      hash = hashNode(hashAt(level.bytes, level.size - 2), hash)
    }
  }

  /**
   * Forgets all leaves from position `size` on: what a reorg of the chain undoes.
   *
   * @throws {InputError} `BAD_ARGUMENT` if the log is smaller
   */
  truncate(size: Position): void {
    let kept = toIndex(size, this.size, 'size')
    for (const level of this.#levels) {
      level.size = kept
      kept = Math.floor(kept / 2)
    }
  }

  /**
   * The root when the log had `size` leaves.
   *
   * RFC 9162, section 2.1.1.
   */
  root(size: Position = this.size): Uint8Array {
    const leaves = toIndex(size, this.size, 'size')
    return leaves === 0 ? EMPTY_ROOT.slice() : this.#subtree(0, leaves)
  }

  /** The roots of the perfect subtrees when the log had `size` leaves, largest first. */
  peaks(size: Position = this.size): Uint8Array[] {
    let start = 0
    return peakHeights(toIndex(size, this.size, 'size')).map((height) => {
      const from = start
      start += 2 ** height
      return this.#subtree(from, start)
    })
  }

  /** As the function `inclusionPath`, in the log of `size` leaves. */
  inclusionPath(index: Position, size: Position = this.size): Uint8Array[] {
    const leaves = toIndex(size, this.size, 'size')
    return findInclusionPath(this.#subtree, toIndex(index, leaves - 1, 'index'), leaves)
  }

  /** As the function `consistencyPath`. */
  consistencyPath(size1: Position, size2: Position = this.size): Uint8Array[] {
    const second = toIndex(size2, this.size, 'size2')
    return findConsistencyPath(this.#subtree, toIndex(size1, second, 'size1'), second)
  }

  /** As the function `rangePath`, in the log of `size` leaves. */
  rangePath(from: Position, to: Position, size: Position = this.size): Uint8Array[] {
    const leaves = toIndex(size, this.size, 'size')
    const end = toIndex(to, leaves, 'to')
    return findRangePath(this.#subtree, toIndex(from, end, 'from'), end, leaves)
  }

  /** As the function `subsetPath`, in the log of `size` leaves. */
  subsetPath(positions: Positions, size: Position = this.size): Uint8Array[] {
    const leaves = toIndex(size, this.size, 'size')
    return outsideSubset(positions, leaves).map(([start, stop]) => this.#subtree(start, stop))
  }

  readonly #subtree: Subtrees = (from, to) => {
    const leaves = to - from
    if (!isPowerOfTwo(leaves)) return joinSubtrees(this.#subtree, from, to)
    return hashAt(this.#levels[Math.log2(leaves)]?.bytes, from / leaves)
  }
}

function push(level: Level, hash: Uint8Array): void {
  const used = HASH_SIZE * level.size
  if (used === level.bytes.length) {
    const grown = new Uint8Array(2 * used)
    grown.set(level.bytes)
    level.bytes = grown
  }
  level.bytes.set(hash, used)
  level.size++
}
