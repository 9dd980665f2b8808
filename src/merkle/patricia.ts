import { keccak_256 } from '@noble/hashes/sha3.js'
import { equalBytes } from '../bytes/bytes.ts'
import { type Hex, toHex } from '../bytes/hex.ts'
import { decodeRlp, encodeRlp, isBytes, type Rlp, rlpNumber } from '../bytes/rlp.ts'
import { VerificationError } from '../errors.ts'
import { HASH_SIZE } from './hash.ts'

/** Root of a Merkle-Patricia trie that holds nothing: Keccak-256 of the empty text's RLP. */
export const EMPTY_TRIE_ROOT: Uint8Array = keccak_256(encodeRlp(new Uint8Array()))

/** The key of an element in the trie of a block's transactions, or of their receipts. */
export const listKey = (index: number): Uint8Array => encodeRlp(rlpNumber(index))

/**
 * The value under a key of a Merkle-Patricia trie; undefined when the trie has none (Ethereum Yellow Paper, appendix D).
 *
 * A proof holds the nodes on the way to the key from the root on, each of which the one before names by its Keccak-256,
 * and nothing else: nodes of fewer than 32 bytes stand within those that lead to them, and an empty trie has no nodes.
 *
 * @param root 32 bytes, trusted
 * @throws {VerificationError} `BAD_EVIDENCE` when the proof does not lead to the root, or holds more than the way
 */
export function verifyTrie(
  root: Uint8Array,
  key: Uint8Array,
  proof: readonly Uint8Array[],
): Uint8Array | undefined {
  let used = 0
  const value = lookUp(root, key, (hash) => {
    const node = proof[used++]
    if (node === undefined) throw bad('a proof ends before its key')
    if (!equalBytes(keccak_256(node), hash))
      throw bad('a node of a proof is not the one that its parent names')
    return node
  })
  if (used < proof.length) throw bad('a proof holds more nodes than lead to its key')
  return value
}

/** @param load the node of a hash */
function lookUp(
  root: Uint8Array,
  key: Uint8Array,
  load: (hash: Uint8Array) => Uint8Array,
): Uint8Array | undefined {
  if (equalBytes(root, EMPTY_TRIE_ROOT)) return undefined
  let digits = digitsOf(key)
  let node = decodeRlp(load(root))
  while (true) {
    if (isBytes(node)) throw bad('a node of a proof is no list')
    let next: Rlp | undefined
    if (node.length === BRANCH) {
      if (digits.length === 0) return valueAt(node[BRANCH - 1])
      next = node[digits[0] ?? 0]
      digits = digits.subarray(1)
    } else {
      const { path, isLeaf } = readPath(node)
      const leads = equalBytes(path, digits.subarray(0, path.length))
      if (isLeaf) return leads && path.length === digits.length ? valueAt(node[1]) : undefined
      if (!leads) return undefined
      next = node[1]
      digits = digits.subarray(path.length)
    }
    if (!isBytes(next)) node = next ?? []
    else if (next.length === 0) return undefined
    else node = decodeRlp(load(next))
  }
}

/** Sixteen children and a value. */
const BRANCH = 17

function valueAt(item: Rlp | undefined): Uint8Array | undefined {
  if (!isBytes(item)) throw bad('a value in a proof is no bytes')
  return item.length === 0 ? undefined : item
}

/** The digits that a leaf or an extension adds; its first digit says which it is, and whether they are odd. */
function readPath(node: readonly Rlp[]): { path: Uint8Array; isLeaf: boolean } {
  const [packed] = node
  if (node.length !== 2 || !isBytes(packed)) throw bad('a node of a proof has neither 2 nor 17 members')
  const [kind = LEAF + 2, ...path] = digitsOf(packed)
  if (kind >= LEAF + 2) throw bad('a node of a proof is of no known kind')
  return { path: Uint8Array.from(path.slice(1 - (kind % 2))), isLeaf: kind >= LEAF }
}
const LEAF = 2

