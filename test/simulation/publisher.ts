import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { BatchFileName, SealedBatch } from '../../src/batch/index.ts'

/** How a publisher gives out a file badly; the file is whole again afterwards. */
export const PUBLISHER_FAULTS = [
  'file missing',
  'file cut off',
  'one byte changed',
  "another batch's file",
  "another batch's header",
  'publisher fails',
  'publisher is busy',
  'publisher cuts the connection',
  'publisher stalls',
  'publisher drips',
  'publisher compresses',
  'publisher sends elsewhere',
  'file without end',
  'wrong ETag',
] as const
type PublisherFaultKind = (typeof PUBLISHER_FAULTS)[number]

export interface PublisherFault {
  kind: PublisherFaultKind
  /** answers that it spoils */
  times: number
  /** decides which byte, or which other batch */
  dice: number
}

export interface PublisherParts {
  /** the batch with this number that the chain has now */
  batchOf: (publisher: string, sequence: number) => SealedBatch | undefined
  /** every batch that there is, for those who mix them up */
  batches: readonly SealedBatch[]
  /** told of every fault that spoilt an answer */
  onFault: (kind: PublisherFaultKind) => void
}

/** The publishers' files over HTTP. */
export interface SimulatedPublisher {
  url: string
  /** Adds a fault to those that are there. */
  arm(fault: PublisherFault): void
  /** Ends all faults. */
  heal(): void
  isSpent(): boolean
  /** files asked for so far */
  asked(): number
  close(): Promise<void>
}

const DRIP_MS = 20

export async function startPublisher(parts: PublisherParts): Promise<SimulatedPublisher> {
  let faults: PublisherFault[] = []
  let asked = 0
  const server = createServer((request, response) => {
    asked++
    const [, publisher = '', sequence = '', file = ''] =
      /^\/v1\/batches\/(0x[0-9a-f]{40})\/(\d+)\/([\w.]+)$/.exec(request.url ?? '') ?? []
    const name = file as BatchFileName // whatever is asked for
    const bytes = parts.batchOf(publisher, Number(sequence))?.files[name]
    if (bytes === undefined) return void response.writeHead(404).end()
    for (const fault of faults) {
      if (fault.times === 0 || !spoil(response, { bytes, name }, fault, parts.batches)) continue
      fault.times--
      parts.onFault(fault.kind)
      return
    }
    response.end(bytes)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arm: (fault) => void faults.push({ ...fault }),
    heal: () => {
      faults = []
    },
    isSpent: () => faults.every(({ times }) => times === 0),
    asked: () => asked,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Answers badly; false when the fault does not concern this file. */
function spoil(
  response: ServerResponse,
  { bytes, name }: { bytes: Uint8Array; name: BatchFileName },
  { kind, dice }: PublisherFault,
  batches: readonly SealedBatch[],
): boolean {
  const other = batches[dice % batches.length]?.files[name] ?? bytes
  // No header commits to this file, so another number or signature in it can be told by nobody.
  const isUncommitted = name === 'submissions.json'
  switch (kind) {
    case 'file missing':
      response.writeHead(404).end()
      return true
    case 'file cut off':
      response.end(bytes.subarray(0, dice % bytes.length))
      return true
    case 'one byte changed': {
      if (isUncommitted) return false
      const changed = bytes.slice()
      const place = dice % bytes.length
      changed[place] = (changed[place] ?? 0) ^ (1 + (dice % 255))
      response.end(changed)
      return true
    }
    case "another batch's file":
    case "another batch's header":
      if (
        isUncommitted ||
        other === bytes ||
        (name === 'header.json') !== (kind === "another batch's header")
      )
        return false
      response.end(other)
      return true
    case 'publisher fails':
      response.writeHead(500).end()
      return true
    case 'publisher is busy':
      response.writeHead(429).end()
      return true
    case 'publisher cuts the connection':
      response.writeHead(200, { 'content-length': bytes.length })
      response.write(bytes.subarray(0, dice % bytes.length), () => response.destroy())
      return true
    case 'publisher stalls':
      response.writeHead(200, { 'content-length': bytes.length })
      response.write(bytes.subarray(0, dice % bytes.length))
      return true
    case 'publisher drips':
      drip(response, bytes)
      return true
    case 'publisher compresses':
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bytes)
      return true
    case 'publisher sends elsewhere':
      response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end()
      return true
    case 'file without end':
      // Of the others it would be megabytes until it is too much.
      if (name !== 'header.json' && name !== 'tree.bin') return false
      pour(response)
      return true
    case 'wrong ETag':
      response.writeHead(200, { etag: `"${dice}"` }).end(bytes)
      return true
  }
}

/** A byte at a time, until the other side has had enough. */
function drip(response: ServerResponse, bytes: Uint8Array): void {
  let sent = 0
  const timer = setInterval(() => {
    if (sent === bytes.length) response.end()
    else response.write(bytes.subarray(sent, ++sent))
  }, DRIP_MS)
  response.on('close', () => clearInterval(timer))
}

/** More and more, until the other side has had enough. */
function pour(response: ServerResponse): void {
  const much = new Uint8Array(64 * 1024)
  const more = () => {
    while (!response.destroyed && response.write(much));
  }
  response.on('drain', more)
  more()
}
