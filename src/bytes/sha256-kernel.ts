import * as code from './sha256-code.ts'
import { byteAt, type Code, call, type Fn, FOUR, get, int, ONE, plus, repeat, set } from './sha256-code.ts'
import { K, ROUND_LOCALS, rounds } from './sha256-rounds.ts'

/** Where things stand in the kernel's memory; `BUFFER` and beyond are the caller's. */
const K_AT = 0
const STATE_AT = 256
const WORDS_AT = 384
export const DIGEST = 768
export const LANE_DIGESTS = 896
const TABLE_AT = 1024
export const BUFFER = TABLE_AT + 256 * 256 + 64

const FROM_0_TO_3 = [0, 1, 2, 3]

const one = { counter: 3, ...rounds(ONE, STATE_AT, 4) }
const oneBlock = one.block(
  (t) => code.swapOne(ONE.load(get(0), 4 * t)),
  (bytes, t) => ONE.load(bytes, K_AT + 4 * t),
  one.counter,
)
const oneDigest: Code = Array.from({ length: 8 }, (_, i) =>
  ONE.store(int(DIGEST + 4 * i), code.swapOne(ONE.load(int(STATE_AT + 4 * i)))),
)

/** One message, or a further part of it: parameters at, blocks, fresh. Leaves its digest so far at `DIGEST`. */
const compress: Fn = {
  name: 'compress',
  params: 3,
  locals: [ONE, ROUND_LOCALS],
  code: [code.when(get(2), one.fresh), repeat(1, [oneBlock, set(0, plus(get(0), int(64)))]), oneDigest],
}

/** One node, its prefix and its two hashes: parameters at, and two of scratch. Leaves its digest at `DIGEST`. */
function node(): Fn {
  const words = Array.from({ length: 8 }, (_, t) => 14 + t)
  const prepare = words.map((local, t) => set(local, ONE.load(plus(get(1), get(one.counter)), 4 * t)))
  return {
    name: 'node',
    params: 3,
    locals: [ONE, ROUND_LOCALS],
    code: [
      one.fresh,
      oneBlock,
      set(1, tableRow(byteAt(get(0), 64))),
      one.readyBlock(prepare, words, one.counter),
      oneDigest,
    ],
  }
}

/** Where K_t + W_t stand ready for the second block of a node that ends with this byte. */
const tableRow = (byte: Code): Code => plus([byte, int(8), 0x74], int(TABLE_AT))

/** Begins four messages. */
const fresh: Fn = { params: 0, locals: [FOUR, 0], code: rounds(FOUR, STATE_AT, 0).fresh }

/** Lays the words of a block of four messages side by side at `WORDS_AT`: parameters at, stride between them. */
function gather(): Fn {
  const rows = 3
  const message = (lane: number): Code => [get(0), Array(lane).fill([get(1), 0x6a])]
  const quarter = (q: number): Code => [
    FROM_0_TO_3.map((i) => set(rows + i, code.swapFour(FOUR.load(message(i), 16 * q), rows + 4))),
    code.transpose(rows),
    FROM_0_TO_3.map((i) => putWord(4 * q + i, get(rows + i))),
  ]
  return { params: 2, locals: [FOUR, 8], code: FROM_0_TO_3.map(quarter) }
}

const putWord = (t: number, value: Code): Code => FOUR.store(int(WORDS_AT + 16 * t), value)
const wordAt = (t: number): Code => FOUR.load(int(WORDS_AT + 16 * t))
/** Keeps the bits under the mask and sets others. */
const patchWord = (t: number, mask: number, bits: number): Code =>
  putWord(t, FOUR.xor(FOUR.and(wordAt(t), FOUR.constant(mask)), FOUR.constant(bits)))

/** Compresses the block at `WORDS_AT`. */
function compressFour(): Fn {
  const k = (bytes: Code, t: number): Code => code.spread(bytes, K_AT + 4 * t)
  return { params: 0, locals: [FOUR, ROUND_LOCALS], code: rounds(FOUR, STATE_AT, 1).block(wordAt, k, 0) }
}

/** Compresses a block whose K_t + W_t stand ready in memory: four parameters, where they do for each message. */
function compressReady(): Fn {
  const counter = 4
  const rows = 15
  const fourWords = (half: number): Code => [
    FROM_0_TO_3.map((i) => set(rows + 4 * half + i, FOUR.load(plus(get(i), get(counter)), 16 * half))),
    code.transpose(rows + 4 * half),
  ]
  const words = Array.from({ length: 8 }, (_, t) => rows + t)
  const block = rounds(FOUR, STATE_AT, 5).readyBlock([fourWords(0), fourWords(1)], words, counter)
  return { params: 4, locals: [FOUR, 22], code: block }
}

