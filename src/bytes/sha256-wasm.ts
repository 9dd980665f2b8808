import type { Sha256Engine } from './sha256-engine.ts'
import { BUFFER, DIGEST, fillTables, LANE_DIGESTS, writeKernel } from './sha256-kernel.ts'

/** Bytes taken into the kernel's memory at a time; small enough to stay in a core's second cache. */
const CHUNK = 1 << 17
/** Messages of up to so many blocks are hashed four at a time, longer ones alone. */
const MOST_BLOCKS = 64
/** More bytes than this are copied in one call. */
const LONG_COPY = 160
/** Where a node's prefix and its two hashes stand: behind a chunk and its padding. */
const NODE = BUFFER + CHUNK + 128
/** Where messages wait. */
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

  /** The leaves are hashes, end to end. */
  const hashShortLeaves = (data: Uint8Array, out: Uint8Array): void => {
    for (let at = 0; at < out.length; at += CHUNK) {
      const chunk = data.subarray(at, Math.min(at + CHUNK, out.length))
      memory.set(chunk, BUFFER)
      kernel.leaves(BUFFER, Math.ceil(chunk.length / 128), BUFFER)
      out.set(memory.subarray(BUFFER, BUFFER + chunk.length), at)
    }
  }

  const places = new Uint32Array(4 * (MOST_BLOCKS + 1))
  const waiting = new Uint8Array(MOST_BLOCKS + 1)
  const hashWaiting = (blocks: number, out: Uint8Array): void => {
    kernel.lanes(SLOTS + slotsBefore(blocks), 64 * blocks, blocks, LANE_DIGESTS)
    const count = waiting[blocks] as number
    for (let lane = 0; lane < count; lane++) {
      const from = LANE_DIGESTS + 32 * lane
      const to = 32 * (places[4 * blocks + lane] as number)
      for (let i = 0; i < 32; i++) out[to + i] = memory[from + i] as number
    }
    waiting[blocks] = 0
  }

  /** Lets messages of as many blocks wait for each other until there are four. */
  const hashMany: Sha256Engine['hashMany'] = (data, starts, ends, prefix, out) => {
    if (prefix === 'leaf' && areHashes(starts, ends)) {
      hashShortLeaves(data.subarray(starts[0] ?? 0), out)
      return
    }
    const prefixBytes = prefix === 'leaf' ? 1 : 0
    for (let i = 0; i < ends.length; i++) {
      const [start, end] = [starts[i] as number, ends[i] as number]
      const length = prefixBytes + end - start
      const blocks = blocksOf(length)
      if (blocks > MOST_BLOCKS) {
        const message = new Uint8Array(length)
        message.set(data.subarray(start, end), prefixBytes)
        out.set(digest(message), 32 * i)
        continue
      }
      const lane = waiting[blocks] as number
      const slot = SLOTS + slotsBefore(blocks) + 64 * blocks * lane
      memory[slot] = 0x00
      copy(data, start, end, memory, slot + prefixBytes)
      padShort(slot, length, slot + 64 * blocks)
      places[4 * blocks + lane] = i
      waiting[blocks] = lane + 1
      if (lane === 3) hashWaiting(blocks, out)
    }
    for (let blocks = 1; blocks <= MOST_BLOCKS; blocks++) if (waiting[blocks] !== 0) hashWaiting(blocks, out)
  }

  /** As `pad`, for messages of less than 2^29 bytes that begin where they stand. */
  const padShort = (at: number, length: number, end: number): void => {
    memory[at + length] = 0x80
    for (let i = at + length + 1; i < end - 4; i++) memory[i] = 0
    view.setUint32(end - 4, length << 3)
  }

  return { digest, hashNode, hashNodes, hashMany }
}

/** Copies few bytes sooner than a call of `set` begins. */
function copy(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): void {
  if (end - start > LONG_COPY) to.set(from.subarray(start, end), at)
  else for (let i = start; i < end; i++) to[at + i - start] = from[i] as number
}

/** Whether all messages have 32 bytes, end to end. */
function areHashes(starts: Uint32Array, ends: Uint32Array): boolean {
  const first = starts[0] ?? 0
  for (let i = 0; i < ends.length; i++) {
    if (starts[i] !== first + 32 * i || ends[i] !== first + 32 * i + 32) return false
  }
  return true
}

/** Blocks of a message with its padding. */
function blocksOf(length: number): number {
  return Math.ceil((length + 9) / 64)
}

/** Bytes taken by the places of four messages each of 1, 2, ... blocks, up to but not including `blocks`. */
function slotsBefore(blocks: number): number {
  return 128 * blocks * (blocks - 1)
}
