import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Wallet } from 'ethers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Hex } from '../../src/bytes/hex.ts'
import { createAuthorizations } from '../../src/chain/authorizations.ts'
import { devWallet, LOCAL_CHAIN_ID } from '../../src/chain/dev-accounts.ts'
import { createRpc } from '../../src/chain/rpc.ts'
import { grantCommand } from '../../src/cli/grant.ts'
import { identityPath, loadIdentity } from '../../src/cli/identity.ts'
import { nameId } from '../../src/record/index.ts'
import { expectNoProcess, makeFolder, startUp, tidemark, type Up } from '../e2e/processes.ts'
import { addressOf, fundedWallet, PASSWORD, writeKeystore } from './external-world.ts'

const TERMS = ['--consumer', 'urn:cli:tax', '--resource', 'births', '--purpose', 'school']
const UNTIL = ['--until', '2100-01-01T00:00:00Z']
const env = { TIDEMARK_KEYSTORE_PASSWORD: PASSWORD }

let up: Up
let folder: Awaited<ReturnType<typeof makeFolder>>
let data: string[]
let where: string[]
let authorizations: Hex

beforeAll(async () => {
  folder = await makeFolder()
  const path = join(folder.path, 'data')
  data = ['--data', path]
  up = await startUp([...data, '--port', '0', '--chain-port', '0', '--seal-after', '50'])
  where = [...data, '--rpc', up.rpcUrl]
  authorizations = (await loadIdentity(identityPath(path)))?.rights?.authorizations ?? '0x'
  await run('registry', 'source', 'add', 'urn:cli:tax')
  await run('registry', 'source', 'add', 'urn:cli:civil')
  const owner = ['--owner', 'urn:cli:civil', '--sharing', 'conditional', '--digest', `0x${'00'.repeat(32)}`]
  await run('registry', 'resource', 'set', 'births', ...owner)
})
afterAll(async () => {
  const code = await up.stop()
  await expectNoProcess(folder.path)
  await folder.remove()
  expect(code).toBe(0)
})

const run = async (...args: string[]) => {
  const ended = await tidemark([...args, ...where], { env })
  expect(ended.code, ended.stderr).toBe(0)
  return ended.stdout
}
const refused = async (code: number, ...args: string[]) => {
  const ended = await tidemark([...args, ...where], { env })
  expect(ended).toMatchObject({ code, stdout: '' })
  return ended.stderr
}
const decide = (id: Hex) => {
  const use = { consumer: nameId('urn:cli:tax'), resource: nameId('births'), purpose: nameId('school') }
  return createAuthorizations(createRpc(up.rpcUrl), authorizations).decide(use, id)
}
/** A grant on disk, and its id. */
async function signed(name: string, ...more: string[]): Promise<{ path: string; id: Hex; record: string }> {
  const record = await run('grant', 'sign', ...TERMS, ...UNTIL, ...more)
  const path = join(folder.path, `${name}.json`)
  await writeFile(path, record)
  return { path, id: JSON.parse(record).data.authorization, record }
}

test('A GRANT FROM ITS SIGNATURE TO ITS END: signed, sent as a record, put on the chain, paused, resumed, revoked', async () => {
  const person = 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA'
  const { path, id, record } = await signed('whole', '--max-calls', '3', '--person', person)
  const sent = await tidemark(['send', '-', '--wait', '--api', up.url], { stdin: record })
  expect(sent.code, sent.stderr).toBe(0)
  const found = await tidemark(['find', '--authorization', id, '--api', up.url])
  expect(JSON.parse(found.stdout).record).toMatchObject({ id, source: 'urn:cli:tax', subject: 'births' })

  expect(JSON.parse(await run('grant', 'show', id, '--json'))).toEqual({
    authorization: id,
    given: false,
    revoked: null,
    paused: false,
    calls: '0',
  })
  expect(await decide(id)).toBe('NoGrant')
  expect(await run('grant', 'submit', path)).toMatch(
    new RegExp(`^grant ${id} is on the chain: since block \\d+\n$`),
  )
  expect(await run('grant', 'submit', path)).toContain('already, nothing was sent')
  expect(await decide(id)).toBe('Allowed')
  await run('grant', 'pause', path)
  expect(await run('grant', 'pause', path)).toContain('is paused: already')
  expect(await decide(id)).toBe('Paused')
  await run('grant', 'resume', path)
  expect(await decide(id)).toBe('Allowed')
  expect(JSON.parse(await run('grant', 'revoke', path, '--json'))).toEqual({
    authorization: id,
    state: 'revoked',
    block: expect.stringMatching(/^\d+$/),
  })
  expect(await run('grant', 'revoke', path)).toContain('is revoked: already')
  expect(await refused(3, 'grant', 'pause', path)).toContain('revoked, for ever')
  expect(await decide(id)).toBe('Revoked')
  const shown = await run('grant', 'show', id)
  for (const line of [
    /^given +yes$/m,
    /^revoked +\d{4}-/m,
    /^consumer +urn:cli:tax$/m,
    /^resource +births$/m,
    /^maxCalls +3$/m,
  ]) {
    expect(shown).toMatch(line)
  }
})

