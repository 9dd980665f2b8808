import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openDatabase } from '../../src/store/database.ts'
import { EvidenceStore } from '../../src/store/evidence.ts'
import { LedgerEntries } from '../../src/store/ledger-entries.ts'
import { encodeRole, type Role } from '../../src/store/roles.ts'
import { SealedBatches } from '../../src/store/sealed-batches.ts'
import { Sources } from '../../src/store/sources.ts'
import { transactionStore } from '../../src/store/transactions.ts'
import { addBatch, headerOf, PUBLISHER } from './headers.ts'
import { temporaryFolder } from './temporary.ts'

const [KEY, OTHER] = [`0x${'a1'.repeat(20)}`, `0x${'b2'.repeat(20)}`] as const
const ADD_KEY = fileURLToPath(new URL('./add-key.ts', import.meta.url))
const OLD = join(import.meta.dirname, 'catalogue-v1.sqlite')

async function open(path?: string) {
  const database = openDatabase(path ?? join(await temporaryFolder(), 'catalogue.sqlite'))
  onTestFinished(() => {
    if (database.isOpen) database.close()
  })
  return database
}

const newSources = async () => new Sources(await open())

describe('keys of a source', () => {
  test('count from when they are added until they are revoked, and are never forgotten', async () => {
    const sources = await newSources()
    expect(sources.isRegistered('urn:a')).toBe(false)
    expect(sources.addKey('urn:a', KEY, 10)).toBe(true)
    expect(sources.hasKey('urn:a', KEY)).toBe(true)
    expect(sources.hasKey('urn:b', KEY)).toBe(false)
    expect(sources.revokeKey('urn:a', KEY, 20)).toBe(1)
    expect(sources.revokeKey('urn:a', KEY, 30)).toBe(0)
    expect(sources.hasKey('urn:a', KEY)).toBe(false)
    expect(sources.isRegistered('urn:a'), 'a revoked source is not open to everybody').toBe(true)
    expect(sources.addKey('urn:a', KEY, 40)).toBe(true)
    expect(sources.keys()).toEqual([
      { source: 'urn:a', address: KEY, since: 10, revokedAt: 20 },
      { source: 'urn:a', address: KEY, since: 40, revokedAt: undefined },
    ])
  })

  test('are added once', async () => {
    const sources = await newSources()
    sources.addKey('urn:a', KEY, 10)
    expect(sources.addKey('urn:a', KEY, 11)).toBe(false)
    expect(sources.addKey('urn:a', OTHER, 11)).toBe(true)
    expect(sources.keys()).toHaveLength(2)
  })

  test('are rotated all together, or not at all', async () => {
    const sources = await newSources()
    sources.addKey('urn:a', KEY, 10)
    sources.addKey('urn:b', KEY, 10)
    expect(sources.rotateKey('urn:a', KEY, 20)).toBeUndefined()
    expect(sources.hasKey('urn:a', KEY)).toBe(true)
    expect(sources.rotateKey('urn:a', OTHER, 20)).toBe(1)
    expect([sources.hasKey('urn:a', KEY), sources.hasKey('urn:a', OTHER)]).toEqual([false, true])
    expect(sources.hasKey('urn:b', KEY), 'another source keeps its key').toBe(true)
  })
})

