/**
 * Accepts submissions until the disk is full, then a small one: `node full-disk.ts FOLDER`. Prints one JSON line: the
 * numbers acknowledged, the codes of what was refused, and what the gateway calls next.
 */
import { join } from 'node:path'
import { devWallet, LOCAL_CHAIN_ID } from '../../src/chain/dev-accounts.ts'
import { readDraft } from '../../src/gateway/draft.ts'
import { Gateway } from '../../src/gateway/gateway.ts'
import { Intake } from '../../src/gateway/intake.ts'
import { Sealer } from '../../src/gateway/sealer.ts'
import { openDatabase } from '../../src/store/database.ts'
import { SealedBatches } from '../../src/store/sealed-batches.ts'
import { WriteAheadLog } from '../../src/store/write-ahead-log.ts'
import { exampleOf } from '../record/examples.ts'

const [path = ''] = process.argv.slice(2)
const signer = devWallet('publisher', LOCAL_CHAIN_ID)
const batchesPath = join(path, 'batches')
const sealed = new SealedBatches(openDatabase(join(path, 'catalogue.sqlite')))
const publisher = `0x${signer.address.slice(2).toLowerCase()}` as const
const gateway = new Gateway({
  policy: { sealRecords: 1_000_000, sealAfterMs: 600_000, promiseMs: 60_000, maxWaitingRecords: 1_000_000 },
  log: await WriteAheadLog.open(join(path, 'log'), 0n),
  sealer: new Sealer({
    publisher,
    batchesPath,
    sealed,
    now: Date.now,
    onError: () => undefined,
    retryMs: 1_000,
  }),
  sealed,
  batchesPath,
  intake: new Intake(),
  signer,
  domain: { chainId: LOCAL_CHAIN_ID, ledger: `0x${'1e'.repeat(20)}` },
  now: Date.now,
  recovered: [],
})

const draftOf = (tag: string, count: number) =>
  readDraft(
    Array.from({ length: count }, (_, i) => ({
      line: i + 1,
      value: { ...exampleOf('tidemark.call.v1'), source: 'urn:a', id: `${tag}-${i}` },
    })),
    1_000,
  )

const acknowledged: string[] = []
const codes: unknown[] = []
for (let i = 0; codes.length === 0; i++) {
  const group = await Promise.allSettled([0, 1, 2].map((k) => gateway.accept(draftOf(`${i}/${k}`, 20))))
  for (const outcome of group) {
    if (outcome.status === 'fulfilled') acknowledged.push(String(outcome.value.sequence))
    else codes.push(outcome.reason.code)
  }
}
const next = String(gateway.nextSequence('urn:a'))
const waiting = gateway.waitingRecords
// Less than what was refused still has room.
const { sequence } = await gateway.accept(draftOf('small', 1))
process.stdout.write(`${JSON.stringify({ acknowledged, codes, next, waiting, small: String(sequence) })}\n`)
process.exit(0)
