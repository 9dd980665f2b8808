import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import type { BatchFileName, SealedBatch } from '../../src/batch/index.ts'

/** Answers a request for a file in its own way; false leaves it to the honest server. */
type Lie = (
  ...request: [...Parameters<RequestListener>, asked: { sequence: number; file: BatchFileName }]
) => boolean

/** A publisher's server on a free port, gone after the test. */
export async function startPublisherServer(batches: readonly SealedBatch[]) {
  const asked: string[] = []
  const state: { lie: Lie } = { lie: () => false }
  const server = createServer((request, response) => {
    const [, sequence = '', file = ''] =
      /\/v1\/batches\/0x[0-9a-f]{40}\/(\d+)\/([\w.]+)$/.exec(request.url ?? '') ?? []
    asked.push(`${sequence}/${file}`)
    const name = file as BatchFileName // whatever is asked for
    if (state.lie(request, response, { sequence: Number(sequence), file: name })) return
    const bytes = batches[Number(sequence)]?.files[name]
    response.writeHead(bytes === undefined ? 404 : 200)
    response.end(bytes)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    lie(next: Lie) {
      state.lie = next
    },
  }
}
