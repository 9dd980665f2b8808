import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { patched, type Subject } from '../../scripts/vectors-altered.ts'
import type { OfflineSubject } from '../../scripts/vectors-offline.ts'
import type { Patch } from '../../scripts/vectors-patch.ts'
import { readModule } from '../layering/read-module.ts'
import { exampleOf } from '../record/examples.ts'
import type { Report, Visit } from './visitor.ts'

const { proof, chain, trust, verified, altered } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../vectors/proof.json'), 'utf8'),
) as Subject & {
  verified: { record: unknown; closedMembers: number }
  altered: { patches: Patch[]; error: string; step?: string; code: string }[]
}

const { altered: alteredOffline, ...offline } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../vectors/offline.json'), 'utf8'),
) as OfflineSubject & { altered: typeof altered }

type Mode = 'open' | 'strict' | 'bare'

const refusalOf = ({ error, step, code }: (typeof altered)[number]) => ({
  name: error,
  code,
  ...(step === undefined ? {} : { step }),
})

/** Has everything done in a realm of its own, in a process of its own. */
async function visit(mode: Mode): Promise<Report> {
  const subjects = [
    { proof, chain, trust },
    ...altered.map(({ patches }) => patched({ proof, chain, trust }, patches)),
  ]
  const asked: Visit = {
    subjects,
    offline: [offline, ...alteredOffline.map(({ patches }) => patched<OfflineSubject>(offline, patches))],
    record: exampleOf('tidemark.call.v1'),
  }
  const child = spawn(process.execPath, [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    fileURLToPath(new URL('./realm.ts', import.meta.url)),
    mode,
  ])
  child.stdin.end(JSON.stringify(asked))
  const [out, complaints] = await Promise.all([text(child.stdout), text(child.stderr)])
  expect(complaints).toBe('')
  return JSON.parse(out) as Report
}

describe.each<[Mode, string]>([
  ['open', 'in a realm with what every browser has'],
  ['strict', 'in a realm that forbids eval and compilation, as under a strict content security policy'],
  ['bare', 'in a realm that forbids eval and has no WebAssembly at all'],
])('%s: %s', (mode) => {
  const visited = visit(mode)

  test('there is nothing of Node', async () => {
    const { globals, canEvaluate, canCompile } = await visited
    for (const name of ['process', 'Buffer', 'require', 'global', 'console', 'setTimeout', 'fetch']) {
      expect(globals).not.toContain(name)
    }
    expect(globals.includes('WebAssembly')).toBe(mode !== 'bare')
    expect([canEvaluate, canCompile]).toEqual([mode === 'open', mode === 'open'])
  })

  test('a proof is verified, and each altered one refused at its step', async () => {
    const { outcomes } = await visited
    expect(outcomes[0]).toEqual({
      verified: { record: verified.record, closedMembers: verified.closedMembers },
    })
    expect(outcomes.slice(1)).toEqual(altered.map(refusalOf))
  })

  test('a proof with evidence is verified without a chain, and each altered one refused at its step', async () => {
    const { offline } = await visited
    expect(offline).toEqual([{ verified: 'proof' }, ...alteredOffline.map(refusalOf)])
  })

  test('a record is sealed with random salts, and opened', async () => {
    const { opened, sealed, digests } = await visited
    expect(opened).toEqual(exampleOf('tidemark.call.v1'))
    expect(sealed).toHaveProperty('data._sd', digests[0])
    expect(digests[0]).toHaveLength(3)
    expect(digests[1]?.some((digest) => digests[0]?.includes(digest))).toBe(false)
  })
})

test('nothing that src/index.ts imports, near or far, needs Node', () => {
  const source = join(import.meta.dirname, '../../src')
  const packages = new Set<string>()
  const seen = new Set<string>()
  const waiting = [join(source, 'index.ts')]
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (seen.has(file)) continue
    seen.add(file)
    const place = relative(source, file)
    const { imports, unreadable, ambient, globals } = readModule(file)
    expect(unreadable, place).toEqual([])
    expect(ambient, place).toEqual([])
    const names = globals.map(({ name }) => name)
    for (const name of ['Buffer', 'process', 'require', 'global', '__dirname']) {
      expect(names, place).not.toContain(name)
    }
    for (const { specifier } of imports) {
      expect(specifier, place).not.toMatch(/^node:/)
      if (!specifier.startsWith('.')) packages.add(specifier)
      else waiting.push(join(dirname(file), specifier))
    }
  }
  expect([...seen].every(existsSync)).toBe(true)
  expect(seen.size).toBeGreaterThan(30)
  expect([...packages].every((name) => /^(?:typebox|@noble\/hashes)(?:\/|$)/.test(name))).toBe(true)
})
