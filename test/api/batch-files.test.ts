import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Sources } from '../../src/store/sources.ts'
import { eventually } from '../store/temporary.ts'
import { callOf, exchange, NDJSON, ndjson, startTestSystem, type TestSystem } from './world.ts'

const FILES = ['header.json', 'submissions.json', 'records.ndjson.zst', 'tree.bin', 'index.bin']

let open: TestSystem
let guarded: TestSystem
let closed: TestSystem

beforeAll(async () => {
  open = await startTestSystem({ batchFiles: 'public' })
  guarded = await startTestSystem({ batchFiles: 'token' })
  closed = await startTestSystem({ batchFiles: 'none' })
  for (const { system } of [open, guarded]) {
    const body = ndjson(callOf('urn:a', '1'), callOf('urn:a', '2'))
    await exchange(system.url, 'POST', '/v1/submissions', { headers: NDJSON, body })
    await eventually(async () => {
      const { text } = await exchange(system.url, 'GET', '/v1/batches')
      return JSON.parse(text).batches.length === 1 || undefined
    })
  }
})
afterAll(() => Promise.all([open, guarded, closed].map((world) => world.close())))

const pathOf = ({ system }: TestSystem, file: string) => `/v1/batches/${system.publisher}/0/${file}`
const ask = (world: TestSystem, file: string, headers: Record<string, string> = {}, method = 'GET') =>
  exchange(world.system.url, method, pathOf(world, file), { headers })
const onDisk = (world: TestSystem, file: string) =>
  readFile(join(world.dataPath, 'batches', world.system.publisher, '000000000000', file))

describe('the files of a batch', () => {
  test.each(FILES)('%s comes as it is on disk, and may be kept for ever', async (file) => {
    const response = await fetch(open.system.url + pathOf(open, file))
    const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
    expect(digest(await response.bytes())).toBe(digest(await onDisk(open, file)))
    expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(response.headers.get('etag'), 'strong').toMatch(/^"[0-9a-f]+-[0-9a-f]+"$/)
    const again = await ask(open, file, { 'if-none-match': response.headers.get('etag') ?? '' })
    expect([again.status, again.text]).toEqual([304, ''])
  })

  test('come in ranges, of one and the same file', async () => {
    const whole = await onDisk(open, 'header.json')
    const { status, text, headers } = await ask(open, 'header.json', { range: 'bytes=2-9' })
    expect([status, text]).toEqual([206, whole.subarray(2, 10).toString()])
    expect(headers['content-range']).toBe(`bytes 2-9/${whole.length}`)
    const other = await ask(open, 'header.json', { range: 'bytes=2-9', 'if-range': '"another"' })
    expect([other.status, other.text]).toEqual([200, whole.toString()])
    const rest = await ask(open, 'header.json', { range: 'bytes=2-9', 'if-range': headers.etag ?? '' })
    expect(rest.status).toBe(206)
  })

  test('are described without being sent', async () => {
    const { status, text, headers } = await ask(open, 'index.bin', {}, 'HEAD')
    expect([status, text, headers['content-length']]).toEqual([
      200,
      '',
      String((await onDisk(open, 'index.bin')).length),
    ])
  })

  test('that are asked for wrongly are a problem that nobody keeps', async () => {
    for (const [headers, status] of [
      [{ range: 'bytes=9999999-' }, 416],
      [{ 'if-match': '"another"' }, 412],
    ] as const) {
      const answer = await ask(open, 'header.json', headers)
      expect(answer.status).toBe(status)
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
      expect(answer.headers['cache-control']).toBeUndefined()
      expect(answer.headers.etag, 'not that of the file').not.toMatch(/^"/)
    }
  })

  test.each([
    'vault.ndjson.zst',
    'VAULT.NDJSON.ZST',
    'header.json%00',
    '..%2fheader.json',
    '%2e%2e%2f000000000000%2fvault.ndjson.zst',
    '../0/vault.ndjson.zst',
    '.',
  ])('never include %j', async (file) => {
    expect((await ask(open, file)).status).toBe(404)
  })

  test.each([
    ['..', '0'],
    ['%2e%2e%2fbatches', '0'],
    [`0x${'00'.repeat(20)}`, '0'],
    ['PUBLISHER', '00'],
    ['PUBLISHER', '000000000000'],
    ['PUBLISHER', '-1'],
    ['PUBLISHER', '18446744073709551616'],
    ['PUBLISHER', '7'],
    ['PUBLISHER', '..%2f..'],
  ])('lie nowhere else: %s/%s', async (publisher, sequence) => {
    const place = `/v1/batches/${publisher.replace('PUBLISHER', open.system.publisher)}/${sequence}/header.json`
    expect((await exchange(open.system.url, 'GET', place)).status).toBe(404)
  })

  test("are for whoever has a reader's token, where one is asked for", async () => {
    const database = new DatabaseSync(join(guarded.dataPath, 'catalogue.sqlite'))
    const sources = new Sources(database)
    const { id } = sources.addToken('of-a-reader', { role: 'reader' }, '', 1)
    sources.addToken('of-a-source', { role: 'source', source: 'urn:x' }, '', 1)
    const statusWith = async (token: string) =>
      (await ask(guarded, 'tree.bin', { authorization: `Bearer ${token}` })).status
    const none = await ask(guarded, 'tree.bin')
    expect([none.status, none.headers['www-authenticate']]).toEqual([401, 'Bearer'])
    expect(await statusWith('of-a-source')).toBe(403)
    expect(await statusWith('of-nobody')).toBe(401)
    sources.addToken('of-an-auditor', { role: 'auditor' }, '', 1)
    expect(await statusWith('of-an-auditor')).toBe(200)
    const answer = await ask(guarded, 'tree.bin', { authorization: 'Bearer of-a-reader' })
    expect([answer.status, answer.headers['cache-control']]).toEqual([
      200,
      'private, max-age=31536000, immutable',
    ])
    // It speaks for no source.
    const body = ndjson(callOf('urn:b', '1'))
    const headers = { ...NDJSON, authorization: 'Bearer of-a-reader' }
    expect((await exchange(guarded.system.url, 'POST', '/v1/submissions', { headers, body })).status).toBe(
      403,
    )
    sources.revokeToken(id, 2)
    expect(await statusWith('of-a-reader')).toBe(401)
    database.close()
  })

  test('are for nobody, where that is said', async () => {
    expect((await ask(closed, 'tree.bin')).status).toBe(403)
  })
})
