import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { authorizationsInterface } from '../../src/chain/rights-abi.ts'
import { parseRecord } from '../../src/record/index.ts'
import { toCsv } from '../../src/web/console/views/my-data/csv.ts'
import { byConsumer, usesOf } from '../../src/web/console/views/my-data/uses.ts'
import { revokeCall } from '../../src/web/console/views/my-data/wallet.ts'
import { callOf } from '../api/world.ts'
import { runs } from '../bytes/runs.ts'
import { exampleOf, type Json } from '../record/examples.ts'

const call = (
  side: 'consumer' | 'provider',
  id: string,
  data: Json = {},
  time = '2026-03-01T08:00:00.000Z',
) =>
  parseRecord(
    callOf(`urn:${side}`, id, {
      time,
      data: {
        ...{ side, consumer: 'tax', provider: 'civil', operation: 'get' },
        ...{ requestId: 'r', outcome: 'success', ...data },
      },
    }),
  )

describe('the uses that records tell of', () => {
  test('are one where two records tell the two sides of a request, with what either of them says', () => {
    const [use, ...others] = usesOf([
      call('provider', 'p', { rows: 3, outcome: 'failed' }, '2026-03-01T08:00:01.000Z'),
      call('consumer', 'c', { purpose: 'school' }),
    ])
    expect(others).toEqual([])
    expect(use).toMatchObject({
      time: '2026-03-01T08:00:00.000Z',
      outcome: 'success',
      rows: 3,
      purpose: 'school',
      told: [
        { side: 'provider', id: 'p' },
        { side: 'consumer', id: 'c' },
      ],
    })
  })

  test('are two where one side tells a request twice, so that no use is hidden behind another', () => {
    expect(usesOf([call('provider', 'p'), call('provider', 'p2'), call('consumer', 'c')])).toHaveLength(2)
    expect(usesOf([call('provider', 'p'), call('consumer', 'c', { provider: 'other' })])).toHaveLength(2)
  })

  test('name each record once, whatever the records are', () => {
    const records = fc.array(
      fc
        .record({
          side: fc.constantFrom('consumer', 'provider'),
          requestId: fc.constantFrom('a', 'b'),
          consumer: fc.constantFrom('tax', 'police'),
        })
        .map(({ side, ...data }) => ({ side, data })),
      { maxLength: 20 },
    )
    fc.assert(
      fc.property(records, (made) => {
        const all = made.map(({ side, data }, i) => call(side, `${i}`, data))
        const uses = usesOf(all)
        const told = uses.flatMap((use) => use.told.map(({ id }) => id))
        expect(told.toSorted()).toEqual(all.map(({ id }) => id).toSorted())
        expect([...byConsumer(uses).values()].flat()).toHaveLength(uses.length)
      }),
      runs(100),
    )
  })

  test('are calls and refusals, and nothing else', () => {
    const records = (['tidemark.refusal.v1', 'tidemark.heartbeat.v1', 'tidemark.revocation.v1'] as const).map(
      (type) => parseRecord(exampleOf(type)),
    )
    expect(usesOf(records)).toMatchObject([{ outcome: 'refused', reason: 'no-grant' }])
  })
})

describe('a table', () => {
  test('holds every text as it is, and none that a spreadsheet computes', () => {
    const texts = fc.oneof(
      fc.string(),
      fc.constantFrom(
        '=1+1',
        "'-1",
        '+1',
        '-1',
        '@SUM(A1)',
        '\t=1',
        '＝1',
        '＋1',
        '－1',
        '＠1',
        'a"b',
        'a,b',
        'a\r\nb',
      ),
    )
    fc.assert(
      fc.property(fc.array(fc.array(texts, { minLength: 2, maxLength: 2 }), { minLength: 1 }), (rows) => {
        const text = toCsv(rows)
        expect(text.startsWith('\ufeff')).toBe(true)
        const cells = [...text.slice(1).matchAll(/"((?:[^"]|"")*)"(,|\r\n)/g)]
        expect(cells.map(([whole]) => whole).join('')).toBe(text.slice(1))
        const read = cells.map(([, cell = '']) => cell.replaceAll('""', '"'))
        expect(read.map((cell) => cell.replace(/^'(?=['=+\-@\t\r\n＝＋－＠])/, ''))).toEqual(rows.flat())
        for (const cell of read) expect(cell).not.toMatch(/^[=+\-@\t\r\n＝＋－＠]/)
      }),
      runs(200),
    )
  })
})

test('the call that revokes a grant is the one that ethers makes of the contract’s interface', () => {
  const bytes = (length: number) =>
    fc
      .uint8Array({ minLength: length, maxLength: length })
      .map((of) => `0x${Buffer.from(of).toString('hex')}` as const)
  const grant = fc.record({
    ...{ subject: bytes(20), consumer: bytes(32), resource: bytes(32), purpose: bytes(32) },
    ...{ notBefore: fc.bigInt(0n, 2n ** 64n - 1n), notAfter: fc.bigInt(0n, 2n ** 64n - 1n) },
    ...{ maxCalls: fc.nat(0xffff_ffff), nonce: fc.bigInt(0n, 2n ** 256n - 1n) },
  })
  fc.assert(
    fc.property(grant, (one) => {
      expect(revokeCall(one)).toBe(authorizationsInterface.encodeFunctionData('revoke', [one]))
    }),
    runs(50),
  )
})
