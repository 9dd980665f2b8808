import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { fromXroad, parseXroad } from '../../src/client/xroad.ts'
import { InputError } from '../../src/errors.ts'
import {
  canonicalText,
  type FlowRecord,
  parseRecord,
  parseSealedRecord,
  sealRecord,
} from '../../src/record/index.ts'

const FOLDER = new URL('../../../shared/data/xroad/', import.meta.url)
const absent = !existsSync(FOLDER)
const shared = absent ? ' (skipped: ../shared/data/xroad is not beside the project)' : ''

const load = (name: string) => readFileSync(new URL(name, FOLDER), 'utf8')
const convert = (text: string) => parseXroad(text).map(({ line, value }) => fromXroad(value, line))
const name = ({ source, id }: FlowRecord) => `${source} ${id}`

const row = {
  securityServerType: 'Client',
  clientXRoadInstance: 'DEV',
  clientMemberClass: 'ORG',
  clientMemberCode: '1234567-8',
  clientSubsystemCode: 'TEST',
  serviceXRoadInstance: 'DEV',
  serviceMemberClass: 'GOV',
  serviceMemberCode: '8765432-1',
  serviceSubsystemCode: 'Population',
  serviceCode: 'personDetails',
  serviceVersion: 'v1',
  messageId: 'm-1',
  xRequestId: 'x-1',
  requestInTs: 1_603_802_102_192,
  responseOutTs: 1_603_802_102_527,
  requestSoapSize: 1847,
  responseSoapSize: 1860,
  responseMimeSize: 2422,
  responseAttachmentCount: 1,
  succeeded: true,
}

