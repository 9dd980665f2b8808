import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { chainFacts } from '../../src/chain/facts.ts'
import { createRpc } from '../../src/chain/rpc.ts'
import { withSources } from '../../src/cli/catalogue.ts'
import { createGatewayApi, type GatewayApi } from '../../src/client/gateway-api.ts'
import { type JsonProof, withholdDisclosures } from '../../src/proof/index.ts'
import { parseDisclosure } from '../../src/record/index.ts'
import { verifyProof } from '../../src/verify/index.ts'
import { callOf, exchange, NDJSON, ndjson, startTestSystem, type TestSystem } from '../api/world.ts'
import { tidemark } from '../e2e/processes.ts'
import { eventually, temporaryFolder } from '../store/temporary.ts'

const SOURCE = 'urn:cli:erase'
const { person } = callOf('', '').data as { person: string }
const WHO = ['--approver', 'Wang Wei', '--executor', 'Chen Jie', '--reason', 'request']

let world: TestSystem
let data: string[]
/** Of an auditor, and sent with every question. */
let api: GatewayApi

beforeAll(async () => {
  world = await startTestSystem({ reading: 'tokens' })
  data = ['--data', world.dataPath]
  await withSources(world.dataPath, 'existing', (sources) =>
    sources.addToken('of-an-auditor', { role: 'auditor' }, '', 0),
  )
  ask()
  const body = ndjson(...['a', 'b', 'c'].map((id) => callOf(SOURCE, id)))
  await exchange(world.system.url, 'POST', '/v1/submissions', { headers: NDJSON, body })
  await eventually(async () => (await api.submissionState(SOURCE, '0')) === 'final')
})
afterAll(() => world.close())

const ask = () => {
  api = createGatewayApi(world.system.url, { token: 'of-an-auditor' })
}

async function run(...args: string[]): Promise<string> {
  const ended = await tidemark(args)
  expect(ended.code, ended.stderr).toBe(0)
  return ended.stdout
}

async function prove(id: string, disclose: string, source = SOURCE): Promise<JsonProof> {
  return JSON.parse((await api.proof({ source, id, disclose: disclose.split(',') })).bundle)
}

/** The proof of a record that is about to be recorded. */
const proven = (...asked: Parameters<typeof prove>) =>
  eventually(() => prove(...asked).catch(() => undefined))

const verify = (proof: JsonProof) =>
  verifyProof(proof, chainFacts(createRpc(world.system.rpcUrl), { finality: { kind: 'tag' } }))

const membersOf = ({ disclosures }: JsonProof) => disclosures.map((text) => parseDisclosure(text).name)

test('tidemark withhold takes out of a proof what is named, or all but that', async () => {
  const file = join(await temporaryFolder(), 'proof.json')
  await writeFile(file, JSON.stringify(await prove('c', 'person,agent,note')))
  await run('withhold', file, '--members', 'agent', '--out', `${file}.out`)
  const closed = JSON.parse(await readFile(`${file}.out`, 'utf8'))
  expect(membersOf(closed)).toEqual(['person', 'note'])
  expect(await verify(closed)).toMatchObject({ closedMembers: 1 })
  const kept = JSON.parse(await run('withhold', file, '--keep', 'person'))
  expect(membersOf(kept)).toEqual(['person'])
})

test.each([
  ['a member that is not disclosed', ['--members', 'agnet']],
  ['nothing named', []],
  ['both', ['--members', 'agent', '--keep', 'note']],
])('tidemark withhold with %s is exit code 2', async (_, args) => {
  const stdin = JSON.stringify(await prove('c', 'agent,note'))
  expect(await tidemark(['withhold', '-', ...args], { stdin })).toMatchObject({ code: 2, stdout: '' })
})

test('what is erased while the ledger runs is disclosed no more, is recorded, and leaves every old proof good', async () => {
  const open = await prove('a', 'person,agent,note')
  const closed = withholdDisclosures(open, { members: ['agent'] }) as JsonProof
  const erased = await run('erase', 'a', '--source', SOURCE, '--members', 'agent', ...WHO, ...data, '--json')
  const { erased: count, destructions } = JSON.parse(erased)
  expect([count, destructions.length]).toEqual([1, 1])
  const [{ source, id }] = destructions
  await expect(prove('a', 'person,agent')).rejects.toThrow(
    `agent of record a of ${SOURCE} is erased: see record ${id} of ${source}`,
  )
  expect(membersOf(await prove('a', 'person,note'))).toEqual(['person', 'note'])

  // Whoever holds a disclosure keeps it; whoever does not, sees the field closed.
  expect((await verify(open)).record.data).toHaveProperty('agent')
  const { record, closedMembers } = await verify(closed)
  expect([record.data.agent, closedMembers]).toEqual([undefined, 1])

  const destruction = await verify(await proven(id, 'approver,executor,note', source))
  expect(destruction.record).toMatchObject({
    type: 'tidemark.destruction.v1',
    subject: 'tidemark/vault',
    data: {
      copy: `${world.system.publisher}/0/vault.ndjson.zst`,
      method: 'rewritten',
      trigger: 'request',
      rows: 1,
      approver: 'Wang Wei',
      executor: 'Chen Jie',
      note: 'agent of record 0',
    },
  })
})

test('what is about a person is erased while the ledger is stopped, and recorded at the next start', async () => {
  await world.system.stop()
  const erased = await run('erase', '--person', person, '--members', 'note', ...WHO, ...data)
  expect(erased).toMatch(/^erased 3 private members from 1 vaults; the next "tidemark up" records it as\n/)
  const [, id = '', source = ''] = /(erasure-[0-9a-f]{32}) of (\S+)/.exec(erased) ?? []
  await run('fsck', ...data)
  world = await startTestSystem({ reading: 'tokens', dataPath: world.dataPath })
  ask()
  expect((await proven(id, 'note', source)).record.data).toMatchObject({ rows: 3 })
  await expect(prove('b', 'note')).rejects.toThrow('is erased')
  expect(membersOf(await prove('b', 'agent'))).toEqual(['agent'])
})

test('an audit of the ledger finds nothing wrong with vaults that were rewritten', async () => {
  const { rpcUrl, identity } = world.system
  const batches = ['--batches', join(world.dataPath, 'batches')]
  await run('audit', '--rpc', rpcUrl, '--ledger', identity.ledger, ...batches)
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
