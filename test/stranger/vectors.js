// Runs the published vectors of test/vectors through the functions of verify.js, and through what a reader of
// whole batches needs besides (sections 2.2, 2.3, 6, 7 and 10), written from docs/format.md alone.
//
//   node vectors.js [FOLDER]
//
// Prints a line for each file, and one for each vector that does not come out as published; exit code 1 if any.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import {
  APPENDED,
  canonical,
  checkInclusion,
  checkRecord,
  decodeEvent,
  disclosureDigest,
  encodeHeader,
  fromHex,
  leaf,
  need,
  node,
  openRecord,
  pad,
  peakIndices,
  recordLeaf,
  rootFromInclusion,
  rootFromPeaks,
  sha256,
  toHex,
  verify,
} from './verify.js'

const folder = process.argv[2] ?? join(import.meta.dirname, '../vectors')
const read = (file) => readFileSync(join(folder, file), 'utf8')
const readHex = (file) => Buffer.from(read(file).replaceAll(/\s/g, ''), 'hex')
const same = (actual, expected) => assert.deepEqual(actual, expected)

// 2 Trees
const split = (length) => {
  let k = 1
  while (2 * k < length) k *= 2
  return k
}
function rootOf(hashes) {
  if (hashes.length < 2) return hashes[0] ?? sha256()
  const k = split(hashes.length)
  return node(rootOf(hashes.slice(0, k)), rootOf(hashes.slice(k)))
}
const peaksOf = (hashes) => {
  let start = 0
  return peakIndices(BigInt(hashes.length)).map((index) => {
    const from = start
    start = Number(index) + 1
    return rootOf(hashes.slice(from, start))
  })
}
function checkConsistency(size1, root1, size2, root2, path) {
  const agree = (a, b) => need(a.equals(b), 'ROOT_MISMATCH', 'another root')
  if (size1 === size2) {
    need(path.length === 0, 'MALFORMED_PATH', 'a path where none can be')
    return agree(root1, root2)
  }
  need(size1 > 0 && size1 < size2, 'INDEX_OUT_OF_RANGE', 'sizes')
  let [n, last] = [size1 - 1, size2 - 1]
  for (; n % 2 === 1; n >>= 1) last >>= 1
  const [start, ...rest] = n === 0 ? [root1, ...path] : path
  need(start, 'MALFORMED_PATH', 'too short')
  let [a, b] = [start, start]
  for (const s of rest) {
    need(last !== 0, 'MALFORMED_PATH', 'too long')
    if (n % 2 === 1 || n === last) {
      a = node(s, a)
      b = node(s, b)
      for (; n % 2 === 0 && n !== 0; n >>= 1) last >>= 1
    } else b = node(b, s)
    n >>= 1
    last >>= 1
  }
  need(last === 0, 'MALFORMED_PATH', 'too short')
  agree(a, root1)
  return agree(b, root2)
}
function checkRange(hashes, from, size, path, root) {
  const end = from + hashes.length
  need(from >= 0 && end <= size, 'INDEX_OUT_OF_RANGE', 'range')
  const rest = [...path]
  const visit = (start, stop) => {
    if (from <= start && stop <= end) return rootOf(hashes.slice(start - from, stop - from))
    if (from === end || stop <= from || end <= start)
      return rest.shift() ?? need(false, 'MALFORMED_PATH', 'too short')
    const middle = start + split(stop - start)
    const left = visit(start, middle)
    return node(left, visit(middle, stop))
  }
  const computed = size > 0 ? visit(0, size) : sha256()
  need(rest.length === 0, 'MALFORMED_PATH', 'too long')
  need(computed.equals(root), 'ROOT_MISMATCH', 'another root')
}

// 6 Items
function readItem(line) {
  need(Buffer.byteLength(line) < 65_536, 'MALFORMED_RECORD', 'a line too long')
  const value = JSON.parse(line)
  const { record, disclosures } = Object.hasOwn(value, 'record') ? value : { record: value, disclosures: [] }
  checkRecord(record)
  const spelt = disclosures.length > 0 ? { record, disclosures } : record
  need(canonical(spelt) === line, 'MALFORMED_RECORD', 'a line that is spelt in another way')
  const opened = openRecord(record, disclosures)
  const digests = disclosures.map(disclosureDigest).sort()
  need(String(digests) === String(record.data._sd_pseudonyms ?? []), 'BAD_DISCLOSURE', 'not its pseudonyms')
  return { record, opened }
}

