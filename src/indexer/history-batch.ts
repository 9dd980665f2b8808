import type { Header } from '../batch/index.ts'
import { indexKey, verifyLookup } from '../lookup/index.ts'
import type { HistoryBatch, HistoryQuestion } from '../proof/index.ts'
import { parseDisclosure } from '../record/index.ts'
import type { BatchCache } from '../store/batch-cache.ts'
import type { BatchFolder } from '../store/batch-folder.ts'
import { mayHold } from '../verify/index.ts'

/** What is asked of each batch. */
export interface ShownRequest extends HistoryQuestion {
  /** names of pseudonyms to disclose; a history of a person discloses the person */
  disclose: readonly string[]
}

/** Where batches are read: their indexes from the folder, so that few of them are opened whole. */
export interface BatchParts {
  batches: BatchCache
  folder: BatchFolder
}

/** What a history shows of a batch, out of its own files. */
export async function showBatch(
  { batches, folder }: BatchParts,
  header: Header,
  { key, period, disclose }: ShownRequest,
): Promise<HistoryBatch> {
  if (!mayHold(header, period)) return { header }
  const binary = indexKey(key.name, key.value)
  const disclosed = key.name === 'person' ? [...disclose, key.name] : disclose
  const { publisher, sequence } = header
  const lookup = await folder.useIndex(publisher, sequence, (index) => index.prove(binary))
  const positions = verifyLookup(binary, lookup, header)
  if (positions.length === 0) return { header, lookup }
  return batches.use(publisher, sequence, async (batch) => {
    const items = await batch.itemsAt(positions)
    return {
      header,
      lookup,
      found: {
        items: items.map(({ record, disclosures }) => ({
          record,
          disclosures: disclosures.filter((text) => disclosed.includes(parseDisclosure(text).name)),
        })),
        path: await batch.subsetPath(header.recordCount, positions),
      },
    }
  })
}
