import type { JsonHistory, JsonHistoryRun, JsonRunHistory } from '../src/index.ts'
import { inherited, nested, type OwnAlteration, type Read } from './vectors-bad-own.ts'
import { add, type Patch, remove, replace } from './vectors-patch.ts'

const MAX64 = String(2n ** 64n - 1n)

const bad = (step: string, code: string, name: string, ...patches: Patch[]): OwnAlteration => [
  step,
  code,
  name,
  ...patches,
]

/** `list` points to batches of which the first shows two records, and the second has a header of its own. */
function ownOfBatches(list: string, [first, second]: JsonHistory['batches']): OwnAlteration[] {
  const { items = [], path = '' } = first?.found ?? {}
  const place = (name: string) => `${list}/0/${name}`
  return [
    ...inherited('{'),
    ...inherited('"lookup":{'),
    ...inherited('"found":{'),
    nested(first?.header ?? '', 'MALFORMED_BUNDLE'),
    bad(
      'batches',
      'ROOT_MISMATCH',
      'records in another order',
      replace(place('found/items'), items.toReversed()),
    ),
    bad('batches', 'ROOT_MISMATCH', 'a record twice', replace(place('found/items/1'), items[0])),
    bad(
      'batches',
      'MALFORMED_PATH',
      'a path of records twice',
      replace(place('found/path'), `${path}${path}`),
    ),
    bad('batches', 'ROOT_MISMATCH', 'an empty bucket', replace(place('lookup/bucket'), '')),
    bad(
      'batches',
      'MALFORMED_INDEX',
      'positions that the bucket holds itself',
      add(place('lookup/positions'), 'AAAAAA'),
    ),
    bad('read', 'MALFORMED_BUNDLE', 'positions of three bytes', add(place('lookup/positions'), 'AAAA')),
    bad('batches', 'MALFORMED_PATH', 'a path of a bucket', replace(place('lookup/path'), path)),
    bad('batches', 'INDEX_OUT_OF_RANGE', 'the greatest bucket', replace(place('lookup/index'), 2 ** 32 - 1)),
    bad('read', 'MALFORMED_HEADER', 'half of a header', replace(place('header'), first?.header.slice(0, 80))),
    bad(
      'read',
      'MALFORMED_HEADER',
      'two headers in one',
      replace(place('header'), `${first?.header}${second?.header}`),
    ),
    bad(
      'read',
      'MALFORMED_BUNDLE',
      'a header in base64',
      replace(place('header'), `+${first?.header.slice(1)}`),
    ),
    bad('read', 'MALFORMED_BUNDLE', 'a path with a blank', replace(place('found/path'), ` ${path.slice(1)}`)),
  ]
}

export function ownOfHistory(history: JsonHistory, read: Read): OwnAlteration[] {
  const [first, second, third, fourth] = history.batches
  const empty = read('history.json', '/empty') as JsonHistory
  return [
    ...ownOfBatches('/batches', history.batches),
    bad('batches', 'FOREIGN_RECORD', 'the name of another index', replace('/key/name', 'record')),
    bad('read', 'MALFORMED_BUNDLE', 'a key in halves of a pair', replace('/key/value', '\udfff')),
    bad('read', 'MALFORMED_BUNDLE', 'a period that ends before it begins', replace('/period/to', '1')),
    bad('read', 'MALFORMED_BUNDLE', 'a period below nothing', replace('/period/from', '-1')),
    bad('read', 'MALFORMED_BUNDLE', 'a range beyond 2^64', replace('/range/to', String(2n ** 64n))),
    bad('batches', 'MISSING_BUCKET', 'all times', replace('/period/from', '0'), replace('/period/to', MAX64)),
    bad('batches', 'MISSING_BATCH', 'a range to the end of all', replace('/range/to', MAX64)),
    bad(
      'batches',
      'MISSING_BATCH',
      'a range turned round',
      replace('/range/from', '4'),
      replace('/range/to', '0'),
    ),
    bad(
      'anchor',
      'HEADER_MISMATCH',
      'a range that begins later',
      replace('/range/from', '1'),
      replace('/range/to', '5'),
    ),
    bad(
      'log',
      'ROOT_MISMATCH',
      'batches in another order',
      replace('/batches', [second, first, third, fourth]),
    ),
    bad('log', 'ROOT_MISMATCH', 'a batch put for its neighbour', replace('/batches/0', second)),
    bad('anchor', 'HEADER_MISMATCH', 'the last batch put for another', replace('/batches/3', first)),
    bad('log', 'MALFORMED_PATH', 'a path of the range', replace('/range/path', first?.found?.path)),
    bad('batches', 'MISSING_RECORD', 'the list of another person', replace('/batches/0', empty.batches[0])),
    bad('anchor', 'NOT_CANONICAL', 'the anchor of another history', replace('/anchor/blockNumber', '0')),
  ]
}

export function ownOfRunHistory(history: JsonRunHistory): OwnAlteration[] {
  const [first, second, third] = history.parts as [JsonHistoryRun, JsonHistoryRun, JsonHistory['batches'][0]]
  const run = '/parts/0/run'
  return [
    ...ownOfBatches('/parts/0/batches', first.batches),
    ...inherited('"run":{'),
    nested('run-0-3', 'MALFORMED_RECORD'),
    bad('batches', 'MISSING_BATCH', 'runs in another order', replace('/parts', [second, first, third])),
    bad('batches', 'MISSING_BATCH', 'a run put for the other', replace('/parts/0', second)),
    bad('batches', 'MISSING_BATCH', 'a batch for a run', replace('/parts/0', third)),
    bad('read', 'MALFORMED_BUNDLE', 'a run without its lookup', remove('/parts/0/lookup')),
    bad('read', 'MALFORMED_BUNDLE', 'a run without its batches', remove('/parts/0/batches')),
    bad('read', 'MALFORMED_BUNDLE', 'a batch that is a run too', add('/parts/2/run', first.run)),
    bad(
      'batches',
      'MISSING_BATCH',
      'batches that the run does not name',
      replace('/parts/1/batches', first.batches),
    ),
    bad(
      'batches',
      'ROOT_MISMATCH',
      'the record of the other run',
      replace(`${run}/record/data/indexRoot`, second.run.record.data.indexRoot),
    ),
    bad(
      'log',
      'ROOT_MISMATCH',
      'batches of a run in another order',
      replace('/parts/0/batches/1/header', second.run.header),
    ),
    bad(
      'batches',
      'MALFORMED_PATH',
      'a path of the record of a run',
      replace(`${run}/path`, first.batches[0]?.found?.path),
    ),
    bad('batches', 'BATCH_MISMATCH', 'the record of a run before all batches', replace(`${run}/entry`, '0')),
    bad('log', 'MALFORMED_PATH', 'the path twice', replace('/path', `${history.path}${history.path}`)),
  ]
}