// 7 Index tree
const keyOf = (name, value) =>
  toHex(sha256(Buffer.from(name), Buffer.of(0), Buffer.from(value)).subarray(0, 16))
const uint32 = (n) => toHex(pad(n).subarray(28))
const join0x = (...parts) => Buffer.concat(parts.map(fromHex))
const ZERO = `0x${'00'.repeat(16)}`
const LAST = `0x${'ff'.repeat(16)}`
function entriesOf(items) {
  const entries = new Map()
  for (const [position, { opened }] of items.entries()) {
    const { source, id, subject, data } = opened
    const values = {
      record: `${source}\0${id}`,
      person: data.person,
      authorization: data.authorization,
      request: data.requestId,
      resource: subject,
      consumer: data.consumer,
      provider: data.provider,
    }
    const found = Object.entries(values).filter(([, value]) => value !== undefined)
    for (const key of new Set(found.map(([name, value]) => keyOf(name, value))))
      entries.set(key, [...(entries.get(key) ?? []), position])
  }
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1))
}
function bucketsOf(entries) {
  const lows = entries.flatMap(([key], i) => (i % 16 === 0 ? [i === 0 ? ZERO : key] : []))
  return lows.map((low, i) => {
    const body = entries.slice(16 * i, 16 * i + 16).flatMap(([key, positions]) => {
      const all = positions.map(uint32)
      return [key, uint32(positions.length), ...(all.length <= 8 ? all : [toHex(sha256(join0x(...all)))])]
    })
    return join0x(low, lows[i + 1] ?? LAST, ...body)
  })
}
/** The positions of a key, shown by a bucket (7.3). */
function lookup({ key, bucket, index, path, givenPositions }, { indexSize, indexRoot, recordCount }) {
  const bytes = fromHex(bucket)
  checkInclusion(leaf(bytes), index, indexSize, path, fromHex(indexRoot))
  const ok = (condition) => need(condition, 'MALFORMED_INDEX', 'not a bucket of this index')
  let at = 32
  const take = (length) => {
    at += length
    ok(at <= bytes.length)
    return bytes.subarray(at - length, at)
  }
  const ascending = (list) => list.every((each, i) => i === 0 || list[i - 1] < each)
  const [low, next] = [toHex(bytes.subarray(0, 16)), toHex(bytes.subarray(16, 32))]
  const entries = []
  while (at < bytes.length) {
    const entry = { key: toHex(take(16)), count: take(4).readUInt32BE() }
    ok(entry.count >= 1)
    if (entry.count > 8) entry.digest = toHex(take(32))
    else entry.positions = Array.from({ length: entry.count }, () => take(4).readUInt32BE())
    ok(ascending(entry.positions ?? []))
    entries.push(entry)
  }
  const keys = entries.map((entry) => entry.key)
  const isLast = index === indexSize - 1
  ok(keys.length >= 1 && keys.length <= 16 && ascending(keys))
  ok(low === (index === 0 ? ZERO : keys[0]) && (next === LAST) === isLast)
  ok(isLast || (keys.length === 16 && keys[15] < next))
  ok(low <= key && (isLast || key < next))
  const found = entries.find((entry) => entry.key === key)
  if (found?.digest === undefined) ok(givenPositions === undefined)
  else {
    ok(givenPositions?.length === found.count)
    ok(toHex(sha256(join0x(...givenPositions.map(uint32)))) === found.digest)
  }
  const answer = found?.positions ?? givenPositions ?? []
  ok(ascending(answer) && answer.every((position) => position < recordCount))
  return answer
}

