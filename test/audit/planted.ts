import {
  encodeItem,
  type Header,
  type SealedBatch,
  toJsonHeader,
  type WaitingSubmission,
} from '../../src/batch/index.ts'
import { utf8 } from '../../src/bytes/bytes.ts'
import type { AlertKind } from '../../src/indexer/alert.ts'
import { buildIndex, type IndexName, indexValues } from '../../src/lookup/index.ts'
import { submissionOf } from '../batch/items.ts'
import type { TestChain } from '../chain/fixture.ts'
import { sealFor } from '../indexer/world.ts'
import { rewriteRecords, signedBy } from './world.ts'

/** What a fault contradicts: a member of the header, a file, or the key of a source. */
export type Contradiction = keyof Header | 'header.json' | 'index.bin' | 'tree.bin' | 'signature'

/** A fault in the second of three batches, of which the others are sound unless said. */
export interface PlantedFault {
  name: string
  kind: AlertKind
  /** of the ledger's entries, those that are at fault */
  entries: number[]
  /** what a stranger finds who recomputes the files */
  shows: Contradiction[]
  plant: (ledger: TestChain['ledger']) => Promise<SealedBatch[]>
}

const second = () => submissionOf('urn:a', 1, 40)

/** One source whose first two submissions are signed, and a third that nobody signed. */
async function soundBatches(ledger: TestChain['ledger']): Promise<[SealedBatch, SealedBatch, SealedBatch]> {
  return [
    sealFor(0, await signedBy('admin', ledger, submissionOf('urn:a', 0, 30))),
    sealFor(1, await signedBy('admin', ledger, second())),
    sealFor(2, submissionOf('urn:a', 2, 40)),
  ]
}

/** The same batch with other files. */
const withFiles = (batch: SealedBatch, files: Partial<SealedBatch['files']>): SealedBatch => ({
  ...batch,
  files: { ...batch.files, ...files },
})

/** The same batch under another header, which its files then have too. */
const withHeader = (batch: SealedBatch, change: Partial<Header>): SealedBatch => {
  const header = { ...batch.header, ...change }
  return withFiles({ ...batch, header }, { 'header.json': utf8(`${JSON.stringify(toJsonHeader(header))}\n`) })
}

type Values = Map<IndexName, string>[]

/** The index of the second batch as it would be if something else stood in it. */
function falseIndex(change: (values: Values) => void) {
  const values = second().items.map(({ record, disclosures }) => indexValues(record, disclosures))
  change(values)
  return buildIndex(values)
}

const INDEX_FAULTS: [name: string, change: (values: Values) => void][] = [
  ['AN INDEX ENTRY LEFT OUT', (values) => values[3]?.delete('record')],
  ['AN INDEX ENTRY ADDED', (values) => values[1]?.set('authorization', 'of no record')],
  [
    'A POSTING ALTERED',
    (values) => {
      // One call is found where another is.
      values[6]?.set('request', values[3]?.get('request') ?? '')
      values[3]?.delete('request')
    },
  ],
]

const one = async (
  ledger: TestChain['ledger'],
  change: (batch: SealedBatch, other: SealedBatch) => SealedBatch,
): Promise<SealedBatch[]> => {
  const [first, batch, last] = await soundBatches(ledger)
  return [first, change(batch, last), last]
}

const linesOf = ({ items }: WaitingSubmission) => items.map(encodeItem)

/** Each fault twice where it can be: in files that contradict their header, and in a header that commits to it. */
export const PLANTED: PlantedFault[] = [
  {
    name: 'ONE BYTE CHANGED IN A RECORD',
    kind: 'fraud',
    entries: [1],
    shows: ['recordsRoot', 'indexRoot', 'index.bin', 'tree.bin'],
    plant: (ledger) =>
      one(ledger, (batch) => {
        const lines = linesOf(second())
        const bent = lines.with(7, (lines[7] ?? '').replace('"1-7"', '"1-x"'))
        return withFiles(batch, { 'records.ndjson.zst': rewriteRecords(bent) })
      }),
  },
  {
    name: 'ONE BYTE CHANGED IN A RECORD before the publisher sealed it',
    kind: 'foreign-signature',
    entries: [1],
    shows: ['signature'],
    async plant(ledger) {
      const signed = await signedBy('admin', ledger, second())
      const items = signed.items.map((item, i) =>
        i === 7 ? { ...item, record: { ...item.record, id: '1-x' } } : item,
      )
      const [first, , last] = await soundBatches(ledger)
      return [first, sealFor(1, { ...signed, items }), last]
    },
  },
  ...INDEX_FAULTS.flatMap(([name, change]): PlantedFault[] => [
    {
      name,
      kind: 'fraud',
      entries: [1],
      shows: ['index.bin'],
      plant: (ledger) => one(ledger, (batch) => withFiles(batch, { 'index.bin': falseIndex(change).file })),
    },
    {
      name: `${name}, and the header commits to it`,
      kind: 'fraud',
      entries: [1],
      shows: ['indexRoot', 'index.bin'],
      plant: (ledger) =>
        one(ledger, (batch) => {
          const { file, indexRoot, indexSize } = falseIndex(change)
          return withFiles(withHeader(batch, { indexRoot, indexSize }), { 'index.bin': file })
        }),
    },
  ]),
  {
    name: 'A HEADER WHOSE COUNT LIES',
    kind: 'fraud',
    entries: [1],
    shows: ['recordCount', 'header.json'],
    plant: (ledger) => one(ledger, (batch) => ({ ...batch, header: { ...batch.header, recordCount: 41 } })),
  },
  {
    name: 'A HEADER WHOSE COUNT LIES, and every file says the same',
    kind: 'fraud',
    entries: [1],
    shows: ['recordCount'],
    plant: (ledger) =>
      one(ledger, (batch) => {
        const submissions = new TextDecoder().decode(batch.files['submissions.json'])
        return withFiles(withHeader(batch, { recordCount: 41 }), {
          'submissions.json': utf8(submissions.replace('"count":40', '"count":41')),
        })
      }),
  },
  {
    name: "A BATCH FILE SWAPPED WITH ANOTHER'S",
    kind: 'fraud',
    entries: [1],
    shows: ['tree.bin'],
    plant: (ledger) =>
      one(ledger, (batch, other) => withFiles(batch, { 'tree.bin': other.files['tree.bin'] })),
  },
  {
    name: 'ALL FILES OF TWO BATCHES SWAPPED',
    kind: 'fraud',
    entries: [1, 2],
    shows: ['recordsRoot', 'indexRoot', 'header.json'],
    async plant(ledger) {
      const [first, batch, other] = await soundBatches(ledger)
      return [first, withFiles(batch, other.files), withFiles(other, batch.files)]
    },
  },
  {
    name: 'A SUBMISSION SIGNED BY A STRANGER',
    kind: 'foreign-signature',
    entries: [1],
    shows: ['signature'],
    async plant(ledger) {
      const [first, , last] = await soundBatches(ledger)
      return [first, sealFor(1, await signedBy('publisher', ledger, second())), last]
    },
  },
]
