import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { breakerCommand } from '../../src/cli/breaker.ts'
import { registryCommand } from '../../src/cli/registry.ts'
import { readRegistration } from '../../src/cli/registry-file.ts'
import { ndjson } from '../api/world.ts'
import { expectNoProcess, makeFolder, startUp, tidemark, type Up } from '../e2e/processes.ts'
import { addressOf, otherKey, sourceKey } from '../gateway/signed.ts'
import { temporaryFolder } from '../store/temporary.ts'

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/)
const DIGEST = `0x${'5a'.repeat(32)}`

let up: Up
let folder: Awaited<ReturnType<typeof makeFolder>>
let where: string[]

beforeAll(async () => {
  folder = await makeFolder()
  const data = ['--data', join(folder.path, 'data')]
  up = await startUp([...data, '--port', '0', '--chain-port', '0'])
  where = [...data, '--rpc', up.rpcUrl]
})
afterAll(async () => {
  const code = await up.stop()
  await expectNoProcess(folder.path)
  await folder.remove()
  expect(code).toBe(0)
})

const run = async (...args: string[]) => {
  const ended = await tidemark([...args, ...where])
  expect(ended.code, ended.stderr).toBe(0)
  return ended.stdout
}
const json = async (...args: string[]) => JSON.parse(await run(...args, '--json'))
const refused = async (code: number, ...args: string[]) => {
  const ended = await tidemark([...args, ...where])
  expect(ended).toMatchObject({ code, stdout: '' })
  return ended.stderr
}

describe('tidemark registry, beside a running up', () => {
  test('adds a source and its keys, ends one, and lists them', async () => {
    expect(await run('registry', 'source', 'add', 'urn:cli:tax')).toBe('source urn:cli:tax is registered\n')
    expect(await run('registry', 'source', 'add', 'urn:cli:tax')).toContain('already, nothing was sent')
    const add = ['registry', 'key', 'add', 'urn:cli:tax']
    expect(await json(...add, addressOf(sourceKey))).toEqual({ changed: true })
    expect(await json(...add, addressOf(sourceKey))).toEqual({ changed: false })
    await run(...add, addressOf(otherKey), '--until', '2100-01-01T00:00:00Z')
    expect(await refused(2, ...add, addressOf(otherKey))).toContain(
      `${addressOf(otherKey)} is a key of urn:cli:tax until 2100-01-01T00:00:00.000Z and cannot be one without end: give the source a new key`,
    )
    const key = ['urn:cli:tax', addressOf(sourceKey)]
    expect(await run('registry', 'key', 'end', ...key)).toMatch(/has ended: since block \d+\n$/)
    expect(await refused(3, 'registry', 'key', 'end', ...key)).toContain(
      'the source does not have this key now',
    )
    expect((await json('registry', 'source', 'list')).filter(isOf('urn:cli:tax'))).toEqual([
      {
        source: 'urn:cli:tax',
        keys: [
          { key: addressOf(sourceKey), from: TIME, until: TIME },
          { key: addressOf(otherKey), from: TIME, until: '2100-01-01T00:00:00.000Z' },
        ],
      },
    ])
    expect(await run('registry', 'source', 'list')).toMatch(/^SOURCE +KEY +FROM +UNTIL\nurn:cli:tax +0x/)
  })

  test('sets a resource by its entry in the catalogue, and again when it changes', async () => {
    const entry = join(await temporaryFolder(), 'births.json')
    await writeFile(entry, '{"title":"births"}')
    const set = [
      'registry',
      'resource',
      'set',
      'births',
      '--owner',
      'urn:cli:civil',
      '--sharing',
      'conditional',
    ]
    expect(await refused(2, ...set, '--entry', entry)).toContain(
      'the registry has no source urn:cli:civil: "tidemark registry source add urn:cli:civil" adds it',
    )
    await run('registry', 'source', 'add', 'urn:cli:civil')
    expect(await run(...set, '--entry', entry)).toBe('resource births is registered\n')
    const digest = `0x${createHash('sha256').update('{"title":"births"}').digest('hex')}`
    expect(await json(...set, '--digest', digest)).toEqual({ changed: false })
    expect(await json(...set, '--digest', digest, '--level', '3')).toEqual({ changed: true })
    expect(await json('registry', 'show', 'births')).toEqual({
      resource: {
        resource: 'births',
        version: 2,
        owner: 'urn:cli:civil',
        sharing: 'conditional',
        level: 3,
        digest,
        tripped: null,
      },
    })
    expect(await run('registry', 'show', 'births')).toMatch(
      /^resource +births\nversion +2\nowner +urn:cli:civil\n/,
    )
    expect(await refused(2, ...set)).toContain('--entry')
    expect(await refused(2, 'registry', 'show', 'deaths')).toContain('no source and no resource deaths')
  })

  test('imports a catalogue in any order, only what is not so already, and nothing of a file that cannot be', async () => {
    const path = join(await temporaryFolder(), 'catalogue.jsonl')
    const resources = Array.from({ length: 40 }, (_, i) => ({
      resource: `import:${i}`,
      owner: `urn:import:${i % 2}`,
      sharing: 'unconditional',
      digest: DIGEST,
    }))
    const sources = [
      { source: 'urn:import:0', keys: [{ key: addressOf(sourceKey), until: '2100-01-01T00:00:00Z' }] },
      { source: 'urn:import:1' },
    ]
    await writeFile(path, ndjson(...resources, ...sources, { source: 'urn:import:1' }))
    expect(await json('registry', 'import', path)).toEqual({ entered: 43, skipped: 0 })
    expect(await run('registry', 'import', path)).toBe('0 entered, 43 were so already\n')
    const changed = {
      resource: 'import:7',
      owner: 'urn:import:1',
      sharing: 'unconditional',
      digest: DIGEST,
      level: 2,
    }
    await writeFile(path, ndjson(...resources.toSpliced(7, 1, changed), ...sources))
    expect(await json('registry', 'import', path)).toEqual({ entered: 1, skipped: 42 })
    expect((await json('registry', 'show', 'import:7')).resource).toMatchObject({ version: 2, level: 2 })
    expect(await run('registry', 'show', 'urn:import:0')).toMatch(/key +0x\w+ from .*Z until 2100-/)

    await writeFile(path, ndjson({ source: 'urn:import:2' }, { ...changed, owner: 'urn:nobody' }))
    expect(await refused(2, 'registry', 'import', path)).toContain('has no source urn:nobody')
    expect(await refused(2, 'registry', 'show', 'urn:import:2')).toContain('no source')
  })

  test.each<[string, unknown[], string]>([
    ['neither', [{ name: 'x' }], 'line 1 is neither a source nor a resource'],
    ['no object', [7], 'line 1 is neither'],
    ['a source with a blank', [{ source: 'a b' }], 'line 1 has a source'],
    ['a member that nobody reads', [{ source: 'a', key: '0x' }], 'line 1 has a member key'],
    ['a key that is none', [{ source: 'a' }, { source: 'b', keys: [{ key: '0x12' }] }], 'line 2 has a key'],
    [
      'a time that is none',
      [{ source: 'b', keys: [{ key: `0x${'11'.repeat(20)}`, until: 'soon' }] }],
      'line 1',
    ],
    ['no sharing', [{ resource: 'r', owner: 'a', digest: DIGEST }], 'line 1 needs sharing'],
    [
      'a level too high',
      [{ resource: 'r', owner: 'a', sharing: 'prohibited', level: 256, digest: DIGEST }],
      'level',
    ],
    ['no digest', [{ resource: 'r', owner: 'a', sharing: 'prohibited' }], 'line 1 needs the digest'],
    [
      'a contradiction',
      ['conditional', 'prohibited'].map((sharing) => ({
        resource: 'r',
        owner: 'a',
        sharing,
        digest: DIGEST,
      })),
      'line 2 says something else of resource r',
    ],
  ])('refuses to import %s, and says the line', async (_, lines, reason) => {
    const reading = readRegistration('-', Readable.from([Buffer.from(ndjson(...lines))]))
    await expect(reading).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
      message: expect.stringContaining(reason),
    })
  })
})

