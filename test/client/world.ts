import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import type { Clock } from '../../src/client/pauses.ts'
import { Tidemark, type TidemarkOptions } from '../../src/client/tidemark.ts'
import { openDatabase } from '../../src/store/database.ts'
import { Sources } from '../../src/store/sources.ts'
import { startTestSystem, type TestSystem } from '../api/world.ts'
import { readLedger } from '../gateway/world.ts'
import { temporaryFolder } from '../store/temporary.ts'

/** A running system that ends with the test, and what its ledger holds once it has ended. */
export async function startLedger(change: Parameters<typeof startTestSystem>[0] = {}) {
  const dataPath = change.dataPath ?? (await temporaryFolder())
  const world: TestSystem = await startTestSystem({ ...change, dataPath })
  onTestFinished(() => world.system.stop())
  return {
    ...world,
    url: world.system.url,
    /** Its register of keys and tokens, as `tidemark source` and `tidemark token` write to it. */
    register(write: (sources: Sources) => void): void {
      const database = openDatabase(join(dataPath, 'catalogue.sqlite'))
      try {
        write(new Sources(database))
      } finally {
        database.close()
      }
    },
    /** Ends the system: the ids of every submission of a source, in the order of their numbers. */
    async submissionsOf(source: string): Promise<string[][]> {
      await world.system.stop()
      const ledger = await readLedger(dataPath)
      const found: string[][] = []
      for (let next = ledger.get(`${source}#0`); next !== undefined; ) {
        found.push(next)
        next = ledger.get(`${source}#${found.length}`)
      }
      const all = [...ledger.keys()].filter((name) => name.startsWith(`${source}#`))
      if (all.length !== found.length) throw new Error(`${source} has a gap: ${all}`)
      return found
    },
  }
}

/** A clock that waits as long as it must, but never long, and remembers how long it should have been. */
export function hastyClock(): Clock & { pausesMs: number[] } {
  const pausesMs: number[] = []
  return {
    pausesMs,
    now: Date.now,
    delay: async (ms, signal) => {
      pausesMs.push(ms)
      await delay(Math.min(ms, 10), undefined, signal && { signal }).catch(() => undefined)
    },
  }
}

/** A client that is closed with the test, whatever became of the test, and the errors it has told of. */
export async function connect(options: Omit<TidemarkOptions, 'source'> & { source?: string }) {
  const errors: unknown[] = []
  const ledger = await Tidemark.connect({
    source: 'urn:service',
    clock: hastyClock(),
    random: () => 0.5,
    onError: (error) => void errors.push(error),
    ...options,
  })
  onTestFinished(() => ledger.close({ timeoutMs: 0 }))
  return { ledger, errors }
}

/** Waits for everything, however long its hasty clock would wait, and closes it. */
export async function finish(ledger: Tidemark): Promise<void> {
  await ledger.flush()
  await ledger.close()
}

export const idsOf = (tag: string, count: number) => Array.from({ length: count }, (_, i) => `${tag}-${i}`)

export interface Heard {
  method: string
  path: string
  headers: IncomingHttpHeaders
  body: Buffer
}

/**
 * What the man in the middle does with an exchange: `pass` it on, `cut` the connection before the gateway hears of it,
 * `lose` the gateway's answer, answer himself, or change the answer.
 */
export type Meddling =
  | 'pass'
  | 'cut'
  | 'lose'
  | { status: number; headers?: Record<string, string>; body?: string }
  | ((answer: string) => string | Promise<string>)

/** A real server that stands between a client and a gateway. */
export async function standBetween(
  gatewayUrl: string | (() => string),
  meddle: (heard: Heard) => Meddling | Promise<Meddling>,
) {
  const heard: Heard[] = []
  async function handle(one: Heard, response: ServerResponse): Promise<void> {
    heard.push(one)
    const meddling = await meddle(one)
    if (meddling === 'cut') {
      response.destroy()
      return
    }
    if (typeof meddling === 'object') {
      response.writeHead(meddling.status, meddling.headers).end(meddling.body)
      return
    }
    const { host: _, connection: __, 'transfer-encoding': ___, ...headers } = one.headers
    const answer = await fetch(
      new URL(one.path, typeof gatewayUrl === 'string' ? gatewayUrl : gatewayUrl()),
      {
        method: one.method,
        headers: Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]),
        ...(one.body.length > 0 && { body: new Uint8Array(one.body) }),
      },
    )
    const text = await answer.text()
    if (meddling === 'lose') {
      response.destroy()
      return
    }
    const type = answer.headers.get('content-type') ?? 'text/plain'
    response.writeHead(answer.status, { 'content-type': type })
    response.end(typeof meddling === 'function' ? await meddling(text) : text)
  }
  const server = createServer(async (request, response) => {
    const { method = '', url: path = '', headers } = request
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    await handle({ method, path, headers, body: Buffer.concat(chunks) }, response).catch(() =>
      response.destroy(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo // it listens on a port
  return { url: `http://127.0.0.1:${port}`, heard }
}

export const isSubmission = ({ method }: Heard) => method === 'POST'
