import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { verifyBatch, verifySubmissions } from '../../src/batch/index.ts'
import type { Hex } from '../../src/bytes/hex.ts'
import { devWallet, LOCAL_CHAIN_ID } from '../../src/chain/dev-accounts.ts'
import { type Draft, readDraft } from '../../src/gateway/draft.ts'
import { Gateway, type GatewayPolicy } from '../../src/gateway/gateway.ts'
import { Intake } from '../../src/gateway/intake.ts'
import { recoverLog } from '../../src/gateway/recover.ts'
import { Sealer } from '../../src/gateway/sealer.ts'
import { BatchFolder } from '../../src/store/batch-folder.ts'
import { openDatabase } from '../../src/store/database.ts'
import { SealedBatches } from '../../src/store/sealed-batches.ts'
import { WriteAheadLog } from '../../src/store/write-ahead-log.ts'
import { exampleOf } from '../record/examples.ts'

const signer = devWallet('publisher', LOCAL_CHAIN_ID)
export const PUBLISHER = signer.address.toLowerCase() as Hex // an ethers address in lowercase
export const domain = { chainId: LOCAL_CHAIN_ID, ledger: `0x${'1e'.repeat(20)}` } as const

/** Seals nothing by itself. */
const PATIENT: GatewayPolicy = {
  sealRecords: 1_000_000,
  sealAfterMs: 600_000,
  promiseMs: 600_000,
  maxWaitingRecords: 1_000_000,
}

/** A gateway over a folder, started as after a crash or for the first time. */
export async function startGateway(path: string, policy: Partial<GatewayPolicy> = {}) {
  const database = openDatabase(join(path, 'catalogue.sqlite'))
  const sealed = new SealedBatches(database)
  const batchesPath = join(path, 'batches')
  const batches = new BatchFolder(batchesPath)
  const logPath = join(path, 'log')
  const recovered = await recoverLog(logPath, PUBLISHER, sealed)
  const troubles: unknown[] = []
  let clock = 1_790_000_000_000
  const now = () => clock++
  const onError = (error: unknown) => troubles.push(error)
  const sealer = new Sealer({ publisher: PUBLISHER, batchesPath, sealed, now, onError, retryMs: 20 })
  const log = await WriteAheadLog.open(logPath, recovered.next)
  const intake = new Intake()
  const gateway = new Gateway({
    policy: { ...PATIENT, ...policy },
    log,
    sealer,
    sealed,
    batchesPath,
    intake,
    signer,
    domain,
    now,
    recovered: recovered.waiting,
  })
  for (const segment of recovered.segments) sealer.enqueue(segment)

  let ended = false
  /** Ends it as a crash would: what is in the log stays there. */
  async function abandon(): Promise<void> {
    if (ended) return
    ended = true
    await log.close()
    await sealer.drain()
    await intake.stop()
    database.close()
  }
  /** Ends it in order: everything accepted is sealed. */
  async function stop(): Promise<void> {
    if (ended) return
    ended = true
    await gateway.stop()
    database.close()
  }
  onTestFinished(abandon)
  return { gateway, sealed, batches, recovered, troubles, stop, abandon }
}

/** A submission of `count` records of a source, its ids and its content by `tag`. */
export function draftOf(source: string, tag: string, count = 3): Draft {
  const values = Array.from({ length: count }, (_, i) => ({
    line: i + 1,
    value: { ...exampleOf('tidemark.call.v1'), source, id: `${tag}-${i}` },
  }))
  return readDraft(values, 100_000)
}

/** Where every submission of the verified batches is: `source#sequence` to the ids of its records. */
export async function readLedger(path: string): Promise<Map<string, string[]>> {
  const database = openDatabase(join(path, 'catalogue.sqlite'))
  try {
    const sealed = new SealedBatches(database)
    const batches = new BatchFolder(join(path, 'batches'))
    const found = new Map<string, string[]>()
    for (const header of sealed.headersFrom(PUBLISHER, 0n, 10_000)) {
      const open = await batches.open(PUBLISHER, header.sequence)
      try {
        const items = []
        for await (const item of open.items()) items.push(item)
        verifyBatch(header, items)
        const submissions = await batches.loadSubmissions(header)
        verifySubmissions(submissions, items)
        for (const { source, sequence, first, count } of submissions) {
          const name = `${source}#${sequence}`
          if (found.has(name)) throw new Error(`${name} is in two batches`)
          if (sealed.submission(source, sequence)?.batch !== header.sequence) {
            throw new Error(`the catalogue has ${name} elsewhere`)
          }
          found.set(
            name,
            items.slice(first, first + count).map(({ record }) => record.id),
          )
        }
      } finally {
        await open.close()
      }
    }
    return found
  } finally {
    database.close()
  }
}
