import { createHash } from 'node:crypto'
import { AbiCoder, Interface } from 'ethers'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  APPENDED_TOPIC,
  decodeAppended,
  decodeHeader,
  encodeHeader,
  HEADER_BYTES,
  type Header,
  hashHeader,
  parseJsonHeader,
  toJsonHeader,
} from '../../src/batch/index.ts'
import { type Hex, toHex } from '../../src/bytes/hex.ts'
import { runs } from '../bytes/runs.ts'

const HEADER =
  'tuple(address publisher, uint64 sequence, bytes32 recordsRoot, uint32 recordCount, bytes32 indexRoot, uint32 indexSize, uint64 firstTime, uint64 lastTime)'
const ledger = new Interface([
  `event Appended(uint64 indexed index, address indexed publisher, ${HEADER} header, bytes32 node)`,
])

const malformed = expect.objectContaining({ name: 'VerificationError', code: 'MALFORMED_HEADER' })

const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const bytes = (size: number) => fc.uint8Array({ minLength: size, maxLength: size })
const headers: fc.Arbitrary<Header> = fc.record({
  publisher: bytes(20).map(toHex),
  sequence: uint64,
  recordsRoot: bytes(32),
  recordCount: uint32,
  indexRoot: bytes(32),
  indexSize: uint32,
  firstTime: uint64,
  lastTime: uint64,
})

const ofEthers = (header: Header) =>
  AbiCoder.defaultAbiCoder().encode([HEADER], [{ ...header, publisher: header.publisher }])

const logOf = (index: bigint, header: Header, node: Uint8Array) =>
  ledger.encodeEventLog('Appended', [index, header.publisher, header, node])

describe('a header', () => {
  test('is encoded as ethers encodes the struct', () => {
    fc.assert(
      fc.property(headers, (header) => {
        expect(toHex(encodeHeader(header))).toBe(ofEthers(header))
      }),
      runs(200),
    )
  })

  test('is decoded to what was encoded', () => {
    fc.assert(
      fc.property(headers, (header) => {
        expect(decodeHeader(encodeHeader(header))).toEqual(header)
      }),
      runs(100),
    )
  })

  test('has one encoding: a padding byte that is not zero is refused, any other change is another header', () => {
    fc.assert(
      fc.property(headers, fc.nat(HEADER_BYTES - 1), fc.integer({ min: 1, max: 255 }), (header, at, by) => {
        const encoded = encodeHeader(header)
        encoded[at] = (encoded[at] ?? 0) ^ by
        let decoded: Header
        try {
          decoded = decodeHeader(encoded)
        } catch (error) {
          expect(error).toEqual(malformed)
          expect(() => AbiCoder.defaultAbiCoder().decode([HEADER], encoded)[0].toObject()).not.toThrow(
            TypeError,
          )
          return
        }
        expect(encodeHeader(decoded)).toEqual(encoded)
        expect(decoded).not.toEqual(header)
      }),
      runs(500),
    )
  })

  test('has 256 bytes, no more and no fewer', () => {
    for (const size of [0, 255, 257, 512]) expect(() => decodeHeader(new Uint8Array(size))).toThrow(malformed)
  })

  test('is read from a part of a larger buffer', () => {
    fc.assert(
      fc.property(headers, fc.nat(40), (header, offset) => {
        const buffer = new Uint8Array(HEADER_BYTES + 80).fill(0xee)
        buffer.set(encodeHeader(header), offset)
        expect(decodeHeader(buffer.subarray(offset, offset + HEADER_BYTES))).toEqual(header)
      }),
      runs(20),
    )
  })

  test('is hashed as a leaf of the log: SHA-256 over 0x00 and the encoding', () => {
    fc.assert(
      fc.property(headers, (header) => {
        const expected = createHash('sha256')
          .update(Uint8Array.of(0))
          .update(encodeHeader(header))
          .digest('hex')
        expect(toHex(hashHeader(header))).toBe(`0x${expected}`)
      }),
      runs(20),
    )
  })
})