describe('tidemark breaker', () => {
  test('trips and resets everything, a source and a resource, and says what is tripped', async () => {
    await run('registry', 'source', 'add', 'urn:breaker')
    const target = ['source', 'urn:breaker']
    expect(await run('breaker', 'status')).toBe('no breaker is tripped\n')
    expect(await run('breaker', 'trip', ...target, '--reason', 'a leak')).toMatch(
      /^the breaker of source urn:breaker is tripped: since block \d+\n$/,
    )
    expect(await run('breaker', 'trip', ...target, '--reason', 'again')).toContain(
      'already, nothing was sent',
    )
    await run('breaker', 'trip', 'everything', '--reason', 'a drill')
    expect(await json('breaker', 'status')).toEqual([
      { kind: 'source', name: 'urn:breaker', tripped: TIME },
      { kind: 'everything', tripped: TIME },
    ])
    expect((await json('registry', 'show', 'urn:breaker')).source).toMatchObject({ tripped: TIME })
    expect(await run('breaker', 'status', ...target)).toMatch(/is tripped since \d{4}-/)
    await run('breaker', 'reset', ...target, '--reason', 'mended')
    await run('breaker', 'reset', 'everything', '--reason', 'over')
    expect(await json('breaker', 'status', ...target)).toMatchObject({ tripped: null })
  })

  test('of what the registry does not have is refused, not called closed', async () => {
    for (const args of [
      ['trip', 'source', 'urn:nobody', '--reason', 'x'],
      ['reset', 'resource', 'nothing', '--reason', 'x'],
      ['status', 'source', 'urn:nobody'],
    ]) {
      expect(await refused(2, 'breaker', ...args)).toContain('the registry has no')
    }
    expect(await refused(2, 'breaker', 'status', 'source')).toContain('name the source')
    expect(await refused(2, 'breaker', 'trip', 'everything')).toContain('--reason')
  })
})

test('where nothing says which registry, that is said', async () => {
  const data = ['--data', await temporaryFolder()]
  const ended = await tidemark(['registry', 'source', 'list', '--rpc', up.rpcUrl, ...data])
  expect(ended.code).toBe(2)
  expect(ended.stderr).toContain('names no authorisations')
  const ledger = ['--authorizations', up.ledger]
  expect((await tidemark(['registry', 'source', 'list', '--rpc', up.rpcUrl, ...ledger])).code).toBe(3)
})

test('every command says what it does, and where the contracts and the key come from', () => {
  const leaves = (command: Command): Command[] =>
    command.commands.length === 0 ? [command] : command.commands.flatMap(leaves)
  const all = [registryCommand(), breakerCommand()].flatMap(leaves)
  expect(all.map((command) => command.name())).toEqual([
    'add',
    'list',
    'add',
    'end',
    'set',
    'show',
    'import',
    'trip',
    'reset',
    'status',
  ])
  for (const command of all) {
    const help = command.helpInformation()
    expect(command.description()).not.toBe('')
    for (const option of ['--authorizations', '--data', '--rpc', '--json']) expect(help).toContain(option)
    expect(help.includes('--keystore')).toBe(!['list', 'show', 'status'].includes(command.name()))
  }
})

function isOf(source: string) {
  return (entry: { source: string }) => entry.source === source
}
