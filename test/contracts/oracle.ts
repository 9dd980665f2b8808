import { createHash } from 'node:crypto'
import { MerkleTree } from 'merkletreejs'
import { hashNode } from './header.ts'

/** SHA-256 of nothing. */
export const EMPTY_ROOT = '0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

const prefixed = (data: Buffer): Buffer => createHash('sha256').update('\x01').update(data).digest()

/** A plain merkletreejs tree, whose nodes a prefixing hash function makes those of RFC 9162. */
const treeOf = (leafHashes: string[]): MerkleTree =>
  new MerkleTree(
    leafHashes.map((hash) => Buffer.from(hash.slice(2), 'hex')),
    prefixed,
  )

export const rootOf = (leafHashes: string[]): string =>
  leafHashes.length === 0 ? EMPTY_ROOT : treeOf(leafHashes).getHexRoot()

export const inclusionPath = (leafHashes: string[], index: number): string[] =>
  treeOf(leafHashes)
    .getProof(Buffer.from(leafHashes[index]!.slice(2), 'hex'), index)
    .map(({ data }) => `0x${data.toString('hex')}`)

/** RFC 9162, section 2.1.4.1, word for word, over merkletreejs roots. */
export function consistencyPath(leafHashes: string[], size1: number): string[] {
  const subproof = (m: number, leaves: string[], whole: boolean): string[] => {
    if (m === leaves.length) return whole ? [] : [rootOf(leaves)]
    const k = 2 ** Math.ceil(Math.log2(leaves.length) - 1)
    const [left, right] = [leaves.slice(0, k), leaves.slice(k)]
    return m <= k
      ? [...subproof(m, left, whole), rootOf(right)]
      : [...subproof(m - k, right, false), rootOf(left)]
  }
  return subproof(size1, leafHashes, true)
}

/**
 * A path and the root that it implies, by RFC 9162, section 2.1.3.2, step by step. Siblings are drawn where the algorithm
 * takes an element of the path, so that a tree of any size can be made up around a leaf.
 */
export function imagineInclusion(
  leafHash: string,
  index: bigint,
  size: bigint,
  sibling: (i: number) => string,
) {
  const path: string[] = []
  let [fn, sn, r] = [index, size - 1n, leafHash]
  while (sn !== 0n) {
    const p = addTo(path, sibling)
    if (isOdd(fn) || fn === sn) {
      r = hashNode(p, r)
      while (!isOdd(fn) && fn !== 0n) [fn, sn] = [fn >> 1n, sn >> 1n]
    } else r = hashNode(r, p)
    ;[fn, sn] = [fn >> 1n, sn >> 1n]
  }
  return { path, root: r }
}

/** A path and the two roots that it implies, by RFC 9162, section 2.1.4.2, step by step. */
export function imagineConsistency(size1: bigint, size2: bigint, sibling: (i: number) => string) {
  const path: string[] = []
  let [fn, sn] = [size1 - 1n, size2 - 1n]
  while (isOdd(fn)) [fn, sn] = [fn >> 1n, sn >> 1n]
  const first = fn === 0n ? sibling(-1) : addTo(path, sibling)
  let [fr, sr] = [first, first]
  while (sn !== 0n) {
    const c = addTo(path, sibling)
    if (isOdd(fn) || fn === sn) {
      ;[fr, sr] = [hashNode(c, fr), hashNode(c, sr)]
      while (!isOdd(fn) && fn !== 0n) [fn, sn] = [fn >> 1n, sn >> 1n]
    } else sr = hashNode(sr, c)
    ;[fn, sn] = [fn >> 1n, sn >> 1n]
  }
  return { path, root1: fr, root2: sr }
}

const isOdd = (value: bigint) => (value & 1n) === 1n

function addTo(path: string[], sibling: (i: number) => string): string {
  const hash = sibling(path.length)
  path.push(hash)
  return hash
}

/** The root of the first `size` leaves from the `node` values of at most log2(size) events. */
export function rootFromNodes(nodes: string[], size: number): string {
  const peaks: string[] = []
  for (let level = 0; size >> level !== 0; level++) {
    const end = (size >> level) << level
    if ((size >> level) & 1) peaks.push(nodes[end - 1]!)
  }
  return peaks.length === 0 ? EMPTY_ROOT : peaks.reduce((hash, peak) => hashNode(peak, hash))
}

/** How many levels the perfect subtree has that covers a leaf. */
export function peakHeight(index: number, size: number): number {
  return 31 - Math.clz32(index ^ size)
}

/** Flips one bit of 0x-prefixed bytes. */
export function flipBit(bytes: string, bit: number): string {
  const position = 2 + (bit >> 2)
  const digit = Number.parseInt(bytes[position]!, 16) ^ (1 << (bit & 3))
  return bytes.slice(0, position) + digit.toString(16) + bytes.slice(position + 1)
}