/** Hexadecimal digits of bytes. */
function digitsOf(bytes: Uint8Array): Uint8Array {
  const digits = new Uint8Array(2 * bytes.length)
  for (const [i, byte] of bytes.entries()) {
    digits[2 * i] = byte >> 4
    digits[2 * i + 1] = byte & 15
  }
  return digits
}

function packPath(digits: Uint8Array, isLeaf: boolean): Uint8Array {
  const isOdd = digits.length % 2
  const all = [...(isOdd ? [] : [0]), ...digits]
  all.unshift((isLeaf ? LEAF : 0) + isOdd)
  return Uint8Array.from({ length: all.length / 2 }, (_, i) => 16 * (all[2 * i] ?? 0) + (all[2 * i + 1] ?? 0))
}

/** A Merkle-Patricia trie that is held whole. */
export interface PatriciaTrie {
  /** 32 bytes */
  root: Uint8Array
  /** The proof of what the trie has under a key, or that it has nothing there. */
  prove(key: Uint8Array): Uint8Array[]
}

/** @param values of a block: its transactions, or their receipts, in their order */
export const listTrie = (values: readonly Uint8Array[]): PatriciaTrie =>
  buildTrie(values.map((value, index) => [listKey(index), value] as const))

/** @param entries keys, each once, and values, none of which is empty */
export function buildTrie(entries: readonly (readonly [key: Uint8Array, value: Uint8Array])[]): PatriciaTrie {
  const nodes = new Map<Hex, Uint8Array>()
  const put = (rlp: Uint8Array): Uint8Array => {
    const hash = keccak_256(rlp)
    nodes.set(toHex(hash), rlp)
    return hash
  }
  /** A node as its parent has it: itself while it is short, else its hash. */
  const refer = (node: Rlp): Rlp => {
    const rlp = encodeRlp(node)
    return rlp.length < HASH_SIZE ? node : put(rlp)
  }
  /** @param held at least one, whose first `depth` digits are the same */
  const build = (held: readonly Held[], depth: number): Rlp => {
    const [first] = held
    if (first !== undefined && held.length === 1)
      return [packPath(first.digits.subarray(depth), true), first.value]
    const fork = forkOf(held, depth)
    if (fork > depth) {
      return [
        packPath(first?.digits.subarray(depth, fork) ?? new Uint8Array(), false),
        refer(build(held, fork)),
      ]
    }
    const children = Array.from({ length: BRANCH - 1 }, (_, digit): Rlp => {
      const below = held.filter(({ digits }) => digits[depth] === digit)
      return below.length === 0 ? new Uint8Array() : refer(build(below, depth + 1))
    })
    return [...children, held.find(({ digits }) => digits.length === depth)?.value ?? new Uint8Array()]
  }
  const held = entries.map(([key, value]): Held => ({ digits: digitsOf(key), value }))
  const root = held.length === 0 ? EMPTY_TRIE_ROOT : put(encodeRlp(build(held, 0)))
  return {
    root,
    prove(key) {
      const proof: Uint8Array[] = []
      lookUp(root, key, (hash) => {
        const node = nodes.get(toHex(hash))
        if (node === undefined) throw new Error('the trie holds every node that it names')
        proof.push(node)
        return node
      })
      return proof
    },
  }
}

interface Held {
  digits: Uint8Array
  value: Uint8Array
}

/** How many digits all keys have in common. */
function forkOf([first, ...others]: readonly Held[], depth: number): number {
  let fork = depth
  while (
    first !== undefined &&
    fork < first.digits.length &&
    others.every(({ digits }) => digits[fork] === first.digits[fork])
  ) {
    fork++
  }
  return fork
}

/** The nodes of a proof as a node of the chain gives them, which may repeat short ones and show the emptiness of a trie. */
export const withoutEmbedded = (nodes: readonly Uint8Array[]): Uint8Array[] =>
  nodes.filter((node, i) => (i === 0 ? node.length > 1 : node.length >= HASH_SIZE))

const bad = (fault: string) => new VerificationError('BAD_EVIDENCE', fault)