// 10 Batch files
function framesOf(file) {
  const count = file.readUInt32LE(file.length - 9)
  const table = file.subarray(file.length - 8 * count - 17)
  same([table.readUInt32LE(0), table.readUInt32LE(4)], [0x184d2a5e, 8 * count + 9])
  same([table[12 + 8 * count], table.readUInt32LE(13 + 8 * count)], [0, 0x8f92eab1])
  let offset = 0
  const frames = Array.from({ length: count }, (_, i) => {
    const [packed, size] = [table.readUInt32LE(8 + 8 * i), table.readUInt32LE(12 + 8 * i)]
    const frame = zstdDecompressSync(file.subarray(offset, offset + packed), { maxOutputLength: size })
    same(frame.length, size)
    offset += packed
    return frame.toString()
  })
  same(offset, file.length - table.length)
  return frames
}
const linesOf = (frames) => frames.flatMap((frame) => frame.split('\n').slice(0, -1))
function storedTree(hashes) {
  const written = [...hashes]
  for (let level = hashes; level.length > 256; written.push(...level)) {
    const groups = Math.ceil(level.length / 256)
    level = Array.from({ length: groups }, (_, i) => rootOf(level.slice(256 * i, 256 * i + 256)))
  }
  return Buffer.concat(written)
}

// 13: a node that knows no more than the vector's `chain`; the ledger is at the size `present`
function nodeOf(chain, present) {
  const quantity = (n) => `0x${BigInt(n).toString(16)}`
  const block = (found) =>
    found
      ? {
          number: quantity(found.number),
          hash: found.hash,
          timestamp: quantity(found.timestamp),
          transactions: found.transactionHashes,
        }
      : null
  const byNumber = (number) => chain.blocks.find((each) => BigInt(each.number) === BigInt(number))
  const head = { number: chain.headBlock, hash: `0x${'99'.repeat(32)}`, timestamp: 0, transactionHashes: [] }
  const rpcLog = ({ logIndex, ...log }) => ({ ...log, logIndex: quantity(logIndex) })
  const answers = {
    eth_chainId: () => quantity(chain.chainId),
    eth_blockNumber: () => quantity(chain.headBlock),
    eth_getBlockByNumber: ([which]) => {
      if (which === 'finalized') return block({ ...head, number: chain.finalBlock })
      return block(which === 'latest' ? head : byNumber(which))
    },
    eth_getBlockByHash: ([hash]) => block(chain.blocks.find((each) => each.hash === hash)),
    eth_getTransactionReceipt: ([hash]) => {
      const found = chain.receipts.find((each) => each.transactionHash === hash)
      if (found === undefined) return null
      const { blockHash, transactionHash, blockNumber, succeeded, logs } = found
      const status = succeeded ? '0x1' : '0x0'
      return {
        blockHash,
        transactionHash,
        blockNumber: quantity(blockNumber),
        status,
        logs: logs.map(rpcLog),
      }
    },
    eth_call: ([{ to, data }, { blockHash }]) => {
      same(blockHash, head.hash)
      const { size, root } = chain.ledgerRoots.find((each) => each.ledger === to && each.size === present)
      return { '0x949d225d': toHex(pad(size)), '0xebf0c717': root, '0x82100e3f': toHex(pad(0)) }[data]
    },
    eth_getLogs: ([{ address, topics }]) => {
      same(topics[0], APPENDED)
      const logs = chain.receipts.flatMap((receipt) => receipt.logs).filter((log) => log.address === address)
      return logs.filter((log) => log.topics[0] === APPENDED && topics[1].includes(log.topics[1])).map(rpcLog)
    },
  }
  return async (method, params) => answers[method](params)
}
function patched(document, patches) {
  const root = structuredClone(document)
  for (const { op, path, value } of patches) {
    const names = path.split('/').slice(1)
    const last = names.pop()
    const target = names.reduce((at, name) => at[name], root)
    if (op === 'remove') Array.isArray(target) ? target.splice(Number(last), 1) : delete target[last]
    else if (op === 'add' && Array.isArray(target)) target.splice(Number(last), 0, value)
    else target[last] = value
  }
  return root
}

