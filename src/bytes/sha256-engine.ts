/**
 * What a SHA-256 implementation offers: one message, or many: of any length, or the nodes of a Merkle tree
 * (RFC 9162, section 2.1.1). Lengths are the caller's to get right.
 */
export interface Sha256Engine {
  /** SHA-256 of one message. */
  digest(data: Uint8Array): Uint8Array
  /** `SHA-256(0x01 || left || right)` of two hashes. */
  hashNode(left: Uint8Array, right: Uint8Array): Uint8Array
  /** Writes `SHA-256(0x01 || pair)` for each 64-byte pair; `out` holds 32 bytes a pair and may start where `pairs` does. */
  hashNodes(pairs: Uint8Array, out: Uint8Array): void
  /**
   * Writes the SHA-256 of each message; message i is the prefix and then `data` from `starts[i]` up to `ends[i]`.
   *
   * @param prefix `leaf` puts 0x00 before each
   */
  hashMany(
    data: Uint8Array,
    starts: Uint32Array,
    ends: Uint32Array,
    prefix: 'leaf' | 'none',
    out: Uint8Array,
  ): void
}
