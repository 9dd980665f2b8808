import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, createServer, type IncomingHttpHeaders, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { embeddedChain } from '../../src/cli/embedded-chain.ts'
import { type System, type SystemConfig, startSystem } from '../../src/cli/system.ts'
import { exampleOf, type Json } from '../record/examples.ts'

export interface TestSystem {
  system: System
  dataPath: string
  troubles: string[]
  close(): Promise<void>
}

/** A whole system over a fresh folder, all in this process; `close` leaves nothing behind. */
export async function startTestSystem(
  change: Partial<Omit<SystemConfig, 'policy'>> & { policy?: Partial<SystemConfig['policy']> } = {},
): Promise<TestSystem> {
  const dataPath = change.dataPath ?? (await mkdtemp(join(tmpdir(), 'tidemark-api-')))
  const troubles: string[] = []
  const starting = startSystem({
    host: '127.0.0.1',
    port: 0,
    attachChain: embeddedChain(0),
    pollMs: 20,
    submissions: 'open',
    batchFiles: 'public',
    reading: 'open',
    runHours: 24,
    limits: { bodyBytes: 200_000, submissionRecords: 100, inFlightBytes: 1_000_000 },
    stall: { afterMs: 600_000, failClosed: false },
    onProgress: () => undefined,
    onTrouble: (message, error) =>
      troubles.push(`${message}: ${error instanceof Error ? (error.stack ?? error.message) : ''}`),
    ...change,
    dataPath,
    policy: {
      sealRecords: 1_000,
      sealAfterMs: 50,
      promiseMs: 60_000,
      maxWaitingRecords: 10_000,
      ...change.policy,
    },
  })
  const system = await starting.catch(async (error: unknown) => {
    if (change.dataPath === undefined) await rm(dataPath, { recursive: true, force: true })
    throw error
  })
  const close = async () => {
    await system.stop()
    await rm(dataPath, { recursive: true, force: true })
  }
  return { system, dataPath, troubles, close }
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

/** One raw HTTP exchange: the path goes out as it is. */
export function exchange(
  base: string,
  method: string,
  path: string,
  {
    headers = {},
    body,
    agent,
  }: { headers?: Record<string, string>; body?: string | Uint8Array; agent?: Agent } = {},
): Promise<Answer> {
  const { hostname, port } = new URL(base)
  // Node sends the body of some methods without saying how long it is.
  const framed =
    body === undefined ? headers : { ...headers, 'content-length': String(Buffer.byteLength(body)) }
  return new Promise((resolve, reject) => {
    const sent = request(
      { hostname, port, method, path, headers: framed, agent, timeout: 50_000 },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString('utf8'),
          }),
        )
      },
    )
    sent.on('timeout', () => sent.destroy(new Error(`no answer to ${method} ${path}`)))
    sent.on('error', reject)
    sent.end(body)
  })
}

/** Keeps its connection, so that thousands of questions do not use up the ports. */
export const keepAliveAgent = () => new Agent({ keepAlive: true, maxSockets: 4 })

export const NDJSON = { 'content-type': 'application/x-ndjson' }

export const callOf = (source: string, id: string, change: Json = {}): Json => ({
  ...exampleOf('tidemark.call.v1'),
  source,
  id,
  ...change,
})

export const ndjson = (...values: unknown[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('')
