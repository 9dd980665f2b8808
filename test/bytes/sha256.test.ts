import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { sha256 } from '../../src/bytes/sha256.ts'
import type { Sha256Engine } from '../../src/bytes/sha256-engine.ts'
import { portableEngine } from '../../src/bytes/sha256-portable.ts'
import { loadWasmEngine } from '../../src/bytes/sha256-wasm.ts'

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const native = (...parts: Uint8Array[]): string =>
  createHash('sha256').update(Buffer.concat(parts)).digest('hex')

function wasmEngine(): Sha256Engine {
  const engine = loadWasmEngine()
  if (engine === undefined) throw new Error('this Node has WebAssembly, so the kernel must load')
  return engine
}

/** FIPS 180-2, appendix B (one block, two blocks, a million of a), and the empty message of NIST's CAVP SHA256ShortMsg. */
const PUBLISHED: [name: string, message: Uint8Array, digest: string][] = [
  ['nothing', ascii(''), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', ascii('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  [
    '448 bits',
    ascii('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq'),
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  ],
  [
    'a million times a',
    new Uint8Array(1_000_000).fill(0x61),
    'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0',
  ],
]

describe.each([
  ['the WebAssembly kernel', wasmEngine()],
  ['the portable engine', portableEngine],
])('%s', (_, engine) => {
  test.each(PUBLISHED)('gives the published digest of %s', (_name, message, digest) => {
    expect(hex(engine.digest(message))).toBe(digest)
  })

  test('agrees with OpenSSL around every edge of a block and of a chunk', () => {
    const edges = [64, 128, 1 << 17, 1 << 18].flatMap((edge) => [-10, -9, -8, -1, 0, 1].map((d) => edge + d))
    for (const size of [...Array(300).keys(), ...edges]) {
      const message = Uint8Array.from({ length: size }, (_x, i) => (i * 31) >> 3)
      expect(hex(engine.digest(message)), `${size} bytes`).toBe(native(message))
    }
  })

  test('gives every digest as bytes of the caller', () => {
    const first = engine.digest(ascii('first'))
    engine.digest(ascii('second'))
    expect(hex(first)).toBe(native(ascii('first')))
  })

  test('hashes nodes as OpenSSL does, whatever their number, and over themselves', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 40 }),
        fc.infiniteStream(fc.integer({ min: 0, max: 255 })),
        (count, bytes) => {
          const pairs = Uint8Array.from(take(bytes, 64 * count))
          const expected = chunks(pairs, 64).map((pair) => native(Uint8Array.of(1), pair))
          const out = new Uint8Array(32 * count)
          engine.hashNodes(pairs, out)
          expect(chunks(out, 32).map(hex)).toEqual(expected)
          const within = pairs.subarray(0, 32 * count)
          engine.hashNodes(pairs, within)
          expect(chunks(within, 32).map(hex)).toEqual(expected)
        },
      ),
    )
  })

  test('hashes nodes of more than a chunk', () => {
    const pairs = Uint8Array.from({ length: 64 * 5001 }, (_x, i) => (i * i) >> 5)
    const out = new Uint8Array(32 * 5001)
    engine.hashNodes(pairs, out)
    expect(chunks(out, 32).map(hex)).toEqual(chunks(pairs, 64).map((pair) => native(Uint8Array.of(1), pair)))
  })

  test('hashes leaves of every length around every edge of a block, four of each and less', () => {
    const sizes = [...Array(200).keys(), 4085, 4086, 4087, 4088].flatMap((size): number[] =>
      Array(1 + (size % 5)).fill(size),
    )
    const data = Uint8Array.from({ length: 9000 }, (_x, i) => (i * 7) >> 2)
    const all = Buffer.concat(sizes.map((size, i) => data.subarray(i, i + size)))
    const ends = Uint32Array.from(sizes)
    for (let i = 1; i < ends.length; i++) ends[i] = (ends[i] ?? 0) + (ends[i - 1] ?? 0)
    const out = new Uint8Array(32 * sizes.length)
    engine.hashMany(new Uint8Array(all), startsOf(ends), ends, 'leaf', out)
    const expected = sizes.map((size, i) => native(Uint8Array.of(0), data.subarray(i, i + size)))
    expect(chunks(out, 32).map(hex)).toEqual(expected)
  })

  test.each([
    ['32 bytes', fc.constant(32)],
    ['any length up to two blocks', fc.integer({ min: 0, max: 128 })],
    [
      'a few blocks, some too long for a lane',
      fc.oneof(fc.integer({ min: 300, max: 2000 }), fc.constantFrom(4086, 4087, 4088, 9000)),
    ],
  ])('hashes leaves of %s as OpenSSL does', (_length, lengths) => {
    fc.assert(
      fc.property(fc.array(lengths, { maxLength: 30 }), (sizes) => {
        const ends = Uint32Array.from(sizes)
        for (let i = 1; i < ends.length; i++) ends[i] = (ends[i] ?? 0) + (ends[i - 1] ?? 0)
        const data = Uint8Array.from({ length: ends.at(-1) ?? 0 }, (_x, i) => (i * 7) >> 2)
        const out = new Uint8Array(32 * sizes.length)
        engine.hashMany(data, startsOf(ends), ends, 'leaf', out)
        const expected = sizes.map((size, i) =>
          native(Uint8Array.of(0), data.subarray((ends[i] ?? 0) - size, ends[i])),
        )
        expect(chunks(out, 32).map(hex)).toEqual(expected)
      }),
    )
  })

  test('hashes messages without a prefix wherever they stand, over each other too', () => {
    const data = Uint8Array.from({ length: 6000 }, (_x, i) => (i * 7) >> 2)
    const place = fc.tuple(fc.nat(1000), fc.oneof(fc.nat(130), fc.nat(5000)))
    fc.assert(
      fc.property(fc.array(place, { maxLength: 30 }), (places) => {
        const starts = Uint32Array.from(places, ([start]) => start)
        const ends = Uint32Array.from(places, ([start, size]) => start + size)
        const out = new Uint8Array(32 * places.length)
        engine.hashMany(data, starts, ends, 'none', out)
        expect(chunks(out, 32).map(hex)).toEqual(
          places.map(([start, size]) => native(data.subarray(start, start + size))),
        )
      }),
    )
  })
})

