/**
 * Measures how fast `Appended` events are decoded, beside ethers' `parseLog`, on the same logs.
 *
 *   npm run bench:decode -- [--events 20000] [--rounds 5]
 *
 * Printed are medians over the rounds, and the ratio of each round's pair. In a round ours goes through the logs many
 * times, so that both take about as long and suffer alike from whatever else the machine does. Before anything is
 * measured, both must give the same of every event.
 */
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { Interface } from 'ethers'
import { APPENDED_TOPIC, decodeAppended, encodeHeader, type Header } from '../src/batch/index.ts'
import { type Hex, toHex } from '../src/bytes/hex.ts'
import { sha256 } from '../src/bytes/sha256.ts'

const ledgerInterface = new Interface([
  `event Appended(uint64 indexed index, address indexed publisher, tuple(address publisher, uint64 sequence,
    bytes32 recordsRoot, uint32 recordCount, bytes32 indexRoot, uint32 indexSize, uint64 firstTime, uint64 lastTime)
    header, bytes32 node)`,
])
const { values } = parseArgs({
  options: { events: { type: 'string', default: '20000' }, rounds: { type: 'string', default: '5' } },
})
const [events, rounds] = [Number(values.events), Number(values.rounds)]

interface Log {
  topics: Hex[]
  data: Hex
}

const logs = Array.from({ length: events }, (_, i) => logOf(i))
for (const log of logs) expectSame(log)

/** Times that ours goes through the logs while ethers does once. */
const PASSES = 100

const ours = (): void => {
  for (let pass = 0; pass < PASSES; pass++) {
    for (const { topics, data } of logs) decodeAppended(topics, data)
  }
}
const theirs = (): void => {
  for (const log of logs) ledgerInterface.parseLog(log)
}
ours()
theirs()
const measured = Array.from({ length: rounds }, () => ({
  ours: timeOf(ours) / PASSES,
  theirs: timeOf(theirs),
}))
const rate = (ms: number) => Math.round((1_000 * events) / ms).toLocaleString('en')
const ratios = measured.map((round) => round.theirs / round.ours)
process.stdout.write(
  `load average ${loadavg()[0]?.toFixed(1)}; events a second: ours ${rate(median(measured.map((round) => round.ours)))}, ` +
    `ethers ${rate(median(measured.map((round) => round.theirs)))}; ` +
    `${median(ratios).toFixed(0)} times (${ratios.map((ratio) => ratio.toFixed(0)).join(', ')})\n`,
)

function timeOf(work: () => void): number {
  const startedAt = performance.now()
  work()
  return performance.now() - startedAt
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}

function logOf(i: number): Log {
  const hash = (tag: number) => sha256(Uint8Array.of(tag, i >> 16, i >> 8, i))
  const header: Header = {
    publisher: toHex(hash(0).subarray(0, 20)),
    sequence: BigInt(i),
    recordsRoot: hash(1),
    recordCount: 1 + (i % 65_536),
    indexRoot: hash(2),
    indexSize: 1 + (i % 4_096),
    firstTime: 1_790_000_000_000n + BigInt(i),
    lastTime: 1_790_000_060_000n + BigInt(i),
  }
  return {
    topics: [
      APPENDED_TOPIC,
      `0x${i.toString(16).padStart(64, '0')}`,
      `0x${'00'.repeat(12)}${header.publisher.slice(2)}`,
    ],
    data: `${toHex(encodeHeader(header))}${toHex(hash(3)).slice(2)}`,
  }
}

function expectSame(log: Log): void {
  const ours = decodeAppended(log.topics, log.data)
  const theirs = ledgerInterface.parseLog(log)
  const [index, publisher, header, node] = theirs?.args.toArray() ?? []
  const { sequence, recordsRoot, recordCount, indexRoot, indexSize, firstTime, lastTime } = header
  const same =
    ours !== undefined &&
    ours.index === index &&
    ours.header.publisher === String(publisher).toLowerCase() &&
    ours.header.sequence === sequence &&
    toHex(ours.header.recordsRoot) === recordsRoot &&
    BigInt(ours.header.recordCount) === recordCount &&
    toHex(ours.header.indexRoot) === indexRoot &&
    BigInt(ours.header.indexSize) === indexSize &&
    ours.header.firstTime === firstTime &&
    ours.header.lastTime === lastTime &&
    toHex(ours.node) === node
  if (!same) throw new Error(`decoded differently: ${JSON.stringify(log)}`)
}
