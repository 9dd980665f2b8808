import { sealBatch } from '../../src/batch/index.ts'
import { type FlowRecord, sealRecord } from '../../src/record/index.ts'
import { BatchFolder } from '../../src/store/batch-folder.ts'
import { compress, PUBLISHER } from '../batch/items.ts'
import { temporaryFolder } from '../store/temporary.ts'

/** Saves batches of records in a folder of the test, and tells their headers. */
export async function saveBatches(batches: readonly (readonly FlowRecord[])[]) {
  const root = await temporaryFolder()
  const folder = new BatchFolder(root)
  const headers = []
  for (const [sequence, records] of batches.entries()) {
    const submissions = [...Map.groupBy(records, ({ source }) => source)].map(([source, own]) => {
      const sealed = own.map((record) => sealRecord(record))
      const items = sealed.map(({ record, disclosures }) => ({ record, disclosures }))
      const vault = sealed.map((one) => one.vault)
      return { source, sequence: BigInt(sequence), receivedAt: 0, signature: null, items, vault }
    })
    const batch = sealBatch(PUBLISHER, BigInt(sequence), submissions, compress)
    await folder.save(batch)
    headers.push(batch.header)
  }
  return { root, folder, headers }
}

/** The records cut into batches behind these places. */
export function cutAt(records: readonly FlowRecord[], places: readonly number[]): FlowRecord[][] {
  const ends = [...new Set([...places.map((place) => place % records.length), records.length])]
  const cuts: FlowRecord[][] = []
  let start = 0
  for (const end of ends.sort((a, b) => a - b)) {
    if (end > start) cuts.push(records.slice(start, end))
    start = end
  }
  return cuts
}
