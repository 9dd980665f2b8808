import { type JsonHistory, type Trust, verifyHistory } from '../src/index.ts'
import { type ChainData, factsOf, LEDGER } from '../test/verify/chain.ts'
import { historyWorld, minutes, personOf } from '../test/verify/history-world.ts'
import { add, remove, replace } from './vectors-patch.ts'
import { type Altered, toJsonAltered } from './vectors-receipt.ts'

export interface HistorySubject {
  history: JsonHistory
  chain: ChainData
  trust: Trust
}

const alterations = (empty: JsonHistory, other: JsonHistory): Altered => [
  ['InputError', 'BAD_BUNDLE', 'another format', replace('/history/format', 'tidemark-history/3')],
  ['read', 'MALFORMED_BUNDLE', 'a member more', add('/history/extra', null)],
  ['read', 'MALFORMED_BUNDLE', 'an unknown name', replace('/history/key/name', 'agent')],
  ['read', 'MALFORMED_BUNDLE', 'no period', replace('/history/period/to', '0')],
  ['read', 'MALFORMED_BUNDLE', 'a path of half a hash', replace('/history/range/path', 'AAAA')],
  ['read', 'MALFORMED_BUNDLE', 'base64url with spare bits', replace('/history/batches/1/lookup/path', 'AB')],
  ['read', 'MALFORMED_HEADER', 'a header of three bytes', replace('/history/batches/0/header', 'AAAA')],
  [
    'read',
    'MALFORMED_RECORD',
    'a person in the open',
    add('/history/batches/0/found/items/0/record/data/person', personOf(0)),
  ],
  ['batches', 'MISSING_BATCH', 'a batch left out', remove('/history/batches/1')],
  ['batches', 'MISSING_BATCH', 'no batch', replace('/history/batches', [])],
  ['batches', 'MISSING_BUCKET', 'a bucket left out', remove('/history/batches/1/lookup')],
  ['batches', 'MISSING_BUCKET', 'a longer period', replace('/history/period/to', String(minutes(2_000)))],
  ['batches', 'MALFORMED_BUNDLE', 'a shorter period', replace('/history/period/to', String(minutes(9)))],
  ['batches', 'MALFORMED_INDEX', 'no positions', remove('/history/batches/2/lookup/positions')],
  [
    'batches',
    'ROOT_MISMATCH',
    'the bucket of another batch',
    replace('/history/batches/1/lookup', other.batches[0]?.lookup),
  ],
  ['batches', 'MISSING_RECORD', 'a record left out', remove('/history/batches/2/found/items/4')],
  ['batches', 'MISSING_RECORD', 'all records left out', remove('/history/batches/0/found')],
  [
    'batches',
    'FOREIGN_RECORD',
    'records where there are none',
    add('/history/batches/1/found', other.batches[1]?.found),
  ],
  ['batches', 'FOREIGN_RECORD', 'another person', replace('/history/key/value', personOf(1))],
  [
    'batches',
    'FOREIGN_RECORD',
    'a person kept closed',
    replace('/history/batches/0/found/items/0/disclosures', []),
  ],
  [
    'batches',
    'ROOT_MISMATCH',
    'a record changed',
    replace('/history/batches/0/found/items/0/record/data/outcome', 'failed'),
  ],
  ['batches', 'MALFORMED_PATH', 'no path of records', replace('/history/batches/0/found/path', '')],
  [
    'anchor',
    'HEADER_MISMATCH',
    'the end cut off',
    remove('/history/batches/3'),
    replace('/history/range/to', '3'),
  ],
  ['anchor', 'WRONG_LEDGER', 'another ledger', replace('/trust/ledger', `0x${'77'.repeat(20)}`)],
  [
    'log',
    'MALFORMED_PATH',
    'the beginning cut off',
    remove('/history/batches/0'),
    replace('/history/range/from', '1'),
  ],
  ['log', 'HEADER_MISMATCH', 'another size', replace('/history/range/size', '9')],
  ['log', 'ROOT_MISMATCH', 'a batch put for another', replace('/history/batches/1', empty.batches[3])],
  ['OperationError', 'NOT_FINAL', 'a block that is not final yet', replace('/chain/finalBlock', '0')],
]

export async function historyVectors() {
  const call = (person: number | null, minute: number) => ({ person, minute })
  const { data, history } = historyWorld([
    [call(0, 5), call(1, 6), call(0, 8)],
    [call(1, 10), call(null, 20)],
    Array.from({ length: 20 }, (_, i) => call(i % 2, 12 + i)),
    [call(0, 1_200)],
    [call(2, 15)],
  ])
  const period = { from: minutes(0), to: minutes(60) }
  // A batch of another time, which needs no bucket, stands in any history of the hour.
  const subject: HistorySubject = {
    history: await history('person', personOf(0), { period, to: 4 }),
    chain: data,
    trust: { ledger: LEDGER },
  }
  const empty = await history('person', personOf(9), { period })
  const other = await history('person', personOf(1), { period, to: 4 })
  const { records, otherTimes, searched, range, blockTime } = await verifyHistory(
    subject.history,
    factsOf(data),
  )
  return {
    about:
      'Sections 2.4, 12.2 and 13.3: a history, read like proof.json, and one of nothing. The patches apply to { history, chain, trust }.',
    ...subject,
    verified: {
      records: records.map(({ ledgerIndex, position, record }) => ({
        ledgerIndex: String(ledgerIndex),
        position,
        record,
      })),
      otherTimes,
      searched,
      range: { from: String(range.from), to: String(range.to) },
      blockTime: String(blockTime),
    },
    empty,
    altered: toJsonAltered(alterations(empty, other)),
  }
}
