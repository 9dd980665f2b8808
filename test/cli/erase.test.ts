import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseDisclosure } from '../../src/record/index.ts'
import { callOf, ndjson } from '../api/world.ts'
import { makeFolder, startUp, tidemark, type Up } from '../e2e/processes.ts'
import { eventually } from '../store/temporary.ts'

const SOURCE = 'urn:cli:erase'
const { person } = callOf('', '').data as { person: string }
const WHO = ['--approver', 'Wang Wei', '--executor', 'Chen Jie', '--reason', 'request']

let up: Up
let folder: Awaited<ReturnType<typeof makeFolder>>
let data: string[]
let token: string

const start = async () => {
  up = await startUp([...data, '--port', '0', '--chain-port', '0', '--seal-after', '50'])
}

beforeAll(async () => {
  folder = await makeFolder()
  data = ['--data', join(folder.path, 'data')]
  token = (await run('token', 'create', '--auditor', ...data)).stdout.trim()
  await start()
  const records = ndjson(...['a', 'b', 'c'].map((id) => callOf(SOURCE, id)))
  const sent = await tidemark(['send', '-', '--wait', '--api', up.url], { stdin: records })
  expect(sent.code, sent.stderr).toBe(0)
})
afterAll(async () => {
  await up.stop()
  await folder.remove()
})

async function run(...args: string[]) {
  const ended = await tidemark(args)
  expect(ended.code, ended.stderr).toBe(0)
  return ended
}

const prove = (id: string, disclose: string, source = SOURCE) =>
  tidemark(['prove', id, '--source', source, '--disclose', disclose, '--api', up.url, '--token', token])

const verify = (proof: string) => tidemark(['verify', '-', '--json', '--rpc', up.rpcUrl], { stdin: proof })

/** The proof of a record that was handed over a moment ago. */
const proven = (id: string, source: string, disclose: string) =>
  eventually(async () => {
    const proof = await prove(id, disclose, source)
    return proof.code === 0 ? proof.stdout : undefined
  })

const membersOf = (proof: string) =>
  JSON.parse(proof).disclosures.map((text: string) => parseDisclosure(text).name)

test('what an auditor discloses can be withheld offline, and erased while the ledger runs; old proofs stay good', async () => {
  const open = await prove('a', 'person,agent,note')
  expect(open.code, open.stderr).toBe(0)
  expect(membersOf(open.stdout)).toEqual(['person', 'agent', 'note'])

  const file = join(folder.path, 'open.json')
  await writeFile(file, open.stdout)
  const closed = join(folder.path, 'closed.json')
  await run('withhold', file, '--members', 'agent', '--out', closed)
  const kept = await run('withhold', file, '--keep', 'person')
  expect(membersOf(await readFile(closed, 'utf8'))).toEqual(['person', 'note'])
  expect(membersOf(kept.stdout)).toEqual(['person'])
  expect((await tidemark(['withhold', file, '--members', 'agnet'])).code).toBe(2)
  expect((await tidemark(['withhold', file])).code).toBe(2)
  expect((await tidemark(['withhold', file, '--members', 'agent', '--keep', 'note'])).code).toBe(2)

  const erased = await run('erase', 'a', '--source', SOURCE, '--members', 'agent', ...WHO, ...data, '--json')
  const { erased: count, destructions } = JSON.parse(erased.stdout)
  expect([count, destructions.length]).toEqual([1, 1])
  const again = await prove('a', 'person,agent')
  expect(again.code).toBe(2)
  const [{ source, id }] = destructions
  expect(again.stderr).toContain(`agent of record a of ${SOURCE} is erased: see record ${id} of ${source}`)
  expect(membersOf((await prove('a', 'person,note')).stdout)).toEqual(['person', 'note'])

  // Whoever holds a disclosure keeps it; whoever does not, sees the field closed.
  const { agent } = Object(callOf('', '').data)
  expect(JSON.parse((await verify(open.stdout)).stdout)).toMatchObject({
    verdict: 'verified',
    record: { data: { agent } },
  })
  const old = JSON.parse((await verify(await readFile(closed, 'utf8'))).stdout)
  expect(old).toMatchObject({ verdict: 'verified', closedMembers: 1 })
  expect(old.record.data).not.toHaveProperty('agent')

  const destruction = JSON.parse((await verify(await proven(id, source, 'approver,executor,note'))).stdout)
  expect(destruction.record).toMatchObject({
    type: 'tidemark.destruction.v1',
    subject: 'tidemark/vault',
    data: {
      copy: expect.stringMatching(/^0x[0-9a-f]{40}\/0\/vault\.ndjson\.zst$/),
      method: 'rewritten',
      trigger: 'request',
      rows: 1,
      approver: 'Wang Wei',
      executor: 'Chen Jie',
      note: 'agent of record 0',
    },
  })
})

test('what is about a person is erased while the ledger is stopped, recorded at the next start, and the folder is whole', async () => {
  await up.stop()
  const erased = await run('erase', '--person', person, '--members', 'note', ...WHO, ...data)
  expect(erased.stdout).toMatch(
    /^erased 3 private members from 1 vaults; the next "tidemark up" records it as\n/,
  )
  expect((await run('fsck', ...data)).stdout).not.toContain('vault')
  await start()
  expect((await prove('b', 'note')).stderr).toContain('is erased')
  expect(membersOf((await prove('b', 'agent')).stdout)).toEqual(['agent'])
  const [, id = '', source = ''] = /(erasure-[0-9a-f]{32}) of (\S+)/.exec(erased.stdout) ?? []
  const proof = JSON.parse(await proven(id, source, 'note'))
  expect(proof.record.data).toMatchObject({ rows: 3 })
  const audited = await tidemark([
    ...[
      'audit',
      '--rpc',
      up.rpcUrl,
      '--ledger',
      up.ledger,
      '--batches',
      join(folder.path, 'data', 'batches'),
    ],
  ])
  expect(audited.code, audited.stdout + audited.stderr).toBe(0)
})

test.each<[string, string[], string]>([
  ['nothing that is named', [], 'name a record'],
  ['a record without its source', ['a'], 'name a record'],
  ['a record and a person', ['a', '--source', SOURCE, '--person', person], 'name a record'],
  ['a record that is not there', ['none', '--source', SOURCE], 'holds such a record'],
  ['a pseudonym', ['a', '--source', SOURCE, '--members', 'person'], 'is a pseudonym'],
  ['what was never there', ['a', '--source', SOURCE, '--members', 'witness'], 'was never there'],
  ['what is erased', ['a', '--source', SOURCE, '--members', 'agent'], 'is erased'],
  ['a reason of several words', ['c', '--source', SOURCE, '--reason', 'two words'], 'trigger'],
])('tidemark erase of %s is exit code 2, and orders nothing', async (_, args, reason) => {
  const refused = await tidemark(['erase', ...WHO, ...args, ...data])
  expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(reason) })
})