describe('tokens', () => {
  test('are found by their secret until they are revoked', async () => {
    const sources = await newSources()
    const { id } = sources.addToken('tidemark_first', { role: 'source', source: 'urn:a' }, 'the desk', 10)
    sources.addToken('tidemark_second', { role: 'source', source: 'urn:a' }, '', 11)
    expect(sources.isRegistered('urn:a')).toBe(true)
    expect(sources.findToken('tidemark_first')).toEqual({
      id,
      role: { role: 'source', source: 'urn:a' },
      label: 'the desk',
      since: 10,
      revokedAt: undefined,
    })
    expect(sources.findToken('tidemark_third')).toBeUndefined()
    expect(sources.findToken(id)).toBeUndefined()
    expect([sources.revokeToken(id, 20), sources.revokeToken(id, 21)]).toEqual([true, false])
    expect(sources.findToken('tidemark_first')).toBeUndefined()
    expect(sources.findToken('tidemark_second')).toBeDefined()
    expect(sources.tokens().map(({ revokedAt }) => revokedAt)).toEqual([20, undefined])
  })

  test('are not in the catalogue, only their hashes are', async () => {
    const path = join(await temporaryFolder(), 'catalogue.sqlite')
    const database = await open(path)
    new Sources(database).addToken('tidemark_very-secret', { role: 'source', source: 'urn:a' }, '', 1)
    database.close()
    expect(await readFile(path, 'latin1')).not.toContain('very-secret')
  })

  test.each<Role>([
    { role: 'reader' },
    { role: 'handler' },
    { role: 'auditor' },
    { role: 'subject', person: 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA' },
  ])('of the role $role are kept as such, and are no source', async (role) => {
    const sources = await newSources()
    sources.addToken('secret', role, '', 10)
    expect(sources.findToken('secret')?.role).toEqual(role)
    expect(encodeRole(role), 'what no source is named').not.toMatch(/^[!-~]+$/)
  })

  test('and keys of a source are revoked together', async () => {
    const sources = await newSources()
    sources.addKey('urn:a', KEY, 10)
    sources.addToken('one', { role: 'source', source: 'urn:a' }, '', 10)
    sources.addToken('two', { role: 'source', source: 'urn:b' }, '', 10)
    expect(sources.revokeSource('urn:a', 20)).toEqual({ keys: 1, tokens: 1 })
    expect([sources.findToken('one'), sources.hasKey('urn:a', KEY)]).toEqual([undefined, false])
    expect(sources.findToken('two')).toBeDefined()
  })
})

test('what another process changes is seen at once', async () => {
  const path = join(await temporaryFolder(), 'catalogue.sqlite')
  const sources = new Sources(await open(path))
  expect(sources.isRegistered('urn:a')).toBe(false)
  const { status, stderr } = spawnSync(process.execPath, [ADD_KEY, path, 'urn:a', KEY])
  expect(status, String(stderr)).toBe(0)
  expect(sources.hasKey('urn:a', KEY)).toBe(true)
})

describe('a catalogue of version 1', () => {
  test('is upgraded with all that it holds, once', async () => {
    const path = join(await temporaryFolder(), 'catalogue.sqlite')
    await copyFile(OLD, path)
    for (let times = 0; times < 2; times++) {
      const database = await open(path)
      expect(database.prepare('PRAGMA user_version').get()).toEqual({ user_version: 12 })
      const sealed = new SealedBatches(database)
      expect(sealed.nextSequence(PUBLISHER)).toBe(2n)
      expect(sealed.timesFrom(PUBLISHER, 0n)).toEqual([
        { sequence: 0n, sealedAt: 1, anchorBy: 1_790_000_600_000 },
        { sequence: 1n, sealedAt: 2, anchorBy: 1_790_000_600_001 },
      ])
      expect(sealed.submission('urn:old:b', 0n)).toMatchObject({
        size: 7,
        batch: 0n,
        first: 5,
        voucher: { by: 'open' },
      })
      expect(new LedgerEntries(database).get(0n)).toMatchObject({ header: headerOf(0), state: 'announced' })
      // What shows it to others is captured late.
      expect(new EvidenceStore(database).due(2n ** 62n, 1)).toMatchObject({ logIndex: 0n, attempts: 0 })
      expect(transactionStore(database, PUBLISHER).outstandingTransactions()).toHaveLength(1)
      const sources = new Sources(database)
      expect(sources.addKey('urn:old:a', KEY, 1)).toBe(times === 0)
      database.close()
    }
  })

  test('stays one of version 1 when the upgrade breaks off', async () => {
    const path = join(await temporaryFolder(), 'catalogue.sqlite')
    await copyFile(OLD, path)
    const database = await open(path)
    database.exec('DROP TABLE source_keys; DROP TABLE tokens; PRAGMA user_version = 1')
    database.close()
    // The columns of version 2 are there already, so that its last steps fail.
    expect(() => openDatabase(path)).toThrow(/duplicate column/)
    const left = new DatabaseSync(path)
    onTestFinished(() => left.close())
    expect(left.prepare('PRAGMA user_version').get()).toEqual({ user_version: 1 })
    expect(left.prepare("SELECT name FROM sqlite_master WHERE name = 'source_keys'").get()).toBeUndefined()
  })
})

test('who vouches for a submission is kept with it', async () => {
  const sealed = new SealedBatches(await open())
  const base = { root: new Uint8Array(32), size: 1, receivedAt: 1, anchorBy: 2 }
  const vouchers = [
    { by: 'signed', signer: KEY, signature: `0x${'1b'.repeat(65)}` },
    { by: 'token' },
    { by: 'open' },
  ] as const
  const submissions = vouchers.map((voucher, i) => ({ ...base, source: 'a', sequence: BigInt(i), voucher }))
  addBatch(sealed, headerOf(0), submissions, 1)
  expect(vouchers.map((_, i) => sealed.submission('a', BigInt(i))?.voucher)).toEqual(vouchers)
})

test('a command waits for another process that is writing, and does not fail', async () => {
  const path = join(await temporaryFolder(), 'catalogue.sqlite')
  const database = await open(path)
  database.exec('BEGIN IMMEDIATE')
  const child = spawn(process.execPath, [ADD_KEY, path, 'urn:b', KEY])
  const ended = once(child, 'close')
  await once(child.stdout, 'data')
  // It is blocked now, or about to be; without a wait it would end with an error either way.
  await delay(50)
  database.exec('COMMIT')
  expect(await ended).toEqual([0, null])
  expect(new Sources(database).hasKey('urn:b', KEY)).toBe(true)
})