describe('a header as JSON', () => {
  test('is read back as it was, through text', () => {
    fc.assert(
      fc.property(headers, (header) => {
        expect(parseJsonHeader(JSON.parse(JSON.stringify(toJsonHeader(header))))).toEqual(header)
      }),
      runs(100),
    )
  })

  const good = () =>
    toJsonHeader({
      publisher: `0x${'ab'.repeat(20)}`,
      sequence: 12n,
      recordsRoot: new Uint8Array(32).fill(0xcd),
      recordCount: 4096,
      indexRoot: new Uint8Array(32).fill(0xef),
      indexSize: 900,
      firstTime: 1_790_000_000_000n,
      lastTime: 1_790_000_059_421n,
    })

  test('is refused without any of its members, and with one more', () => {
    for (const member of Object.keys(good())) {
      const { [member]: _, ...rest } = { ...good() } as Record<string, unknown>
      expect(() => parseJsonHeader(rest)).toThrow(malformed)
    }
    expect(() => parseJsonHeader({ ...good(), extra: 1 })).toThrow(malformed)
    expect(() => parseJsonHeader(JSON.parse(`{"__proto__":1,${JSON.stringify(good()).slice(1)}`))).toThrow(
      malformed,
    )
  })

  test.each([
    ['publisher', `0x${'AB'.repeat(20)}`],
    ['publisher', `0x${'ab'.repeat(19)}`],
    ['sequence', '012'],
    ['sequence', 12],
    ['sequence', '18446744073709551616'],
    ['recordsRoot', `0x${'cd'.repeat(33)}`],
    ['recordCount', '4096'],
    ['recordCount', -1],
    ['recordCount', 2 ** 32],
    ['recordCount', 1.5],
    ['indexRoot', null],
    ['indexSize', true],
    ['firstTime', '-1'],
    ['lastTime', '1e3'],
  ])('is refused with a misspelt %s: %j', (member, value) => {
    expect(() => parseJsonHeader({ ...good(), [member]: value })).toThrow(malformed)
  })

  test.each([[null], [undefined], [[]], ['{}'], [1]])('is not %j', (value) => {
    expect(() => parseJsonHeader(value)).toThrow(malformed)
  })
})

describe('the event of an appended header', () => {
  test('has the topic of its signature', () => {
    expect(APPENDED_TOPIC).toBe(ledger.getEvent('Appended')?.topicHash)
  })

  test('is decoded as ethers encodes it', () => {
    fc.assert(
      fc.property(uint64, headers, bytes(32), (index, header, node) => {
        const { topics, data } = logOf(index, header, node)
        expect(decodeAppended(topics, data)).toEqual({ index, header, node })
      }),
      runs(50),
    )
  })

  test('that a node has bent is refused, or read as ethers reads it', () => {
    const digit = fc.constantFrom(...'0123456789abcdef')
    fc.assert(
      fc.property(
        uint64,
        headers,
        bytes(32),
        fc.nat(),
        digit,
        fc.boolean(),
        (index, header, node, at, by, inTopic) => {
          const { topics, data } = logOf(index, header, node)
          const bend = (hex: string) => {
            const i = 2 + (at % (hex.length - 2))
            return `${hex.slice(0, i)}${by}${hex.slice(i + 1)}`
          }
          const bent = {
            topics: topics.map((topic, i) => (inTopic && i > 0 ? bend(topic) : topic)),
            data: inTopic ? data : bend(data),
          }
          let ours: ReturnType<typeof decodeAppended>
          try {
            ours = decodeAppended(bent.topics, bent.data)
          } catch (error) {
            expect(error).toMatchObject(malformed)
            return
          }
          const [theirIndex, , theirHeader, theirNode] = ledger.parseLog(bent)?.args.toArray() ?? []
          expect(ours?.index).toBe(theirIndex)
          expect(toHex(encodeHeader(ours?.header ?? header))).toBe(ofEthers(theirHeader.toObject()))
          expect(toHex(ours?.node ?? node)).toBe(theirNode)
        },
      ),
      runs(300),
    )
  })

  test('is told from other events', () => {
    fc.assert(
      fc.property(headers, bytes(32), bytes(32), (header, node, topic) => {
        const { topics, data } = logOf(1n, header, node)
        expect(decodeAppended([toHex(topic), ...topics.slice(1)], data)).toBeUndefined()
        expect(decodeAppended([], data)).toBeUndefined()
      }),
      runs(10),
    )
  })

  test('is refused when its parts contradict each other or its layout', () => {
    fc.assert(
      fc.property(headers, bytes(32), bytes(20), (header, node, other) => {
        fc.pre(toHex(other) !== header.publisher)
        const { topics, data } = logOf(1n, header, node)
        const [topic = '', index = '', publisher = ''] = topics
        for (const [badTopics, badData] of [
          [[topic, index, `0x${'00'.repeat(12)}${toHex(other).slice(2)}`], data],
          [[topic, index], data],
          [[...topics, publisher], data],
          [[topic, '0x01', publisher], data],
          [[topic, index.slice(0, -1), publisher], data],
          [topics, data.slice(0, -2)],
          [topics, `${data}00`],
          [topics, `0x01${data.slice(4)}`],
          [topics, ''],
        ] as [Hex[], string][]) {
          expect(() => decodeAppended(badTopics, badData)).toThrow(malformed)
        }
      }),
      runs(10),
    )
  })
})
