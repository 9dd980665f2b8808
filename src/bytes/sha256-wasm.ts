import type { Sha256Engine } from './sha256-engine.ts'
import { BUFFER, DIGEST, fillTables, LANE_DIGESTS, writeKernel } from './sha256-kernel.ts'

/** Bytes taken into the kernel's memory at a time; small enough to stay in a core's second cache. */
const CHUNK = 1 << 17
/** Leaves of up to so many blocks are hashed four at a time, longer ones alone. */
const MOST_BLOCKS = 64
/** Where a node's prefix and its two hashes stand: behind a chunk and its padding. */
const NODE = BUFFER + CHUNK + 128
/** Where leaves wait. */
const SLOTS = NODE + 128
const PAGES = Math.ceil((SLOTS + slotsBefore(MOST_BLOCKS + 1)) / 65536)

/** What a bare language core lacks of WebAssembly's JavaScript interface, as far as it is used here. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array<ArrayBuffer>) => object
  Instance: new (module: object) => { exports: unknown }
}

/** What `sha256-kernel.ts` exports. */
interface Kernel {
  memory: { buffer: ArrayBuffer }
  compress(at: number, blocks: number, fresh: 0 | 1): void
  lanes(at: number, stride: number, blocks: number, out: number): void
  node(at: number): void
  nodes(at: number, groups: number, out: number): void
  leaves(at: number, groups: number, out: number): void
}

/**
 * SHA-256 (FIPS 180-4) in WebAssembly, four messages at a time where there are many.
 *
 * @returns nothing where WebAssembly is missing, lacks SIMD, or is forbidden, as by a content security policy without
 * `wasm-unsafe-eval`
 */
export function loadWasmEngine(): Sha256Engine | undefined {
  try {
    // The module is our own: its exports are what the kernel says.
    return makeEngine(new WebAssembly.Instance(new WebAssembly.Module(writeKernel(PAGES))).exports as Kernel)
  } catch {
    return undefined
  }
}

function makeEngine(kernel: Kernel): Sha256Engine {
  const memory = new Uint8Array(kernel.memory.buffer)
  const view = new DataView(kernel.memory.buffer)
  fillTables(kernel.memory.buffer)

  /** Ends what stands at `at`, the last `length` bytes of a message: FIPS 180-4, section 5.1.1. */
  const pad = (at: number, length: number, messageLength: number): void => {
    const end = at + 64 * blocksOf(length)
    memory[at + length] = 0x80
    memory.fill(0, at + length + 1, end - 8)
    view.setUint32(end - 8, messageLength / 2 ** 29)
    view.setUint32(end - 4, messageLength << 3)
  }

  const digest = (data: Uint8Array): Uint8Array => {
    let start = 0
    let fresh: 0 | 1 = 1
    for (; data.length - start > CHUNK; start += CHUNK, fresh = 0) {
      memory.set(data.subarray(start, start + CHUNK), BUFFER)
      kernel.compress(BUFFER, CHUNK / 64, fresh)
    }
    memory.set(start === 0 ? data : data.subarray(start), BUFFER)
    pad(BUFFER, data.length - start, data.length)
    kernel.compress(BUFFER, blocksOf(data.length - start), fresh)
    return memory.slice(DIGEST, DIGEST + 32)
  }

  memory[NODE] = 0x01
  const hashNode = (left: Uint8Array, right: Uint8Array): Uint8Array => {
    memory.set(left, NODE + 1)
    memory.set(right, NODE + 33)
    kernel.node(NODE)
    return memory.slice(DIGEST, DIGEST + 32)
  }

  const hashNodes = (pairs: Uint8Array, out: Uint8Array): void => {
    for (let at = 0; at < pairs.length; at += CHUNK) {
      const chunk = pairs.subarray(at, at + CHUNK)
      memory.set(chunk, BUFFER)
      kernel.nodes(BUFFER, Math.ceil(chunk.length / 256), BUFFER)
      out.set(memory.subarray(BUFFER, BUFFER + chunk.length / 2), at / 2)
    }
  }

  const hashShortLeaves = (data: Uint8Array, out: Uint8Array): void => {
    for (let at = 0; at < out.length; at += CHUNK) {
      const chunk = data.subarray(at, Math.min(at + CHUNK, out.length))
      memory.set(chunk, BUFFER)
      kernel.leaves(BUFFER, Math.ceil(chunk.length / 128), BUFFER)
      out.set(memory.subarray(BUFFER, BUFFER + chunk.length), at)
    }
  }

  /** Lets leaves of as many blocks wait for each other until there are four. */
  const hashLongLeaves = (data: Uint8Array, ends: Uint32Array, out: Uint8Array): void => {
    const waiting: number[][] = Array.from({ length: MOST_BLOCKS + 1 }, () => [])
    const hashWaiting = (places: number[], blocks: number): void => {
      kernel.lanes(SLOTS + slotsBefore(blocks), 64 * blocks, blocks, LANE_DIGESTS)
      for (const [lane, place] of places.entries()) {
        const at = LANE_DIGESTS + 32 * lane
        out.set(memory.subarray(at, at + 32), 32 * place)
      }
      places.length = 0
    }
    let start = 0
    for (const [i, end] of ends.entries()) {
      const leaf = data.subarray(start, end)
      start = end
      const length = 1 + leaf.length
      const blocks = blocksOf(length)
      const places = waiting[blocks]
      if (places === undefined) {
        const message = new Uint8Array(length)
        message.set(leaf, 1)
        out.set(digest(message), 32 * i)
        continue
      }
      const slot = SLOTS + slotsBefore(blocks) + 64 * blocks * places.length
      memory[slot] = 0x00
      memory.set(leaf, slot + 1)
      pad(slot, length, length)
      if (places.push(i) === 4) hashWaiting(places, blocks)
    }
    for (const [blocks, places] of waiting.entries()) {
      if (places.length > 0) hashWaiting(places, blocks)
    }
  }

  const hashLeaves = (data: Uint8Array, ends: Uint32Array, out: Uint8Array): void => {
    if (areShort(ends)) hashShortLeaves(data, out)
    else hashLongLeaves(data, ends, out)
  }

  return { digest, hashNode, hashNodes, hashLeaves }
}

/** Whether all leaves have 32 bytes. */
function areShort(ends: Uint32Array): boolean {
  for (let i = 0; i < ends.length; i++) if (ends[i] !== 32 * i + 32) return false
  return true
}

/** Blocks of a message with its padding. */
function blocksOf(length: number): number {
  return Math.ceil((length + 9) / 64)
}

/** Bytes taken by the places of four leaves each of 1, 2, ... blocks, up to but not including `blocks`. */
function slotsBefore(blocks: number): number {
  return 128 * blocks * (blocks - 1)
}
