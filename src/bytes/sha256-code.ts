/**
 * Pieces of a WebAssembly module's bytes, as much as SHA-256 needs. Opcodes and layout: WebAssembly Core
 * Specification 2.0, section 5.
 */

/** Bytes, nested as they were put together. */
export type Code = readonly (number | Code)[]

const unsigned = (n: number): Code => (n < 128 ? [n] : [(n & 127) | 128, unsigned(n >>> 7)])
const signed = (n: number): Code => (n >= -64 && n < 64 ? [n & 127] : [(n & 127) | 128, signed(n >> 7)])
const simd = (opcode: number): Code => [0xfd, unsigned(opcode)]
const access = (opcode: Code, offset: number): Code => [opcode, 0, unsigned(offset)]

export const get = (local: number): Code => [0x20, unsigned(local)]
export const set = (local: number, value: Code): Code => [value, 0x21, unsigned(local)]
export const tee = (local: number, value: Code): Code => [value, 0x22, unsigned(local)]
export const int = (n: number): Code => [0x41, signed(n | 0)]
export const plus = (x: Code, y: Code): Code => [x, y, 0x6a]
export const call = (fn: number, ...args: Code[]): Code => [args, 0x10, fn]
export const when = (condition: Code, body: Code): Code => [condition, 0x04, 0x40, body, 0x0b]
export const byteAt = (at: Code, offset: number): Code => [at, access([0x2d], offset)]
/** Runs the body until the i32 local, lowered by one each time, is 0. */
export const repeat = (counter: number, body: Code): Code => [
  ...[0x03, 0x40, body],
  ...[tee(counter, plus(get(counter), int(-1))), 0x0d, 0, 0x0b],
]

/** Runs the body until the i32 local, raised by `step` each time, reaches `limit`. */
export const until = (counter: number, limit: number, body: Code, step: number): Code => [
  ...[0x03, 0x40, body],
  ...[tee(counter, plus(get(counter), int(step))), int(limit), 0x49, 0x0d, 0, 0x0b],
]

/** Arithmetic on 32-bit words: of one message (i32), or of four side by side (v128). */
export interface Words {
  readonly type: number
  readonly size: number
  add(...terms: Code[]): Code
  and(x: Code, y: Code): Code
  xor(...terms: Code[]): Code
  shr(x: Code, bits: number): Code
  rotr(x: Code, bits: number): Code
  constant(word: number): Code
  load(at: Code, offset?: number): Code
  store(at: Code, value: Code, offset?: number): Code
}

const chain =
  (opcode: Code) =>
  (...terms: Code[]): Code =>
    terms.reduce((x, y) => [x, y, opcode])

export const ONE: Words = {
  type: 0x7f,
  size: 4,
  add: chain([0x6a]),
  and: chain([0x71]),
  xor: chain([0x73]),
  shr: (x, bits) => [x, int(bits), 0x76],
  rotr: (x, bits) => [x, int(bits), 0x78],
  constant: int,
  load: (at, offset = 0) => [at, access([0x28], offset)],
  store: (at, value, offset = 0) => [at, value, access([0x36], offset)],
}

export const FOUR: Words = {
  type: 0x7b,
  size: 16,
  add: chain(simd(0xae)),
  and: chain(simd(0x4e)),
  xor: chain(simd(0x51)),
  shr: (x, bits) => [x, int(bits), simd(0xad)],
  rotr: (x, bits) => FOUR.xor(FOUR.shr(x, bits), [x, int(32 - bits), simd(0xab)]),
  constant: (word) => [int(word), simd(0x11)],
  load: (at, offset = 0) => [at, access(simd(0x00), offset)],
  store: (at, value, offset = 0) => [at, value, access(simd(0x0b), offset)],
}

/** One 32-bit word from memory in all four lanes. */
export const spread = (at: Code, offset: number): Code => [at, access(simd(0x09), offset)]

/** Turns the bytes of an i32 word around. */
export const swapOne = (x: Code): Code => [
  ...[ONE.and(ONE.rotr(x, 24), int(0x00ff00ff)), ONE.and(ONE.rotr(x, 8), int(0xff00ff00))],
  0x72,
]

const shuffle = (x: Code, y: Code, bytes: readonly number[]): Code => [x, y, simd(0x0d), bytes]
const pick = (x: Code, y: Code, words: readonly number[]): Code =>
  shuffle(
    x,
    y,
    words.flatMap((word) => [4 * word, 4 * word + 1, 4 * word + 2, 4 * word + 3]),
  )

/** Turns the bytes of each of four words around, by way of a local. */
export const swapFour = (x: Code, by: number): Code =>
  shuffle(tee(by, x), get(by), [3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12])

/** Turns four rows of four words, in the locals from `rows`, into four columns in the same; uses four locals more. */
export function transpose(rows: number): Code {
  const [r0, r1, r2, r3] = [get(rows), get(rows + 1), get(rows + 2), get(rows + 3)]
  const [t0, t1, t2, t3] = [get(rows + 4), get(rows + 5), get(rows + 6), get(rows + 7)]
  return [
    set(rows + 4, pick(r0, r1, [0, 4, 1, 5])),
    set(rows + 5, pick(r2, r3, [0, 4, 1, 5])),
    set(rows + 6, pick(r0, r1, [2, 6, 3, 7])),
    set(rows + 7, pick(r2, r3, [2, 6, 3, 7])),
    set(rows, pick(t0, t1, [0, 1, 4, 5])),
    set(rows + 1, pick(t0, t1, [2, 3, 6, 7])),
    set(rows + 2, pick(t2, t3, [0, 1, 4, 5])),
    set(rows + 3, pick(t2, t3, [2, 3, 6, 7])),
  ]
}

/** A function of i32 parameters without a result; one more i32 local, and others of one kind, follow the parameters. */
export interface Fn {
  /** exported under this name */
  name?: string
  params: number
  locals: [words: Words, count: number]
  code: Code
}

/** The module of these functions, called by their place in the list, with `pages` of 64 KiB as its memory. */
export function encodeModule(fns: readonly Fn[], pages: number): Uint8Array<ArrayBuffer> {
  const sized = (body: Code): Code => {
    const bytes = flatten(body)
    return [unsigned(bytes.length), bytes]
  }
  const section = (id: number, items: Code[]): Code => [id, sized([unsigned(items.length), items])]
  const text = (s: string): Code => sized([...s].map((c) => c.charCodeAt(0)))
  const types = fns.map(({ params }) => [0x60, params, Array(params).fill(ONE.type), 0])
  const exports = fns.flatMap(({ name }, i) => (name === undefined ? [] : [[text(name), 0x00, i]]))
  const bodies = fns.map(({ locals: [words, count], code }) =>
    sized([2, 1, ONE.type, unsigned(count), words.type, code, 0x0b]),
  )
  return Uint8Array.from(
    flatten([
      [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(1, types),
      section(
        3,
        fns.map((_, i) => [i]),
      ),
      section(5, [[0x00, unsigned(pages)]]),
      section(7, [[text('memory'), 0x02, 0], ...exports]),
      section(10, bodies),
    ]),
  )
}

function flatten(code: Code, bytes: number[] = []): number[] {
  for (const part of code) {
    if (typeof part === 'number') bytes.push(part)
    else flatten(part, bytes)
  }
  return bytes
}
