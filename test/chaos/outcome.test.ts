import { expect, test } from 'vitest'
import { checkOutcome, type FoundBatch, type FoundStore, type Outcome } from './outcome.ts'

const submission = (source: string, sequence: number) => ({
  source,
  sequence,
  ids: [`${source}/${sequence}/0`, `${source}/${sequence}/1`],
  root: `root ${source} ${sequence}`,
})
const batch = (sequence: number, ...submissions: ReturnType<typeof submission>[]): FoundBatch => ({
  publisher: '0xp',
  sequence,
  fingerprint: `header${sequence} block${sequence}`,
  submissions,
})

/** Two batches of two sources; the last submission was sent and never acknowledged. */
function good() {
  const chain = [
    batch(0, submission('urn:a', 0), submission('urn:b', 0)),
    batch(1, submission('urn:a', 1), submission('urn:b', 1)),
  ]
  const acknowledged = [submission('urn:a', 0), submission('urn:b', 0), submission('urn:a', 1)].map(
    (one) => ({
      ...one,
      publisher: '0xp',
    }),
  )
  const store: FoundStore = {
    publisher: '0xp',
    headers: ['header0', 'header1'],
    submissions: { 'urn:a #0': 0, 'urn:b #0': 0, 'urn:a #1': 1, 'urn:b #1': 1 },
    entries: chain.map(({ fingerprint }) => ({ fingerprint, state: 'verified' })),
    folders: ['000000000000', '000000000001'],
    logged: 0,
  }
  return { acknowledged, sent: { 'urn:a': 2, 'urn:b': 2 }, chain, stores: [store] as [FoundStore] }
}

test('an outcome in which everything holds has no violation', () => {
  expect(checkOutcome(good())).toEqual([])
})

const SPOILT: Record<string, [(outcome: ReturnType<typeof good>) => unknown, RegExp]> = {
  'an acknowledged submission is missing': [
    ({ chain }) => chain[1]?.submissions.shift(),
    /urn:a #1 was acknowledged and is not on the chain/,
  ],
  'a whole batch is missing': [({ chain }) => chain.pop(), /urn:a #1 was acknowledged and is not/],
  'a submission is there twice': [
    ({ chain }) => chain[1]?.submissions.push(submission('urn:b', 0)),
    /urn:b #0 is on the chain twice/,
  ],
  'a batch is there twice': [({ chain }) => chain.push(batch(1)), /batch 1 of 0xp stands where 2 should/],
  'a record is there twice under two numbers': [
    ({ chain }) => chain[1]?.submissions[0]?.ids.push('urn:a/0/0'),
    /record urn:a\/0\/0 is on the chain twice/,
  ],
  'two submissions of a source changed places': [
    ({ chain }) => {
      const [first, second] = chain.map(({ submissions }) => submissions)
      if (first && second) [first[0], second[0]] = [submission('urn:a', 1), submission('urn:a', 0)]
    },
    /urn:a #1 is on the chain where #0 should be/,
  ],
  'two batches changed places': [({ chain }) => chain.reverse(), /batch 1 of 0xp stands where 0 should/],
  'records changed places in a submission': [
    ({ chain }) => chain[0]?.submissions[0]?.ids.reverse(),
    /urn:a #0 is on the chain with other records/,
  ],
  'the root is another than was promised': [
    ({ acknowledged }) => Object.assign(acknowledged[0] ?? {}, { root: 'other' }),
    /urn:a #0 has another root/,
  ],
  'there is what nobody sent': [
    ({ chain }) => chain[1]?.submissions.push(submission('urn:a', 2)),
    /urn:a #2 was never sent/,
  ],
  'the catalogue lacks a batch': [({ stores: [store] }) => store.headers.pop(), /has 1 batches, the chain 2/],
  'the catalogue lacks a submission': [
    ({ stores: [store] }) => delete store.submissions['urn:b #1'],
    /has 3 submissions, the chain 4/,
  ],
  'the catalogue has a submission in another batch': [
    ({ stores: [store] }) => Object.assign(store.submissions, { 'urn:b #1': 0 }),
    /or elsewhere/,
  ],
  'the indexer lacks an entry': [({ stores: [store] }) => store.entries.pop(), /1 of 2 entries/],
  'the indexer has an entry in a block that is gone': [
    ({ stores: [store] }) => Object.assign(store.entries[1] ?? {}, { fingerprint: 'header1 block9' }),
    /is not the chain's/,
  ],
  'a batch is withheld': [
    ({ stores: [store] }) => Object.assign(store.entries[1] ?? {}, { state: 'withheld' }),
    /ledger entry 1 is withheld/,
  ],
  'half a batch is left on disk': [
    ({ stores: [store] }) => store.folders.push('000000000002.tmp'),
    /on disk of 0xp are 3 batches \(000000000002.tmp\)/,
  ],
  'the log holds what was never sealed': [
    ({ stores: [store] }) => Object.assign(store, { logged: 1 }),
    /still holds 1 submissions/,
  ],
}

test.for(Object.entries(SPOILT))('the check refuses when %s', ([, [spoil, message]]) => {
  const outcome = good()
  spoil(outcome)
  expect(checkOutcome(outcome satisfies Outcome).join('\n')).toMatch(message)
})