test('a subject signs with its own keystore and without a node, and others send what it signed', async () => {
  const rpc = createRpc(up.rpcUrl)
  const subject = new Wallet(Wallet.createRandom().privateKey)
  const key = ['--keystore', await writeKeystore(folder.path, subject, 'subject.json')]
  // Nobody listens there.
  const offline = ['--authorizations', authorizations, '--chain-id', '31337', '--rpc', 'http://127.0.0.1:1']
  const terms = [...TERMS, ...UNTIL, '--nonce', '7']
  const signing = await tidemark(['grant', 'sign', ...terms, ...key, ...offline], { env })
  expect(signing.code, signing.stderr).toBe(0)
  const { data: grantData } = JSON.parse(signing.stdout)
  expect(grantData.grant).toMatchObject({ subject: addressOf(subject), nonce: '7', maxCalls: 0 })
  const path = join(folder.path, 'own.json')
  await writeFile(path, signing.stdout)
  expect(await run('grant', 'submit', path), 'sent by a development account').toContain('since block')

  const other = ['--keystore', await writeKeystore(folder.path, await fundedWallet(rpc), 'other.json')]
  expect(await refused(3, 'grant', 'revoke', path, ...other)).toContain("use the subject's key")
  expect(await refused(2, 'grant', 'sign-revocation', path, ...other)).toContain(addressOf(subject))
  const revocation = join(folder.path, 'revocation.json')
  const sign = ['grant', 'sign-revocation', path, ...key, ...offline]
  await writeFile(
    revocation,
    (await tidemark([...sign, '--deadline', '2020-01-01T00:00:00Z'], { env })).stdout,
  )
  const send = ['grant', 'revoke', path, '--by-signature', revocation, ...other]
  expect(await refused(3, ...send)).toContain("the signature's deadline has passed")
  await writeFile(revocation, (await tidemark(sign, { env })).stdout)
  const foreign = await signed('foreign')
  expect(await refused(2, 'grant', 'revoke', foreign.path, '--by-signature', revocation)).toContain('not 0x')
  expect(await run(...send)).toMatch(/is revoked: since block \d+\n$/)
  expect(await decide(grantData.authorization)).toBe('Revoked')
})

test('a grant that was changed, is for another contract, or is none, is refused before anything is sent', async () => {
  const { path, record } = await signed('changed')
  const value = JSON.parse(record)
  value.data.grant.maxCalls = 9
  await writeFile(path, JSON.stringify(value))
  expect(await refused(2, 'grant', 'submit', path)).toContain(
    'was changed, or its grant is for another contract',
  )
  await writeFile(path, JSON.stringify({ ...value, data: {} }))
  expect(await refused(2, 'grant', 'submit', path)).toContain('/data')
  await writeFile(path, '')
  expect(await refused(2, 'grant', 'pause', path)).toContain('not JSON')
  expect(await refused(2, 'grant', 'sign', ...TERMS, '--until', '2020-01-01T00:00:00Z')).toContain(
    'a later --until',
  )
  expect(await refused(2, 'grant', 'sign', ...TERMS, ...UNTIL, '--chain-id', '1')).toContain(
    'needs --authorizations',
  )
  expect(await refused(2, 'grant', 'sign', ...TERMS, ...UNTIL, '--person', 'Li')).toContain('/data/person')
  expect(await refused(2, 'grant', 'show', '0x12')).toContain('64 hex digits')
})

test('a development key signs for the local chain only', async () => {
  const elsewhere = ['--authorizations', authorizations, '--chain-id', '1']
  expect((await tidemark(['grant', 'sign', ...TERMS, ...UNTIL, ...elsewhere])).stderr).toContain(
    'known to everyone',
  )
  const wallet = devWallet('subject', LOCAL_CHAIN_ID)
  const key = ['--keystore', await writeKeystore(folder.path, wallet, 'known.json')]
  const ended = await tidemark(['grant', 'sign', ...TERMS, ...UNTIL, ...elsewhere, ...key], { env })
  expect(ended).toMatchObject({ code: 2, stdout: '' })
})

test('every command says what it does, and where the contracts and the key come from', () => {
  const { commands } = grantCommand()
  const names = ['sign', 'sign-revocation', 'submit', 'revoke', 'pause', 'resume', 'show']
  expect(commands.map((command) => command.name())).toEqual(names)
  for (const command of commands) {
    expect(command.description()).not.toBe('')
    const help = command.helpInformation()
    for (const option of ['--authorizations', '--data', '--rpc']) expect(help).toContain(option)
    expect(help.includes('--keystore')).toBe(command.name() !== 'show')
  }
})
