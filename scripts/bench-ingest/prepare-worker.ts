/** A thread that writes the signed requests of some sources, each source's into a file of its own. */
import { parentPort, workerData } from 'node:worker_threads'
import { concatBytes } from '../../src/bytes/bytes.ts'
import { toHex } from '../../src/bytes/hex.ts'
import { type SigningDomain, signSubmission } from '../../src/chain/signing.ts'
import { treeRoot } from '../../src/merkle/index.ts'
import { makeLine, sourceKey, sourceName } from './records.ts'
import { RequestWriter, requestPath } from './request-file.ts'

export interface PrepareJob {
  folder: string
  domain: SigningDomain
  /** records of a submission */
  size: number
  sources: readonly number[]
  /** submissions of each source: the first to write, and the one after the last */
  from: number
  to: number
}

parentPort?.postMessage(await prepare(workerData as PrepareJob))

/** Returns the bytes of the items' lines, line feeds included. */
async function prepare({ folder, domain, size, sources, from, to }: PrepareJob): Promise<number> {
  let lineBytes = 0
  for (const source of sources) {
    const writer = new RequestWriter(requestPath(folder, source))
    for (let sequence = from; sequence < to; sequence++) {
      const { head, body } = await makeRequest(domain, size, source, sequence)
      writer.add(head, body)
      lineBytes += body.length
    }
    writer.close()
  }
  return lineBytes
}

async function makeRequest(domain: SigningDomain, size: number, source: number, sequence: number) {
  const lines = Array.from({ length: size }, (_, i) => makeLine(source, sequence * size + i))
  const body = Buffer.from(lines.map(({ text }) => `${text}\n`).join(''))
  const root = treeRoot(concatBytes(...lines.map(({ leafHash }) => leafHash)))
  const submission = { source: sourceName(source), sequence: BigInt(sequence), root, size: BigInt(size) }
  const head = [
    'POST /v1/submissions HTTP/1.1',
    'Host: localhost',
    'Content-Type: application/x-ndjson',
    `Content-Length: ${body.length}`,
    `Tidemark-Sequence: ${sequence}`,
    `Tidemark-Root: ${toHex(root)}`,
    `Tidemark-Signature: ${await signSubmission(sourceKey(source), domain, submission)}`,
  ]
  return { head: Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body }
}
