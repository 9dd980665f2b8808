import { expect, test } from 'vitest'
import { describeStanding } from '../../src/cli/catch-up.ts'

const start = { blocks: 0, allBlocks: 1_000, batches: 0, allBatches: 0 }

test.each([
  [
    'the batches that are known take longest',
    { blocks: 1_000, batches: 50, allBatches: 200 },
    10_000,
    '30 s',
  ],
  ['as many batches lie ahead as behind', { blocks: 500, batches: 50, allBatches: 100 }, 10_000, '30 s'],
  ['only blocks are left', { blocks: 250, batches: 0, allBatches: 0 }, 60_000, '3 min'],
  ['it began in the middle', { blocks: 1_000, batches: 1, allBatches: 1_001 }, 60_000, '17 h'],
])('the estimate holds when %s', (_, now, elapsedMs, left) => {
  const text = describeStanding(start, { ...start, ...now }, elapsedMs)
  expect(text).toBe(
    `catching up: block ${now.blocks} of 1000, batch ${now.batches} of ${now.allBatches}, about ${left} left`,
  )
})

test('nothing is estimated before anything is done', () => {
  expect(describeStanding(start, start, 5_000)).toBe('catching up: block 0 of 1000, batch 0 of 0')
})
