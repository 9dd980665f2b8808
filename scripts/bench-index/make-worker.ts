/** A thread that seals batches of made-up records into a folder, as a gateway would have. */
import { parentPort, workerData } from 'node:worker_threads'
import { type PreparedSubmission, prepareRecords, sealPrepared } from '../../src/batch/index.ts'
import type { Hex } from '../../src/bytes/hex.ts'
import { type SigningDomain, signSubmission } from '../../src/chain/signing.ts'
import { treeRoot } from '../../src/merkle/index.ts'
import { type FlowRecord, sealRecord, timeOf } from '../../src/record/index.ts'
import { BatchFolder } from '../../src/store/batch-folder.ts'
import { compress } from '../../src/store/compression.ts'
import { type Handover, Maker, sourceKey } from './records.ts'

export interface MakeJob {
  path: string
  publisher: Hex
  domain: SigningDomain
  /** of a batch */
  records: number
  numbers: readonly number[]
}

const { path, publisher, domain, records, numbers } = workerData as MakeJob
const folder = new BatchFolder(path)
const maker = new Maker(records)
for (const number of numbers) {
  const submissions: PreparedSubmission[] = []
  for (const handover of maker.batch(number)) submissions.push(await submit(handover))
  await folder.save(sealPrepared(publisher, BigInt(number), submissions, compress))
  parentPort?.postMessage(number)
}

async function submit({ source, sequence, records: open }: Handover): Promise<PreparedSubmission> {
  const sealed = open.map((record) => sealRecord(record))
  const prepared = prepareRecords(sealed)
  const signed = { source, sequence, root: treeRoot(prepared.leafHashes), size: BigInt(prepared.count) }
  return {
    source,
    sequence,
    receivedAt: timeOf(open.at(-1) as FlowRecord), // a source without records hands nothing over
    signature: await signSubmission(sourceKey(source), domain, signed),
    vault: sealed.map(({ vault }) => vault),
    records: prepared,
  }
}
