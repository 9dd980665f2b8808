import {
  type JsonHistoryBatch,
  type JsonHistoryRun,
  type JsonRunHistory,
  type Trust,
  verifyHistory,
} from '../src/index.ts'
import { type ChainData, factsOf, LEDGER } from '../test/verify/chain.ts'
import { minutes, personOf, runWorld } from '../test/verify/history-world.ts'
import { add, remove, replace } from './vectors-patch.ts'
import { type Altered, toJsonAltered } from './vectors-receipt.ts'

export interface RunHistorySubject {
  history: JsonRunHistory
  chain: ChainData
  trust: Trust
}

const run = '/history/parts/0/run'

const alterations = ({ parts: [first, second, third] }: JsonRunHistory): Altered => [
  ['InputError', 'BAD_BUNDLE', 'another format', replace('/history/format', 'tidemark-history/3')],
  ['read', 'MALFORMED_BUNDLE', 'a member more', add(`${run}/extra`, null)],
  ['read', 'MALFORMED_HEADER', 'a header of three bytes', replace(`${run}/header`, 'AAAA')],
  ['read', 'MALFORMED_RECORD', 'a run with no count', remove(`${run}/record/data/count`)],
  ['batches', 'MISSING_BATCH', 'a run left out', remove('/history/parts/0')],
  ['batches', 'MISSING_BATCH', 'no part', replace('/history/parts', [])],
  ['batches', 'MISSING_BATCH', 'a run shown twice', add('/history/parts/0', first)],
  ['batches', 'MISSING_BATCH', 'a batch of a run left out', remove('/history/parts/0/batches/0')],
  ['batches', 'MISSING_BUCKET', 'a bucket of a batch left out', remove('/history/parts/0/batches/0/lookup')],
  ['batches', 'MISSING_RECORD', 'a record left out', remove('/history/parts/0/batches/0/found/items/1')],
  [
    'batches',
    'ROOT_MISMATCH',
    'the bucket of another run',
    replace('/history/parts/0/lookup', (second as JsonHistoryRun).lookup),
  ],
  ['batches', 'ROOT_MISMATCH', 'another number of keys', replace(`${run}/record/data/entries`, 7)],
  [
    'batches',
    'WRONG_LEDGER',
    'a run of another ledger',
    replace(`${run}/record/data/ledger`, `0x${'77'.repeat(20)}`),
  ],
  ['batches', 'WRONG_CHAIN', 'a run of another chain', replace(`${run}/record/data/chainId`, '1')],
  ['batches', 'BATCH_MISMATCH', 'a run of nothing', replace(`${run}/record/data/count`, 0)],
  [
    'batches',
    'BATCH_MISMATCH',
    'a run of too many batches',
    replace(`${run}/record/data/count`, 16_385),
    replace(`${run}/entry`, '16385'),
  ],
  ['batches', 'BATCH_MISMATCH', 'a run that reaches beyond its record', replace(`${run}/entry`, '2')],
  ['batches', 'MALFORMED_BUNDLE', 'two headers of one entry', replace(`${run}/entry`, '6')],
  [
    'batches',
    'FOREIGN_RECORD',
    'another record for that of a run',
    replace(`${run}/record`, (first as JsonHistoryRun).batches[0]?.found?.items[0]?.record),
  ],
  ['anchor', 'WRONG_LEDGER', 'another ledger', replace('/trust/ledger', `0x${'77'.repeat(20)}`)],
  [
    'anchor',
    'HEADER_MISMATCH',
    'the end cut off',
    remove('/history/parts/2'),
    remove('/history/parts/1'),
    replace('/history/range/to', '3'),
  ],
  [
    'log',
    'ROOT_MISMATCH',
    'a batch that the run does not name',
    replace('/history/parts/0/batches/1/header', (third as JsonHistoryBatch).header),
  ],
  ['log', 'HEADER_MISMATCH', 'another size', replace('/history/range/size', '9')],
  ['log', 'MALFORMED_PATH', 'no path', replace('/history/path', '')],
  ['log', 'MALFORMED_PATH', 'the record of a run in another entry', replace(`${run}/entry`, '5')],
  ['OperationError', 'NOT_FINAL', 'a block that is not final yet', replace('/chain/finalBlock', '0')],
]

export async function runHistoryVectors() {
  const call = (person: number | null, minute: number) => ({ person, minute })
  const { data, runHistory } = await runWorld([
    [call(0, 5), call(1, 6), call(0, 8)],
    [call(1, 10), call(2, 20)],
    [call(0, 1_200)],
    { first: 0, count: 3 },
    [call(2, 15)],
    [call(3, 16), call(1, 18)],
    { first: 3, count: 3 },
    [call(0, 45)],
  ])
  const period = { from: minutes(0), to: minutes(60) }
  const subject: RunHistorySubject = {
    history: await runHistory('person', personOf(0), { period, to: 7 }),
    chain: data,
    trust: { ledger: LEDGER },
  }
  const { records, searched, range, runs } = await verifyHistory(subject.history, factsOf(data))
  return {
    about:
      'Sections 7.4, 12.3 and 13.4: a history over two runs, read like proof.json. The patches apply to { history, chain, trust }.',
    ...subject,
    verified: {
      records: records.map(({ ledgerIndex, position, record }) => ({
        ledgerIndex: String(ledgerIndex),
        position,
        record,
      })),
      searched,
      range: { from: String(range.from), to: String(range.to) },
      runs: runs.map(({ source, id, entry, first, end }) => ({
        source,
        id,
        entry: String(entry),
        first: String(first),
        end: String(end),
      })),
    },
    altered: toJsonAltered(alterations(subject.history)),
  }
}
