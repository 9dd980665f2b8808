import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Hex } from '../../src/bytes/hex.ts'
import { chainFacts } from '../../src/chain/facts.ts'
import { createRpc } from '../../src/chain/rpc.ts'
import { exitCodeOf } from '../../src/cli/exit.ts'
import { fromXroad, parseXroad } from '../../src/client/xroad.ts'
import type { JsonProof } from '../../src/proof/index.ts'
import type { FlowRecord } from '../../src/record/index.ts'
import { type ChainFacts, verifyProof } from '../../src/verify/index.ts'
import { exchange, freePort, keepAliveAgent } from '../api/world.ts'
import { expectNoProcess, makeFolder, startUp, tidemark, type Up } from './processes.ts'

const FILE = fileURLToPath(new URL('../../../shared/data/xroad/opmon-2020.ndjson', import.meta.url))
const present = existsSync(FILE)
if (!present)
  console.warn('SKIPPED: ../shared/data/xroad/opmon-2020.ndjson is not there; see ../shared/README.md')

const ROWS = 5_230
const PROOFS = 200

describe.skipIf(!present)('the operational monitoring of a real X-Road', () => {
  const agent = keepAliveAgent()
  let folder: Awaited<ReturnType<typeof makeFolder>>
  let up: Up
  let records: FlowRecord[]
  let facts: ChainFacts
  const proofs: JsonProof[] = []

  const get = async (path: string) => {
    const { status, text } = await exchange(up.url, 'GET', path, { agent })
    if (status !== 200) throw new Error(`${path} is ${status}: ${text}`)
    return JSON.parse(text)
  }
  const query = ({ source, id }: FlowRecord) => new URLSearchParams({ source, id })

  beforeAll(async () => {
    folder = await makeFolder()
    records = parseXroad(await readFile(FILE, 'utf8')).map(({ line, value }) => fromXroad(value, line))
    up = await startUp([
      '--data',
      join(folder.path, 'data'),
      '--port',
      '0',
      '--chain-port',
      '0',
      '--seal-after',
      '200',
    ])
    facts = chainFacts(createRpc(up.rpcUrl), { finality: { kind: 'tag' } })
  }, 60_000)
  afterAll(async () => {
    agent.destroy()
    const code = await up.stop()
    await expectNoProcess(folder.path)
    await folder.remove()
    expect(code).toBe(0)
  })

  test('is accepted, sealed and anchored, every row of it', async () => {
    const sent = await tidemark(['send', FILE, '--from', 'xroad', '--wait', '--json', '--api', up.url])
    expect(sent.code, sent.stderr).toBe(0)
    const { records: count, receipts } = JSON.parse(sent.stdout)
    expect(count).toBe(ROWS)
    expect(receipts.reduce((sum: number, { size }: { size: string }) => sum + Number(size), 0)).toBe(ROWS)
    const { batches } = await get('/v1/batches?limit=500')
    const states = new Set(
      batches.map(({ state, final }: { state: string; final: boolean }) => `${state} ${final}`),
    )
    expect(states).toEqual(new Set(['verified true']))
    const sealed = batches.reduce(
      (sum: number, { batch }: { batch: { recordCount: number } }) => sum + batch.recordCount,
      0,
    )
    expect(sealed).toBe(ROWS)
  })

  test('is found, every record of it, under its source and id', async () => {
    expect(records).toHaveLength(ROWS)
    const places = new Set<string>()
    let next = 0
    const ask = async () => {
      for (let record = records[next++]; record !== undefined; record = records[next++]) {
        const { records: found } = await get(`/v1/records?${query(record)}`)
        expect(found).toHaveLength(1)
        const [{ batch, record: stored, final }] = found
        expect([stored.id, stored.source, stored.time, final]).toEqual([
          record.id,
          record.source,
          record.time,
          true,
        ])
        places.add(`${batch.sequence}/${batch.position}`)
      }
    }
    await Promise.all([1, 2, 3, 4].map(ask))
    expect(places.size, 'each at a place of its own').toBe(ROWS)
  })

  test(`is proven: ${PROOFS} records of it to a stranger with a node of the chain`, async () => {
    for (let i = 0; i < PROOFS; i++) {
      const record = records[Math.floor((i * ROWS) / PROOFS)]
      if (record === undefined) throw new Error('the file is too short')
      const proof: JsonProof = await get(`/v1/proofs?${query(record)}`)
      proofs.push(proof)
      const verified = await verifyProof(structuredClone(proof), facts, { ledger: up.ledger as Hex })
      expect(verified.record.id).toBe(record.id)
    }
  })

  test('is refuted wherever a byte of a value is changed', async () => {
    // Different proofs, so that different shapes of path take part.
    let flips = 0
    for (const proof of [proofs[0], proofs[77], proofs[PROOFS - 1]]) {
      for (const { bundle, place } of flipsOf(proof)) {
        expect(await verdict(bundle, facts), place).toBe(1)
        flips++
      }
    }
    expect(flips).toBeGreaterThan(300)
  })

  test('is refuted by the command line as well, with exit code 1', async () => {
    const flips = flipsOf(proofs[42])
    const chosen = Array.from({ length: 10 }, (_, i) => flips[Math.floor((i * flips.length) / 10)])
    const path = join(folder.path, 'flipped.json')
    for (const flip of chosen) {
      await writeFile(path, JSON.stringify(flip?.bundle))
      const ended = await tidemark(['verify', path, '--rpc', up.rpcUrl])
      expect([ended.code, ended.stdout], flip?.place).toEqual([1, ''])
      expect(ended.stderr).toContain('REFUTED')
    }
  })

  test('is neither verified nor refuted without a node: exit code 3', async () => {
    const rpcUrl = `http://127.0.0.1:${await freePort()}`
    const dead = chainFacts(createRpc(rpcUrl), { finality: { kind: 'tag' } })
    expect(await verdict(structuredClone(proofs[0]), dead)).toBe(3)
    const path = join(folder.path, 'proof.json')
    await writeFile(path, JSON.stringify(proofs[0]))
    expect((await tidemark(['verify', path, '--rpc', rpcUrl])).code).toBe(3)
  })

  test('is unreadable when its proof is cut off, at whatever length: exit code 2', async () => {
    const text = JSON.stringify(proofs[0])
    for (let length = 0; length < text.length; length += 7) {
      expect(() => JSON.parse(text.slice(0, length)), `${length} bytes`).toThrow(SyntaxError)
    }
    const path = join(folder.path, 'cut.json')
    for (const length of [0, 1, Math.floor(text.length / 2), text.length - 1]) {
      await writeFile(path, text.slice(0, length))
      const ended = await tidemark(['verify', path, '--rpc', up.rpcUrl])
      expect(ended.code, `${length} bytes`).toBe(2)
    }
  })
})

