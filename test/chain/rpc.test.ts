import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, test } from 'vitest'
import type { Hex } from '../../src/bytes/hex.ts'
import { chainFacts } from '../../src/chain/facts.ts'
import { createRpc, RpcRefusal } from '../../src/chain/rpc.ts'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

type Answer = (request: { id: number; method: string }, response: ServerResponse) => void

/** A node that says what it is told to. */
async function startNode(answer: Answer): Promise<string> {
  const server = createServer(async (request: IncomingMessage, response) => {
    answer(JSON.parse(await text(request)), response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `http://127.0.0.1:${address.port}`
}

const result =
  (value: unknown): Answer =>
  ({ id }, response) =>
    response.end(JSON.stringify({ jsonrpc: '2.0', id, result: value }))

const HASH: Hex = `0x${'ab'.repeat(32)}`

describe('a call', () => {
  test('gives the result', async () => {
    const rpc = createRpc(await startNode(result({ deep: ['0x1'] })))
    expect(await rpc.call('x', [])).toEqual({ deep: ['0x1'] })
  })

  test('sends the headers that it was given', async () => {
    const url = await startNode(({ id }, response) => {
      response.end(JSON.stringify({ jsonrpc: '2.0', id, result: response.req.headers.authorization }))
    })
    expect(await createRpc(url, { headers: { authorization: 'Bearer t' } }).call('x', [])).toBe('Bearer t')
  })

  test('to a dead node is RPC_UNREACHABLE, and names no secret of the URL', async () => {
    const url = await startNode(result(1))
    for (const close of closers.splice(0)) await close()
    const calling = createRpc(`${url}/v3/secret?key=secret`).call('x', [])
    await expect(calling).rejects.toMatchObject({ code: 'RPC_UNREACHABLE', retryable: true })
    await expect(calling).rejects.toThrow(/^(?!.*secret).*127\.0\.0\.1/)
  })

  test('to a silent node is RPC_UNREACHABLE after the time limit', async () => {
    const rpc = createRpc(await startNode(() => undefined), { timeoutMs: 50 })
    await expect(rpc.call('x', [])).rejects.toMatchObject({ code: 'RPC_UNREACHABLE' })
  })

  test.each([429, 500, 503])('answered with HTTP status %d is RPC_UNREACHABLE', async (status) => {
    const rpc = createRpc(await startNode((_, response) => response.writeHead(status).end('{}')))
    await expect(rpc.call('x', [])).rejects.toMatchObject({ code: 'RPC_UNREACHABLE' })
  })

  test('answered with HTTP status 401 is RPC_REFUSED', async () => {
    const rpc = createRpc(await startNode((_, response) => response.writeHead(401).end('who are you?')))
    await expect(rpc.call('x', [])).rejects.toMatchObject({
      code: 'RPC_REFUSED',
      rpcCode: 401,
      retryable: false,
    })
  })

  test("keeps the node's code, message and data of a refusal", async () => {
    const error = { code: 3, message: 'execution reverted', data: '0x01' }
    const url = await startNode(({ id }, response) =>
      response.end(JSON.stringify({ jsonrpc: '2.0', id, error })),
    )
    const failure = await createRpc(url)
      .call('x', [])
      .catch((cause: unknown) => cause)
    expect(failure).toBeInstanceOf(RpcRefusal)
    expect(failure).toMatchObject({
      code: 'RPC_REFUSED',
      rpcCode: 3,
      rpcMessage: 'execution reverted',
      data: '0x01',
    })
  })

  test('answered too largely is refused unread', async () => {
    const rpc = createRpc(await startNode(result('x'.repeat(5000))), { maxAnswerBytes: 1000 })
    await expect(rpc.call('x', [])).rejects.toMatchObject({ code: 'RPC_REFUSED', rpcCode: -32005 })
  })

  test.each([
    ['no JSON', () => '<html>'],
    ['no object', () => '7'],
    ['another id', () => JSON.stringify({ jsonrpc: '2.0', id: 99, result: 1 })],
    ['neither result nor error', (id: number) => JSON.stringify({ jsonrpc: '2.0', id })],
    ['an error without a code', (id: number) => JSON.stringify({ jsonrpc: '2.0', id, error: {} })],
  ])('answered with %s is RPC_MALFORMED', async (_, body) => {
    const rpc = createRpc(await startNode(({ id }, response) => response.end(body(id))))
    await expect(rpc.call('x', [])).rejects.toMatchObject({ code: 'RPC_MALFORMED' })
  })
})

describe('a node that lies', () => {
  const block = { number: '0x5', hash: HASH, timestamp: '0x1', transactions: [] }
  const receipt = { transactionHash: HASH, blockNumber: '0x1', blockHash: HASH, status: '0x1', logs: [] }
  const log = { address: `0x${'11'.repeat(20)}`, topics: [HASH], data: '0x', logIndex: '0x0' }

  const factsOf = async (value: unknown) =>
    chainFacts(createRpc(await startNode(result(value))), { finality: { kind: 'tag' } })

  test.each([
    ['a decimal number', { ...block, number: 5 }],
    ['another block', { ...block, number: '0x6' }],
    ['a short hash', { ...block, hash: '0xab' }],
    ['no transactions', { ...block, transactions: undefined }],
    ['a list', [block]],
  ])('with %s for a block is RPC_MALFORMED', async (_, value) => {
    const facts = await factsOf(value)
    await expect(facts.blockByNumber(5n)).rejects.toMatchObject({ code: 'RPC_MALFORMED' })
  })

  test.each([
    ["another transaction's receipt", { ...receipt, transactionHash: `0x${'00'.repeat(32)}` }],
    ['a status of 2', { ...receipt, status: '0x2' }],
    ['no logs', { ...receipt, logs: null }],
    ['an odd topic', { ...receipt, logs: [{ ...log, topics: ['0x1'] }] }],
    ['an endless index', { ...receipt, logs: [{ ...log, logIndex: `0x${'f'.repeat(20)}` }] }],
  ])('with %s is RPC_MALFORMED', async (_, value) => {
    const facts = await factsOf(value)
    await expect(facts.receipt(HASH)).rejects.toMatchObject({ code: 'RPC_MALFORMED' })
  })

  test('only in uppercase is understood', async () => {
    const facts = await factsOf({ ...block, hash: `0x${'AB'.repeat(32)}` })
    expect((await facts.blockByNumber(5n))?.hash).toBe(HASH)
  })

  test('by a final block that is null is NOT_FINAL', async () => {
    const facts = await factsOf(null)
    await expect(facts.finalBlock()).rejects.toMatchObject({ code: 'NOT_FINAL' })
  })
})
