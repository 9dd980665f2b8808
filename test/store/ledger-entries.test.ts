import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Hex } from '../../src/bytes/hex.ts'
import { openDatabase } from '../../src/store/database.ts'
import { LedgerEntries } from '../../src/store/ledger-entries.ts'
import { headerOf } from './headers.ts'
import { temporaryFolder } from './temporary.ts'

const hash = (i: number): Hex => `0x${i.toString(16).padStart(64, '0')}`

test('what can be searched is told anew after every change, whoever asked before', async () => {
  const database = openDatabase(join(await temporaryFolder(), 'catalogue.sqlite'))
  onTestFinished(() => database.close())
  const entries = new LedgerEntries(database)
  const all = () => entries.searchable(0n, 100n, 0, Number.MAX_SAFE_INTEGER).map(({ logIndex }) => logIndex)
  const place = { blockNumber: 1n, blockHash: hash(1), transactionHash: hash(2), eventIndex: 0 }
  const add = (i: number) => entries.add([{ logIndex: BigInt(i), header: headerOf(i), ...place }])

  expect(all()).toEqual([])
  for (const i of [0, 1, 2]) {
    add(i)
    expect(all()).not.toContain(BigInt(i))
    entries.mark(BigInt(i), 'verified')
    expect(all()[0]).toBe(BigInt(i))
  }
  entries.mark(1n, 'fraud', 'changed')
  expect(all()).toEqual([2n, 0n])
  entries.truncate(2n)
  expect(all()).toEqual([0n])
  expect(entries.searchable(1n, 100n, 0, Number.MAX_SAFE_INTEGER)).toEqual([])
  expect(all()).toEqual([0n])
})

test('its size is that of what is known, in whatever state', async () => {
  const database = openDatabase(join(await temporaryFolder(), 'catalogue.sqlite'))
  onTestFinished(() => database.close())
  const entries = new LedgerEntries(database)
  expect(entries.size()).toBe(0)
  const place = { blockNumber: 2n ** 62n, blockHash: hash(1), transactionHash: hash(2), eventIndex: 0 }
  entries.add([0, 1].map((i) => ({ logIndex: BigInt(i), header: headerOf(i), ...place })))
  expect(entries.size()).toBe(2)
})