/** The exit code that the command line gives for a bundle. */
async function verdict(bundle: unknown, chain: ChainFacts): Promise<number> {
  try {
    await verifyProof(bundle, chain)
    return 0
  } catch (error) {
    return exitCodeOf(error)
  }
}

interface Flip {
  place: string
  bundle: unknown
}

/** The proof with one byte of one value changed: every value, each at three places at most. */
function flipsOf(proof: JsonProof | undefined): Flip[] {
  if (proof === undefined) throw new Error('there is no proof to flip')
  const { record, inclusion, batch, log, anchor } = proof
  return leavesOf({ record, inclusion, batch, log, anchor }, []).flatMap(({ path, value }) => {
    const text = String(value)
    const spots = new Set([0, Math.floor(text.length / 2), text.length - 1])
    return [...spots].flatMap((at): Flip[] => {
      const changed = text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1)
      const replacement = typeof value === 'string' ? changed : Number(changed)
      if (typeof replacement === 'number' && (Number.isNaN(replacement) || replacement === value)) return []
      const bundle = structuredClone(proof)
      put(bundle, path, replacement)
      return [{ place: `${path.join('/')} at ${at}: ${text} to ${changed}`, bundle }]
    })
  })
}

function leavesOf(value: unknown, path: string[]): { path: string[]; value: string | number }[] {
  if (typeof value === 'string' && value !== '') return [{ path, value }]
  if (typeof value === 'number') return [{ path, value }]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => leavesOf(inner, [...path, name]))
}

function put(target: unknown, path: readonly string[], value: unknown): void {
  const [name = '', ...rest] = path
  const parent = target as Record<string, unknown>
  if (rest.length === 0) parent[name] = value
  else put(parent[name], rest, value)
}
