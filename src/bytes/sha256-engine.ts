/**
 * What a SHA-256 implementation offers: one message, or the two shapes a Merkle tree hashes in bulk
 * (RFC 9162, section 2.1.1). Lengths are the caller's to get right.
 */
export interface Sha256Engine {
  /** SHA-256 of one message. */
  digest(data: Uint8Array): Uint8Array
  /** `SHA-256(0x01 || left || right)` of two hashes. */
  hashNode(left: Uint8Array, right: Uint8Array): Uint8Array
  /** Writes `SHA-256(0x01 || pair)` for each 64-byte pair; `out` holds 32 bytes a pair and may start where `pairs` does. */
  hashNodes(pairs: Uint8Array, out: Uint8Array): void
  /** Writes `SHA-256(0x00 || leaf)` for each leaf; leaf i is `data` from `ends[i - 1]` (or 0) up to `ends[i]`. */
  hashLeaves(data: Uint8Array, ends: Uint32Array, out: Uint8Array): void
}
