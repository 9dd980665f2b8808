import { describe, expect, test } from 'vitest'
import { brokenPromise } from '../../src/rules/broken-promise.ts'
import { call, findBy, MONDAY_MS } from './seen.ts'

const promised = { source: 'urn:consumer', sequence: 3n, first: 'r', anchorByMs: MONDAY_MS }
const find = (submission: typeof promised & { anchoredAtMs?: number }, lastMs = MONDAY_MS) =>
  findBy(brokenPromise, [call(lastMs)], {}, [submission])

describe('a broken promise', () => {
  test('is found when the block came later than promised', () => {
    const found = find({ ...promised, anchoredAtMs: MONDAY_MS + 1 })
    expect(found).toMatchObject([
      { records: [{ source: 'urn:consumer', id: 'r' }], values: { sequence: '3', fault: 'late', lateMs: 1 } },
    ])
    expect(find({ ...promised, anchoredAtMs: MONDAY_MS })).toEqual([])
  })

  test('is found when there is no block and the time is over, and not before', () => {
    expect(find(promised)).toEqual([])
    expect(find(promised, MONDAY_MS + 5)).toMatchObject([{ values: { fault: 'not-anchored', lateMs: 5 } }])
  })

  test('is none without a receipt', () => {
    const { anchorByMs: _, ...open } = promised
    expect(findBy(brokenPromise, [call(MONDAY_MS + 5)], {}, [open])).toEqual([])
  })
})
