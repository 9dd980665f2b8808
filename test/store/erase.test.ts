import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { encodeFrames } from '../../src/batch/index.ts'
import { vaultFrames } from '../../src/batch/vault.ts'
import { OperationError } from '../../src/errors.ts'
import { parseDisclosure } from '../../src/record/index.ts'
import { BatchFolder } from '../../src/store/batch-folder.ts'
import { compress } from '../../src/store/compression.ts'
import { openDatabase } from '../../src/store/database.ts'
import { carryOutErasures, type ErasingParts } from '../../src/store/erase.ts'
import { Erasures } from '../../src/store/erasures.ts'
import { OwnRecords } from '../../src/store/own-records.ts'
import { batchOf, PUBLISHER, submissionOf } from '../batch/items.ts'
import { temporaryFolder } from './temporary.ts'

const submission = submissionOf('urn:a', 0, 600)
const batch = batchOf(submission)
const { sequence } = batch.header
/** A call: agent and note are in the vault. */
const CALL = 300

async function folder() {
  const path = await temporaryFolder()
  const database = openDatabase(join(path, 'catalogue.sqlite'))
  const batches = new BatchFolder(join(path, 'batches'))
  await batches.save(batch)
  const parts: ErasingParts = {
    erasures: new Erasures(database),
    batches,
    logPath: join(path, 'log'),
    publisher: PUBLISHER,
    now: () => 1_000,
  }
  const order = (id: string, ...members: string[]) =>
    parts.erasures.order([
      {
        id,
        publisher: PUBLISHER,
        sequence,
        members: members.map((member) => ({ position: CALL, member })),
        document: JSON.stringify({ id }),
      },
    ])
  const vaultPath = batches.vaultPathOf(PUBLISHER, sequence)
  return {
    parts,
    order,
    vaultPath,
    own: new OwnRecords(database),
    /** the vault as it stands: every record's members */
    async members() {
      const open = await batches.open(PUBLISHER, sequence)
      try {
        return (await open.vaultFrom(0, 600)).map((texts) => texts.map((text) => parseDisclosure(text).name))
      } finally {
        await open.close()
      }
    },
  }
}

const whole = submission.vault.map((texts) => texts.map((text) => parseDisclosure(text).name))
const without = (...members: string[]) =>
  whole.map((names, i) => (i === CALL ? names.filter((name) => !members.includes(name)) : names))

describe('carrying out an erasure', () => {
  test('takes what was ordered out of the vault, leaves all else, and has the record of it submitted once', async () => {
    const { parts, order, members, own } = await folder()
    order('first', 'agent')
    order('second', 'note')
    expect(parts.erasures.waiting().map(({ id }) => id)).toEqual(['first', 'second'])
    await carryOutErasures(parts)
    expect(await members()).toEqual(without('agent', 'note'))
    expect(parts.erasures.waiting()).toEqual([])
    await carryOutErasures(parts)
    const time = '1970-01-01T00:00:01.000Z'
    expect(own.take(0n, 10).map((text) => JSON.parse(text))).toEqual([
      { id: 'first', time },
      { id: 'second', time },
    ])
    expect(parts.erasures.find(PUBLISHER, sequence, { position: CALL, member: 'note' })).toBe('second')
  })

  test('leaves the vault as it would have been sealed without the content, and nothing beside it', async () => {
    const { parts, order, vaultPath } = await folder()
    order('all', 'agent', 'note')
    await carryOutErasures(parts)
    const left = submission.vault.map((texts, i) => (i === CALL ? [] : texts))
    expect(new Uint8Array(await readFile(vaultPath))).toEqual(encodeFrames(vaultFrames(left), compress))
    await expect(access(`${vaultPath}.tmp`)).rejects.toThrow()
  })

  test('removes it once more from a vault that was put back from a copy', async () => {
    const { parts, order, vaultPath, members } = await folder()
    const copy = await readFile(vaultPath)
    order('first', 'agent')
    await carryOutErasures(parts)
    await writeFile(vaultPath, copy)
    order('second', 'note')
    await carryOutErasures(parts)
    expect(await members()).toEqual(without('agent', 'note'))
  })
})

/** What ends the work, and how the vault must stand then: the old one or the new one, whole. */
const faults: [
  name: string,
  cut: (at: Awaited<ReturnType<typeof folder>>) => Promise<unknown>,
  stands: 'old' | 'new',
][] = [
  ['failToBeginTheNewVault', async ({ vaultPath }) => mkdir(`${vaultPath}.tmp`), 'old'],
  [
    'crashInTheMiddleOfTheNewVault',
    async ({ vaultPath, parts }) => {
      await writeFile(`${vaultPath}.tmp`, (await readFile(vaultPath)).subarray(0, 100))
      failBefore(parts, 'waiting')
    },
    'old',
  ],
  ['renameButFailToSayThatItIsDone', async ({ parts }) => failBefore(parts, 'finish'), 'new'],
]

/** The catalogue fails, once, when it is asked this. */
function failBefore({ erasures }: ErasingParts, call: 'waiting' | 'finish'): void {
  Object.defineProperty(erasures, call, {
    configurable: true,
    value: () => {
      Reflect.deleteProperty(erasures, call)
      throw new OperationError('STORE_FAILED', 'the disk is full')
    },
  })
}

test.each(faults)('after %s the vault is whole, and the next time finishes it', async (_, cut, stands) => {
  const at = await folder()
  at.order('erasure', 'agent')
  await cut(at)
  await expect(carryOutErasures(at.parts)).rejects.toMatchObject({ code: 'STORE_FAILED' })
  expect(await at.members()).toEqual(stands === 'old' ? whole : without('agent'))
  expect(at.parts.erasures.waiting(), 'it is not forgotten').toHaveLength(1)
  expect(at.own.take(0n, 10), 'and not recorded').toEqual([])
  await rm(`${at.vaultPath}.tmp`, { recursive: true, force: true })
  await carryOutErasures(at.parts)
  expect(await at.members()).toEqual(without('agent'))
  expect(at.own.take(0n, 10)).toHaveLength(1)
})

describe('a segment of the log that outlived its batch', () => {
  const segment = '000000000007.wal'

  test('goes first, where it is known whose log it is', async () => {
    const { parts, order, members } = await folder()
    await mkdir(parts.logPath)
    await writeFile(join(parts.logPath, segment), 'holds what the vault holds')
    order('erasure', 'agent')
    await carryOutErasures(parts)
    await expect(access(join(parts.logPath, segment))).rejects.toThrow()
    expect(await members()).toEqual(without('agent'))
  })

  test('is waited for, where it may be of another batch', async () => {
    const { parts, order, members } = await folder()
    await mkdir(parts.logPath)
    await writeFile(join(parts.logPath, segment), 'of somebody')
    order('erasure', 'agent')
    await carryOutErasures({ ...parts, publisher: undefined })
    expect(parts.erasures.waiting()).toHaveLength(1)
    expect(await members()).toEqual(whole)
    expect(await readFile(join(parts.logPath, segment), 'utf8')).toBe('of somebody')
  })
})

test('one vault that cannot be read keeps nothing in the others', async () => {
  const { parts, order, members } = await folder()
  const lost = { id: 'lost', publisher: PUBLISHER, sequence: 6n, members: [], document: '{}' }
  parts.erasures.order([lost])
  order('erasure', 'agent')
  await expect(carryOutErasures(parts)).rejects.toMatchObject({ code: 'STORE_FAILED' })
  expect(parts.erasures.waiting().map(({ id }) => id)).toEqual(['lost'])
  expect(await members()).toEqual(without('agent'))
})