/** Writes the four digests end to end: parameter where. */
function scatter(): Fn {
  const rows = 2
  const half = (n: number): Code => [
    FROM_0_TO_3.map((i) => set(rows + i, FOUR.load(int(STATE_AT + 16 * (4 * n + i))))),
    code.transpose(rows),
    FROM_0_TO_3.map((i) => FOUR.store(get(0), code.swapFour(get(rows + i), rows + 4), 32 * i + 16 * n)),
  ]
  return { params: 1, locals: [FOUR, 8], code: [half(0), half(1)] }
}

/** The functions' places in the module. */
const [FRESH, GATHER, COMPRESS_FOUR, COMPRESS_READY, SCATTER] = [1, 2, 3, 4, 5]

/** Four padded messages of one length: parameters at, stride between them, blocks of each, out. */
const lanes: Fn = {
  name: 'lanes',
  params: 4,
  locals: [FOUR, 0],
  code: [
    call(FRESH),
    repeat(2, [call(GATHER, get(0), get(1)), call(COMPRESS_FOUR), set(0, plus(get(0), int(64)))]),
    call(SCATTER, get(3)),
  ],
}

/**
 * `SHA-256(0x01 || 64 bytes)` four at a time: parameters at, groups of four, out, which may be at. Reading from one
 * byte early makes room for the prefix. The second block holds the last byte and padding alone, so that there are only
 * 256 such: a table has them ready.
 */
const nodes: Fn = {
  name: 'nodes',
  params: 3,
  locals: [FOUR, 0],
  code: repeat(1, [
    call(FRESH),
    call(GATHER, plus(get(0), int(-1)), int(64)),
    patchWord(0, 0x00ffffff, 0x01000000),
    call(COMPRESS_FOUR),
    call(COMPRESS_READY, ...FROM_0_TO_3.map((i) => tableRow(byteAt(get(0), 64 * i + 63)))),
    call(SCATTER, get(2)),
    set(0, plus(get(0), int(256))),
    set(2, plus(get(2), int(128))),
  ]),
}

/** `SHA-256(0x00 || 32 bytes)`, one block with its padding, likewise. */
const leaves: Fn = {
  name: 'leaves',
  params: 3,
  locals: [FOUR, 0],
  code: repeat(1, [
    call(FRESH),
    call(GATHER, plus(get(0), int(-1)), int(32)),
    patchWord(0, 0x00ffffff, 0x00000000),
    patchWord(8, 0xff000000, 0x00800000),
    [9, 10, 11, 12, 13, 14].map((t) => putWord(t, FOUR.constant(0))),
    putWord(15, FOUR.constant(8 * 33)),
    call(COMPRESS_FOUR),
    call(SCATTER, get(2)),
    set(0, plus(get(0), int(128))),
    set(2, plus(get(2), int(128))),
  ]),
}

/**
 * Writes the WebAssembly module that hashes: one message, or four side by side, each in a lane of v128.
 *
 * @param pages of 64 KiB, the size of its memory
 */
export function writeKernel(pages: number): Uint8Array<ArrayBuffer> {
  const fns = [
    compress,
    fresh,
    gather(),
    compressFour(),
    compressReady(),
    scatter(),
    lanes,
    nodes,
    leaves,
    node(),
  ]
  return code.encodeModule(fns, pages)
}

/** Puts in place what the kernel expects in its memory: K, and K_t + W_t of a node's second block by its first byte. */
export function fillTables(memory: ArrayBufferLike): void {
  const view = new DataView(memory)
  for (const [t, k] of K.entries()) view.setUint32(K_AT + 4 * t, k, true)
  const rotr = (x: number, n: number): number => (x >>> n) | (x << (32 - n))
  const w = new Uint32Array(64)
  for (let byte = 0; byte < 256; byte++) {
    w.fill(0)
    w[0] = (byte << 24) | 0x800000
    w[15] = 8 * 65
    for (const [t, k] of K.entries()) {
      const [x, y] = [w[t - 15] ?? 0, w[t - 2] ?? 0]
      const sigma0 = rotr(x, 7) ^ rotr(x, 18) ^ (x >>> 3)
      const sigma1 = rotr(y, 17) ^ rotr(y, 19) ^ (y >>> 10)
      if (t >= 16) w[t] = (w[t - 16] ?? 0) + sigma0 + (w[t - 7] ?? 0) + sigma1
      view.setUint32(TABLE_AT + 256 * byte + 4 * t, (w[t] ?? 0) + k, true)
    }
  }
}