const fault = (change: () => unknown) => {
  try {
    change()
  } catch (error) {
    if (error instanceof InputError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('an X-Road row', () => {
  it('becomes the consumer side of a call when a client reported it', () => {
    expect(fromXroad(row)).toEqual({
      specversion: '1.0',
      id: expect.stringMatching(/^m-1\.[\w-]{22}$/),
      source: 'xroad:DEV/ORG/1234567-8/TEST?side=consumer',
      type: 'tidemark.call.v1',
      time: '2020-10-27T12:35:02.192Z',
      subject: 'xroad:DEV/GOV/8765432-1/Population/personDetails.v1',
      data: {
        side: 'consumer',
        consumer: 'xroad:DEV/ORG/1234567-8/TEST',
        provider: 'xroad:DEV/GOV/8765432-1/Population',
        operation: 'personDetails',
        requestId: 'x-1',
        outcome: 'success',
        requestBytes: 1847,
        responseBytes: 2422,
        durationMs: 335,
      },
    })
  })

  it('becomes the provider side when a producer reported it', () => {
    const record = fromXroad({ ...row, securityServerType: 'Producer' })
    expect(record.source).toBe('xroad:DEV/GOV/8765432-1/Population?side=provider')
    expect(record.data).toMatchObject({ side: 'provider', durationMs: 335 })
  })

  it('keeps a member that calls itself apart as two sources', () => {
    const self = {
      ...row,
      serviceMemberClass: 'ORG',
      serviceMemberCode: '1234567-8',
      serviceSubsystemCode: 'TEST',
    }
    expect(fromXroad(self).source).not.toBe(fromXroad({ ...self, securityServerType: 'Producer' }).source)
  })

  it('percent-encodes what would divide a name elsewhere', () => {
    const record = fromXroad({
      ...row,
      clientMemberCode: 'a/b?c#d (e)',
      serviceCode: 'get.all',
      serviceVersion: '1.0',
    })
    expect(record.data.consumer).toBe('xroad:DEV/ORG/a%2Fb%3Fc%23d%20%28e%29/TEST')
    expect(record.subject).toBe('xroad:DEV/GOV/8765432-1/Population/get%2Eall.1.0')
    expect(record.data.operation).toBe('get.all')
  })

  it('is known by its message where there is no request id', () => {
    const { xRequestId: _, ...older } = row
    expect(fromXroad(older).data.requestId).toBe('m-1')
    expect(fromXroad({ ...row, xRequestId: 'None' }).data.requestId).toBe('m-1')
  })

  it('has the same id however its values are spelt', () => {
    const texts = Object.fromEntries(Object.entries(row).map(([field, value]) => [field, String(value)]))
    const spelt = { ...texts, succeeded: 'True', faultCode: 'None', serviceType: null, insertTime: 1.5 }
    expect(fromXroad(spelt)).toEqual(fromXroad(row))
  })

  it('has another id as soon as any field says something else', () => {
    const ids = [row, { ...row, responseOutTs: row.responseOutTs + 1 }, { ...row, xRequestId: 'x-2' }].map(
      (each) => fromXroad(each).id,
    )
    expect(new Set(ids).size).toBe(3)
  })

  it('that failed gives its fault as the status and seals text and user', () => {
    const record = fromXroad({
      ...row,
      succeeded: false,
      faultCode: 'Server.ServerProxy.UnknownService',
      faultString: 'Unknown service',
      messageUserId: 'EE1234',
    })
    expect(record.data).toMatchObject({ outcome: 'failed', status: 'Server.ServerProxy.UnknownService' })
    const { record: sealed, vault } = sealRecord(record)
    expect(vault).toHaveLength(2)
    expect(canonicalText(sealed)).not.toMatch(/EE1234|Unknown service/)
  })

  it('gives the HTTP status where there is no fault', () => {
    expect(fromXroad({ ...row, statusCode: 200 }).data.status).toBe('200')
  })

  it('has no duration when the clock was set back', () => {
    expect(fromXroad({ ...row, responseOutTs: row.requestInTs - 1 }).data).not.toHaveProperty('durationMs')
  })

  it.each([
    ['securityServerType', 'Proxy', 'must be Client or Producer'],
    ['clientMemberCode', null, 'is missing'],
    ['serviceCode', 'None', 'is missing'],
    ['requestInTs', '12.5', 'must be a whole number of at least 0'],
    ['requestInTs', 1e15, 'is not a time in milliseconds since 1970'],
    ['succeeded', 'yes', 'must be true or false'],
    ['responseMimeSize', -1, 'must be a whole number of at least 0'],
    ['messageId', {}, 'must be a text'],
    ['xRequestId', 'x'.repeat(129), 'is longer than 128 characters in a record'],
    ['clientSubsystemCode', '\ud800', 'holds half of a surrogate pair'],
    ['serviceMemberCode', '汉'.repeat(40), 'is longer than 256 characters in a record'],
  ])('is refused by line and field when %s is %j', (field, value, reason) => {
    const error = fault(() => fromXroad({ ...row, [field]: value }, 7))
    expect(error.message).toBe(`the row in line 7: ${field} ${reason}`)
    expect(error).toMatchObject({ code: 'BAD_RECORD', place: { line: 7, pointer: `/${field}` } })
  })

  it('is refused when it is no object', () => {
    expect(fault(() => fromXroad([1])).message).toBe('the row: a row is a JSON object')
  })
})

describe('an X-Road file', () => {
  const rows = [{ a: 1 }, { b: '[{",\\"' }, [], 5]

  it('may be NDJSON with blank lines', () => {
    expect(parseXroad('{"a":1}\r\n\n{"b":2}\n')).toEqual([
      { line: 1, value: { a: 1 } },
      { line: 3, value: { b: 2 } },
    ])
  })

  it('may be a list, whose rows are found by the line they start on', () => {
    const text = `\n${JSON.stringify(rows, null, 2)}`
    const lines = text.split('\n')
    const found = parseXroad(text)
    expect(found.map(({ value }) => value)).toEqual(rows)
    expect(found.map(({ line }) => lines[line - 1])).toEqual(['  {', '  {', '  [],', '  5'])
  })

  it('may be the answer of a security server', () => {
    expect(parseXroad('{\n"nextRecordsFrom": 1,\n"records": [\n{"a":1},\n{"b":2}]}')).toEqual([
      { line: 4, value: { a: 1 } },
      { line: 5, value: { b: 2 } },
    ])
  })

  it('may be empty', () => {
    expect(parseXroad('')).toEqual([])
    expect(parseXroad('[]')).toEqual([])
  })

  it('is refused with the line that is not JSON', () => {
    const error = fault(() => parseXroad('{"a":1}\n{"b":\n'))
    expect(error).toMatchObject({ code: 'BAD_JSON', place: { line: 2 } })
  })
})

describe(`the published X-Road data${shared}`, () => {
  it.skipIf(absent)('of 2020 converts whole, every record under a name of its own', () => {
    const text = load('opmon-2020.ndjson')
    const records = convert(text)
    expect(records).toHaveLength(5230)
    for (const record of records) {
      expect(parseRecord(record)).toEqual(record)
      parseSealedRecord(sealRecord(record).record)
    }
    expect(new Set(records.map(name)).size).toBe(5230)
    expect(convert(text)).toEqual(records)
  })

  it.skipIf(absent)('of 2020 makes 2,615 pairs of a consumer and a provider that agree', () => {
    const byRequest = Map.groupBy(convert(load('opmon-2020.ndjson')), (record) =>
      String(record.data.requestId),
    )
    expect(byRequest.size).toBe(2615)
    for (const pair of byRequest.values()) {
      expect(pair.map(({ data }) => data.side).sort()).toEqual(['consumer', 'provider'])
      const [one, other] = pair
      expect(one?.source).not.toBe(other?.source)
      for (const member of [
        'consumer',
        'provider',
        'operation',
        'outcome',
        'requestBytes',
        'responseBytes',
      ]) {
        expect(one?.data[member]).toEqual(other?.data[member])
      }
      expect(one?.subject).toBe(other?.subject)
    }
  })

  it.skipIf(absent)('of 2023, all of it texts, converts whole', () => {
    const records = convert(load('opendata-2023-part.ndjson'))
    expect(records).toHaveLength(120)
    expect(new Set(records.map(name)).size).toBe(120)
    expect(records[0]?.data).toMatchObject({ requestBytes: 1086, durationMs: 275 })
    expect(records[1]?.data).toMatchObject({ side: 'provider', durationMs: 31 })
  })

  it.skipIf(absent)('of the reconciliation converts but for two requests that never named a party', () => {
    const rows = parseXroad(load('reconcile-raw-1.json'))
    const refused: string[] = []
    const records = rows.flatMap(({ line, value }) => {
      try {
        return [fromXroad(value, line)]
      } catch (error) {
        if (!(error instanceof InputError)) throw error
        refused.push(error.message)
        return []
      }
    })
    expect(new Set(records.map(name)).size).toBe(15)
    expect(refused).toEqual([
      expect.stringMatching(/^the row in line \d+: clientXRoadInstance is missing$/),
      expect.stringMatching(/^the row in line \d+: clientXRoadInstance is missing$/),
    ])
  })
})