/** One list of [name, check] per file. */
const FILES = {
  'canonical.json': ({ values, refused, records }) => [
    ...values.map(({ value, canonical: text }) => [text, () => same(canonical(value), text)]),
    ...refused.map(({ reason, json }) => [reason, () => assert.throws(() => canonical(JSON.parse(json)))]),
    ...records.map(({ record, canonical: text, leafHash }) => [
      record.id,
      () => {
        checkRecord(record)
        same([canonical(record), toHex(recordLeaf(record))], [text, leafHash])
      },
    ]),
  ],
  'disclosures.json': ({ published, sealed }) => [
    [published.source, () => same(disclosureDigest(published.disclosure), published.digest)],
    ...sealed.map(({ open, sealed: record, disclosures }) => [
      record.id,
      () => {
        checkRecord(record)
        const texts = disclosures.map(({ disclosure }) => disclosure)
        same(
          texts.map(disclosureDigest),
          disclosures.map(({ digest }) => digest),
        )
        same(record.data._sd, disclosures.length > 0 ? texts.map(disclosureDigest).sort() : undefined)
        const { datacontenttype, ...expected } = open
        same(openRecord(record, texts), { ...expected, time: record.time })
        for (const { name, value, kind, disclosure } of disclosures) {
          same(openRecord(record, [disclosure]).data[name], value)
          const listed = record.data._sd_pseudonyms?.includes(disclosureDigest(disclosure)) ?? false
          same(listed, kind === 'pseudonym')
        }
      },
    ]),
  ],
  'tree.json': ({ leaves, roots, inclusion, consistency, range }) => {
    const hashes = leaves.map(({ leafHash }) => fromHex(leafHash))
    const root = (size) => rootOf(hashes.slice(0, size))
    return [
      ...leaves.map(({ data, leafHash }) => [data, () => same(toHex(leaf(fromHex(data))), leafHash)]),
      ...roots.map(({ size, root: expected }) => [
        `root ${size}`,
        () =>
          same([root(size), rootFromPeaks(peaksOf(hashes.slice(0, size)))].map(toHex), [expected, expected]),
      ]),
      ...inclusion.map(({ size, index, path }) => [
        `inclusion ${index} in ${size}`,
        () => {
          checkInclusion(hashes[index], index, size, path, root(size))
          const walk = (given) => rootFromInclusion(hashes[index], BigInt(index), BigInt(size), given)
          assert.throws(() => walk([...path.map(fromHex), hashes[0]]), { code: 'MALFORMED_PATH' })
          if (path.length > 0)
            assert.throws(() => walk(path.slice(1).map(fromHex)), { code: 'MALFORMED_PATH' })
        },
      ]),
      ...consistency.map(({ size1, size2, path }) => [
        `consistency of ${size1} with ${size2}`,
        () => checkConsistency(size1, root(size1), size2, root(size2), path.map(fromHex)),
      ]),
      ...range.map(({ from, to, size, path }) => [
        `range ${from} to ${to} of ${size}`,
        () => checkRange(hashes.slice(from, to), from, size, path.map(fromHex), root(size)),
      ]),
    ]
  },
  'index.json': ({ items, buckets, indexRoot, indexSize, named, edges }) => [
    [
      'the index of the items',
      () => {
        const made = bucketsOf(entriesOf(items.map(readItem)))
        same(
          made.map((bucket) => ({ bucket: toHex(bucket), leafHash: toHex(leaf(bucket)) })),
          buckets,
        )
        same([toHex(rootOf(made.map(leaf))), made.length], [indexRoot, indexSize])
      },
    ],
    ...[...named, ...edges].map((shown) => [
      shown.name ?? shown.key,
      () => {
        if (shown.name !== undefined) same(keyOf(shown.name, shown.value), shown.key)
        same(lookup(shown, { indexSize, indexRoot, recordCount: items.length }), shown.positions)
      },
    ]),
  ],
  'header.json': ({ headers }) =>
    headers.map(({ header, bytes, leafHash, event, rootAfter }, i) => [
      `header ${i}`,
      () => {
        same([encodeHeader(header), leaf(encodeHeader(header))].map(toHex), [bytes, leafHash])
        const told = decodeEvent(event)
        same([told.index, toHex(told.header)], [BigInt(i), bytes])
        const nodes = peakIndices(BigInt(i + 1)).map(
          (index) => decodeEvent(headers[Number(index)].event).node,
        )
        const hashes = headers.slice(0, i + 1).map((each) => fromHex(each.leafHash))
        same([toHex(rootFromPeaks(nodes)), toHex(rootOf(hashes))], [rootAfter, rootAfter])
      },
    ]),
  'batch/header.json': (header) => {
    const lines = linesOf(framesOf(readHex('batch/records.ndjson.zst.hex')))
    const items = lines.map(readItem)
    const leaves = items.map(({ record }) => recordLeaf(record))
    const entries = entriesOf(items)
    const buckets = bucketsOf(entries).map(leaf)
    const times = items.map(({ record }) => Date.parse(record.time))
    return [
      [
        'the header of the items',
        () => {
          encodeHeader(header)
          same(header, {
            publisher: header.publisher,
            sequence: header.sequence,
            recordsRoot: toHex(rootOf(leaves)),
            recordCount: items.length,
            indexRoot: toHex(rootOf(buckets)),
            indexSize: buckets.length,
            firstTime: String(Math.min(...times)),
            lastTime: String(Math.max(...times)),
          })
        },
      ],
      [
        'submissions.json',
        () => {
          let next = 0
          for (const { source, first, count } of JSON.parse(read('batch/submissions.json'))) {
            same(first, next)
            next += count
            for (const { record } of items.slice(first, next)) same(record.source, source)
          }
          same(next, items.length)
        },
      ],
      ['tree.bin', () => same(readHex('batch/tree.bin.hex'), storedTree(leaves))],
      [
        'index.bin',
        () => {
          const positions = entries.flatMap(([, all]) => all)
          let before = 0
          const rows = entries.map(([key, all]) => {
            before += all.length
            return join0x(key, uint32(all.length), uint32(before - all.length))
          })
          const start = [Buffer.from('TIDEIDX1'), join0x(uint32(entries.length), uint32(positions.length))]
          const made = [...start, ...rows, join0x(...positions.map(uint32)), storedTree(buckets)]
          same(readHex('batch/index.bin.hex'), Buffer.concat(made))
        },
      ],
      [
        'vault.ndjson.zst',
        () => {
          for (const line of linesOf(framesOf(readHex('batch/vault.ndjson.zst.hex')))) {
            const { position, disclosures } = JSON.parse(line)
            const { record } = items[position]
            for (const disclosure of disclosures) {
              openRecord(record, [disclosure])
              same(record.data._sd_pseudonyms?.includes(disclosureDigest(disclosure)) ?? false, false)
            }
          }
        },
      ],
    ]
  },
  'proof.json': ({ proof, chain, trust, verified, altered }) => {
    const sizes = [proof.log.size, chain.ledgerRoots.at(-1).size]
    const run = (document, present) =>
      verify(Buffer.from(JSON.stringify(document.proof)), nodeOf(document.chain, present), document.trust)
    const exits = { InputError: 2, VerificationError: 1, OperationError: 3 }
    return sizes.flatMap((present) => [
      [
        `the proof, the ledger at ${present}`,
        async () => {
          const { record, closed, logIndex, blockTime } = await run({ proof, chain, trust }, present)
          same(record, verified.record)
          same(
            [closed, logIndex, blockTime],
            [verified.closedMembers, ...[verified.logIndex, verified.blockTime].map(BigInt)],
          )
        },
      ],
      ...altered
        // An altered list of roots shows only where the root is read from it, and not made from events.
        .filter(
          ({ patches }) => present === proof.log.size || !patches[0].path.startsWith('/chain/ledgerRoots'),
        )
        .map(({ name, patches, error, step, code }) => [
          `${name}, the ledger at ${present}`,
          async () => {
            const failure = await run(patched({ proof, chain, trust }, patches), present).catch(
              (thrown) => thrown,
            )
            same([failure.code, failure.exit], [code, exits[error]])
            if (step !== undefined) same(failure.step, step)
          },
        ]),
    ])
  },
}

for (const [file, vectorsOf] of Object.entries(FILES)) {
  const vectors = vectorsOf(JSON.parse(read(file)))
  let agreed = 0
  for (const [name, check] of vectors) {
    try {
      await check()
      agreed++
    } catch (error) {
      console.log(`${file}: ${JSON.stringify(name)}: ${error.message}`)
      process.exitCode = 1
    }
  }
  console.log(`${file}: ${agreed} of ${vectors.length} agree`)
}
