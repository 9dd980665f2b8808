import { sha256 } from '@noble/hashes/sha2.js'
import type { Sha256Engine } from './sha256-engine.ts'

/** SHA-256 (FIPS 180-4) in plain JavaScript: what is left where WebAssembly is missing or forbidden. */
export const portableEngine: Sha256Engine = {
  digest: (data) => sha256(data),

  hashNode(left, right) {
    const message = new Uint8Array(65)
    message[0] = 0x01
    message.set(left, 1)
    message.set(right, 33)
    return sha256(message)
  },

  hashNodes(pairs, out) {
    for (let at = 0; at < out.length; at += 32) {
      out.set(
        this.hashNode(pairs.subarray(2 * at, 2 * at + 32), pairs.subarray(2 * at + 32, 2 * at + 64)),
        at,
      )
    }
  },

  hashMany(data, starts, ends, prefix, out) {
    const before = prefix === 'leaf' ? Uint8Array.of(0x00) : new Uint8Array(0)
    for (const [i, end] of ends.entries()) {
      out.set(sha256.create().update(before).update(data.subarray(starts[i], end)).digest(), 32 * i)
    }
  },
}