describe('where WebAssembly cannot be had', () => {
  afterEach(() => {
    vi.unstubAllGlobals()
    vi.resetModules()
  })

  const refuse = class {
    constructor() {
      throw new Error("Refused to compile WebAssembly module because 'wasm-unsafe-eval' is not allowed")
    }
  }
  test.each([
    ['missing', undefined],
    ['forbidden by a content security policy', { Module: refuse, Instance: refuse }],
  ])('as when it is %s, the portable engine takes over with the same digests', async (_, stub) => {
    vi.stubGlobal('WebAssembly', stub)
    vi.resetModules()
    expect(loadWasmEngine()).toBeUndefined()
    const fallen = await import('../../src/bytes/sha256.ts')
    for (const [, message, digest] of PUBLISHED) expect(hex(fallen.sha256(message))).toBe(digest)
    const merkle = await import('../../src/merkle/index.ts')
    const leaves = merkle.hashLeaves([ascii(''), ascii('abc'), new Uint8Array(100)])
    vi.unstubAllGlobals()
    vi.resetModules()
    const fast = await import('../../src/merkle/index.ts')
    expect(leaves).toEqual(fast.hashLeaves([ascii(''), ascii('abc'), new Uint8Array(100)]))
    expect(merkle.treeRoot(leaves)).toEqual(fast.treeRoot(leaves))
  })
})

test('sha256 is one of the two', () => {
  expect(hex(sha256(ascii('abc')))).toBe(PUBLISHED[1]?.[2])
})

function chunks(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: bytes.length / size }, (_, i) => bytes.subarray(size * i, size * i + size))
}

/** Where each of some messages begins that stand end to end. */
const startsOf = (ends: Uint32Array): Uint32Array => ends.map((_, i) => ends[i - 1] ?? 0)

function take<T>(stream: Iterable<T>, count: number): T[] {
  const taken: T[] = []
  if (count === 0) return taken
  for (const value of stream) if (taken.push(value) === count) break
  return taken
}
