import { request } from 'node:http'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exchange } from '../api/world.ts'
import { PATHS, startWeb, type Web } from './harness.ts'

let web: Web
beforeAll(async () => {
  web = await startWeb()
})
afterAll(() => web?.close())

const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  exchange(web.url, method, path, { headers })
const policyOf = async (path: string) => (await ask(path)).headers['content-security-policy']

/** Of the script that the page begins with. */
async function scriptPath(): Promise<string> {
  const [, path = ''] = /src="[.]?(\/assets\/[^"]+[.]js)"/.exec((await ask('/')).text) ?? []
  return path
}

test('every page of the console comes under the same strict policy, and is asked for again', async () => {
  for (const path of PATHS) {
    const { status, headers } = await ask(path)
    expect([status, headers['content-type'], headers['cache-control']]).toEqual([
      200,
      'text/html; charset=utf-8',
      'no-cache',
    ])
    expect(headers['content-security-policy']).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    )
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(headers['referrer-policy']).toBe('no-referrer')
  }
})

test('the verifier brings its policy along, and is framed by nobody', async () => {
  expect(await policyOf('/verify')).toBe("frame-ancestors 'none'")
  expect((await ask('/verify')).text).toMatch(
    /<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'sha256-/,
  )
})

test('nothing that the API answers can be run or framed, a problem no more than an answer', async () => {
  for (const path of ['/v1/ledger', '/v1/records', '/healthz', '/metrics', '/openapi.json', '/nowhere']) {
    const { headers } = await ask(path)
    expect(headers['content-security-policy'], path).toBe("default-src 'none'; frame-ancestors 'none'")
    expect(headers['x-content-type-options'], path).toBe('nosniff')
  }
})

test('a page and its script come in the form that the browser takes, and are the same in each', async () => {
  for (const path of ['/', '/verify', await scriptPath()]) {
    const plain = await fetchBytes(path, 'identity')
    const brotli = await fetchBytes(path, 'gzip, deflate, br, zstd')
    const gzip = await fetchBytes(path, 'gzip;q=0.5')
    expect([plain.encoding, brotli.encoding, gzip.encoding]).toEqual([null, 'br', 'gzip'])
    expect(brotliDecompressSync(brotli.bytes).equals(plain.bytes)).toBe(true)
    expect(gunzipSync(gzip.bytes).equals(plain.bytes)).toBe(true)
    expect(brotli.bytes.length).toBeLessThan(plain.bytes.length)
    expect(new Set([plain, brotli, gzip].map(({ vary }) => vary))).toEqual(new Set(['Accept-Encoding']))
    expect(new Set([plain, brotli, gzip].map(({ etag }) => etag)).size).toBe(3)
  }
})

/** The bytes as they come: the client of the browser's kind would unpack them. */
async function fetchBytes(path: string, accepted: string) {
  return new Promise<{ bytes: Buffer; encoding: string | null; vary?: string; etag?: string }>(
    (resolve, reject) => {
      const asked = request(
        new URL(path, web.url),
        { headers: { 'accept-encoding': accepted }, agent: false },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('end', () => {
            const { vary, etag } = response.headers
            resolve({
              bytes: Buffer.concat(chunks),
              encoding: response.headers['content-encoding'] ?? null,
              ...(vary !== undefined && { vary }),
              ...(etag !== undefined && { etag }),
            })
          })
        },
      )
      asked.on('error', reject).end()
    },
  )
}

test('a script is kept for good, known by its ETag, and answered to HEAD without a body', async () => {
  const path = await scriptPath()
  const { headers } = await ask(path)
  expect(headers['content-type']).toBe('text/javascript; charset=utf-8')
  expect(headers['cache-control']).toBe('public, max-age=31536000, immutable')
  expect(await ask(path, { 'if-none-match': headers.etag ?? '' })).toMatchObject({ status: 304, text: '' })
  for (const one of ['/', path]) {
    const full = await ask(one)
    const head = await ask(one, {}, 'HEAD')
    expect([head.status, head.text]).toEqual([200, ''])
    expect(head.headers['content-length']).toBe(full.headers['content-length'])
  }
})

test.each(['/assets/none.js', '/assets/..%2Findex.html', '/assets/%2e%2e/index.html', '/assets/', '/assets'])(
  '%s is nothing',
  async (path) => {
    const { status, text } = await ask(path)
    expect([status, JSON.parse(text).code]).toEqual([404, 'NOT_FOUND'])
  },
)

test('the first load takes less than 300 kB over the wire', async () => {
  const { page, complaints, close } = await web.open('/verify')
  const sizes: Promise<number>[] = []
  page.on('requestfinished', (request) => {
    sizes.push(request.sizes().then((size) => size.responseHeadersSize + size.responseBodySize))
  })
  await page.goto(web.url)
  await page.getByText('Live', { exact: true }).waitFor()
  await page.waitForLoadState('load')
  const all = await Promise.all(sizes)
  expect(all.length).toBeGreaterThan(3)
  const total = all.reduce((sum, size) => sum + size, 0)
  expect(total).toBeGreaterThan(5_000)
  expect(total).toBeLessThan(300_000)
  expect(complaints).toEqual([])
  await close()
})
