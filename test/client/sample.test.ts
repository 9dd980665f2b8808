import { describe, expect, it } from 'vitest'
import { SAMPLE_TAG_KEY, sampleRecords } from '../../src/client/sample.ts'
import { InputError } from '../../src/errors.ts'
import {
  canonicalText,
  type FlowRecord,
  parseRecord,
  parseSealedRecord,
  RECORD_TYPES,
  sealRecord,
  timeOf,
} from '../../src/record/index.ts'

const from = new Date('2025-03-03T00:30:00.000Z')
const sample = (count: number, seed: number | string = 1, departments?: string[]) => [
  ...sampleRecords({ seed, count, from, ...(departments && { departments }) }),
]

describe('a sample', () => {
  const records = sample(3000)
  const of = (type: string) => records.filter((record) => record.type === type)

  it('is the same for the same seed and another for another', () => {
    expect(sample(3000).map(canonicalText)).toEqual(records.map(canonicalText))
    const other = new Set(sample(3000, 2).map(({ source, id }) => `${source} ${id}`))
    expect(records.some(({ source, id }) => other.has(`${source} ${id}`))).toBe(false)
  })

  it('begins alike whatever its length, but for what fills up its end', () => {
    expect(sample(500).slice(0, 490)).toEqual(records.slice(0, 490))
  })

  it.each([0, 1, 2, 3, 7, 20, 101])('of %i records has that many and no half of a pair', (count) => {
    const few = sample(count)
    expect(few).toHaveLength(count)
    const sides = Map.groupBy(
      few.filter(({ type }) => type === 'tidemark.call.v1'),
      ({ data }) => data.requestId,
    )
    for (const pair of sides.values()) expect(pair).toHaveLength(2)
  })

  it('is made of valid records, as they come and when sealed', () => {
    for (const record of records) {
      expect(parseRecord(record)).toEqual(record)
      parseSealedRecord(sealRecord(record).record)
    }
  })

  it('is labelled as made up in every id and source', () => {
    for (const { id, source } of records) {
      expect(id).toMatch(/^sample-[0-9a-f]{8}-\d+$/)
      expect(source).toMatch(/^urn:tidemark:sample:[a-z-]+$/)
    }
    expect(new Set(records.map(({ id }) => id)).size).toBe(records.length)
    expect(SAMPLE_TAG_KEY).toContain('not a secret')
  })

  it('has every type of record within its first 120, and mostly calls', () => {
    expect(new Set(sample(120).map(({ type }) => type))).toEqual(
      // An indexer's record, which no department makes.
      new Set(Object.keys(RECORD_TYPES).filter((type) => type !== 'tidemark.index-run.v1')),
    )
    expect(of('tidemark.call.v1').length).toBeGreaterThan(0.8 * records.length)
  })

  it('runs forward from its beginning', () => {
    let last = from.getTime()
    for (const record of records) {
      expect(timeOf(record)).toBeGreaterThanOrEqual(last)
      last = timeOf(record)
    }
  })

  it('tells each call from both sides, by two sources, in agreement', () => {
    const pairs = Map.groupBy(of('tidemark.call.v1'), ({ data }) => data.requestId)
    for (const pair of pairs.values()) {
      const [consumer, provider] = pair as [FlowRecord, FlowRecord]
      expect(pair).toHaveLength(2)
      expect([consumer.data.side, provider.data.side]).toEqual(['consumer', 'provider'])
      expect([consumer.source, provider.source]).toEqual([consumer.data.consumer, provider.data.provider])
      const { side: _, durationMs: __, agent: ___, ...told } = consumer.data
      expect(provider.data).toMatchObject(told)
    }
    const outcomes = new Set(of('tidemark.call.v1').map(({ data }) => data.outcome))
    expect(outcomes).toEqual(new Set(['success', 'failed', 'refused']))
  })

  it('lets calls cite only grants that were given before, fit, and are neither expired, used up nor revoked', () => {
    const grants = new Map<unknown, { notAfter: number; left: number; subject: unknown; person: unknown }>()
    let cited = 0
    for (const record of records) {
      const { data } = record
      if (record.type === 'tidemark.authorization.v1') {
        const { notAfter, maxCalls } = data.grant as { notAfter: number; maxCalls: number }
        grants.set(data.authorization, {
          notAfter,
          left: maxCalls,
          subject: record.subject,
          person: data.person,
        })
      } else if (record.type === 'tidemark.revocation.v1') {
        expect(grants.delete(data.authorization)).toBe(true)
      } else if (record.type === 'tidemark.call.v1' && data.authorization !== undefined) {
        const grant = grants.get(data.authorization)
        expect(grant).toMatchObject({ subject: record.subject, person: data.person })
        expect(timeOf(record)).toBeLessThan(1000 * (grant?.notAfter ?? 0))
        if (grant !== undefined && data.side === 'consumer') expect(grant.left--).toBeGreaterThan(0)
        cited++
      } else if (record.type === 'tidemark.call.v1' && data.sharing === 'conditional') {
        expect(data.outcome).toBe('refused')
      }
    }
    expect(cited).toBeGreaterThan(500)
  })

  it('takes other departments', () => {
    const sources = new Set(sample(400, 'x', ['parks', 'fire-service']).map(({ source }) => source))
    expect(sources).toEqual(new Set(['urn:tidemark:sample:parks', 'urn:tidemark:sample:fire-service']))
  })

  it.each([
    [{ count: -1 }, 'the count must be'],
    [{ count: 1.5 }, 'the count must be'],
    [{ from: new Date('nonsense') }, 'a sample begins between'],
    [{ departments: ['tax'] }, 'two departments'],
    [{ departments: ['tax', 'tax'] }, 'two departments'],
    [{ departments: ['tax', 'Civil Registry'] }, 'not Civil Registry'],
  ])('refuses %j before the first record', (change, reason) => {
    const make = () => sampleRecords({ seed: 1, count: 1, from, ...change })
    expect(make).toThrow(InputError)
    expect(make).toThrow(reason)
  })
})
