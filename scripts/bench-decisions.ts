/**
 * Measures POST /v1/decisions over a catalogue of many grants, beside the same question to the contract on anvil:
 *
 *   npm run bench:decisions -- [--grants 1000000] [--questions 20000]
 *
 * A `tidemark up` of its own, in a temporary folder, is asked from this process over connections that are kept, with one
 * and with eight questions in flight. The grants are written into the catalogue as a checking thread would leave them;
 * signing and sealing so many records would take the better part of an hour and is none of what is measured. Nobody
 * looks at their signatures again, which are random bytes here, as are their ids. The peer is an eth_call of `decide`
 * for a grant that the contract holds.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { type Hex, toHex } from '../src/bytes/hex.ts'
import type { RightsIdentity } from '../src/chain/deploy.ts'
import { LOCAL_CHAIN_ID } from '../src/chain/dev-accounts.ts'
import { authorizationsInterface } from '../src/chain/rights-abi.ts'
import { createRpc } from '../src/chain/rpc.ts'
import { nameId } from '../src/record/index.ts'
import { inTransaction, openDatabase } from '../src/store/database.ts'
import { Grants } from '../src/store/grants.ts'
import { whole } from '../test/chaos/seeds.ts'
import { administer, FAR_FUTURE, makeGrant } from '../test/indexer/rights-world.ts'

const { values } = parseArgs({
  options: {
    grants: { type: 'string', default: '1000000' },
    questions: { type: 'string', default: '20000' },
  },
})
const GRANTS = whole(values.grants, 'grants')
const QUESTIONS = whole(values.questions, 'questions')
const IN_FLIGHT = [1, 8]
const WARM_UP = 500
const AT_ONCE = 10_000

const USE = { consumer: 'urn:tax', resource: 'births', purpose: 'school' }
const TERMS = {
  consumer: nameId(USE.consumer),
  resource: nameId(USE.resource),
  purpose: nameId(USE.purpose),
  notBefore: 0n,
  notAfter: FAR_FUTURE,
}

interface Up {
  api: string
  rpc: string
  registry: Hex
  authorizations: Hex
  stop(): Promise<void>
}

async function startUp(data: string): Promise<Up> {
  const args = [
    'src/cli/main.ts',
    'up',
    '--data',
    data,
    '--port',
    '0',
    '--chain-port',
    '0',
    '--json',
    '--log-level',
    'error',
  ]
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  if (child.stdout === null) throw new Error('its output is a pipe')
  for await (const line of createInterface({ input: child.stdout })) {
    const stop = async () => {
      child.kill('SIGTERM')
      await ended
    }
    return { ...JSON.parse(line), stop }
  }
  throw new Error('tidemark up did not start')
}

/** A use that needs a grant, and one grant that the contract holds. */
async function register({ rpc: url, registry, authorizations }: Up): Promise<Hex> {
  const rights: RightsIdentity = { registry, authorizations, deploymentBlock: 0n }
  const { registrar, bySubject, domain, subject } = administer(createRpc(url), rights)
  await registrar.addSource(USE.consumer)
  await registrar.setResource(USE.resource, {
    owner: TERMS.consumer,
    sharing: 'conditional',
    level: 1,
    digest: nameId('entry'),
  })
  const { grant, id } = await makeGrant({ ...domain, chainId: LOCAL_CHAIN_ID }, {}, subject)
  await bySubject.grant(grant, '0x')
  return id
}

function fill(path: string): Hex[] {
  const database = openDatabase(path)
  const grants = new Grants(database)
  const ids: Hex[] = []
  while (ids.length < GRANTS) {
    inTransaction(database, () => {
      for (let i = 0; i < AT_ONCE && ids.length < GRANTS; i++) {
        const id = toHex(randomBytes(32))
        const position = ids.length
        grants.add({
          id,
          terms: { ...TERMS, subject: toHex(randomBytes(20)), maxCalls: 1_000_000, nonce: BigInt(position) },
          signature: toHex(randomBytes(65)),
          signed: true,
          logIndex: 0n,
          position,
          source: 'urn:people',
          record: `grant-${position}`,
        })
        ids.push(id)
      }
    })
  }
  database.close()
  return ids
}

const agent = new Agent({ keepAlive: true, maxSockets: Math.max(...IN_FLIGHT) })

function post(url: string, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const sent = request(url, { method: 'POST', headers, agent }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => resolve(text))
      response.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** Asks so many questions with some in flight, and prints how long each took. */
async function measure(what: string, inFlight: number, ask: () => Promise<void>): Promise<void> {
  for (let i = 0; i < WARM_UP; i++) await ask()
  const tookMs: number[] = []
  const started = performance.now()
  let left = QUESTIONS
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (left-- > 0) {
        const asked = performance.now()
        await ask()
        tookMs.push(performance.now() - asked)
      }
    }),
  )
  const perSecond = Math.round((1_000 * tookMs.length) / (performance.now() - started))
  tookMs.sort((a, b) => a - b)
  const percentile = (share: number) => (tookMs[Math.floor(share * (tookMs.length - 1))] ?? 0).toFixed(2)
  console.log(
    `${what.padEnd(28)} ${inFlight} in flight: median ${percentile(0.5)} ms, 99th ${percentile(0.99)} ms, ${perSecond} a second`,
  )
}

const data = mkdtempSync(join(tmpdir(), 'tidemark-bench-decisions-'))
let up = await startUp(data)
try {
  const onChain = await register(up)
  await up.stop()
  const started = performance.now()
  const ids = fill(join(data, 'catalogue.sqlite'))
  console.log(`${ids.length} grants written in ${Math.round((performance.now() - started) / 1_000)} s`)
  up = await startUp(data)
  const { api, rpc, authorizations } = up
  const decide = (isUse: boolean) => async () => {
    const authorization = ids[Math.floor(Math.random() * ids.length)]
    const text = await post(
      `${api}/v1/decisions`,
      JSON.stringify({ ...USE, authorization, ...(isUse && { use: true }) }),
    )
    if (!text.includes('"reason":"Allowed"')) throw new Error(`it is not allowed: ${text}`)
  }
  const words = [TERMS.consumer, TERMS.resource, TERMS.purpose, onChain]
  const call = { to: authorizations, data: authorizationsInterface.encodeFunctionData('decide', words) }
  const peerBody = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_call', params: [call, 'latest'] })
  const peer = async () => {
    const text = await post(rpc, peerBody)
    if (!text.includes('0000f"')) throw new Error(`the contract does not allow it: ${text}`)
  }
  console.log(`${QUESTIONS} questions each, load average ${loadavg()[0]?.toFixed(1)}`)
  for (const inFlight of IN_FLIGHT) {
    await measure('decision', inFlight, decide(false))
    await measure('decision, counted', inFlight, decide(true))
    await measure('peer: eth_call on anvil', inFlight, peer)
  }
} finally {
  agent.destroy()
  await up.stop()
  rmSync(data, { recursive: true, force: true })
}
