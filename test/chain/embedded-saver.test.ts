import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createSaver } from '../../src/chain/embedded-saver.ts'
import { createRpc } from '../../src/chain/rpc.ts'
import {
  headNumber,
  makeTemporaryDirectory,
  PUBLISHER,
  startUnsavedTestChain,
  type TestChain,
} from './fixture.ts'

let chain: TestChain
let directory: Awaited<ReturnType<typeof makeTemporaryDirectory>>
let stateFile: string
let close: () => Promise<void> = async () => undefined

beforeEach(async () => {
  chain = await startUnsavedTestChain()
  directory = await makeTemporaryDirectory()
  stateFile = join(directory.path, 'state.json.gz')
})
afterEach(async () => {
  await close()
  await chain.close()
  await directory.remove()
})

/** The same chain behind a proxy that may change what is answered. */
async function startProxy(change: (method: string, answer: string) => Promise<string>) {
  const server = createServer(async (request, response) => {
    const body = await text(request)
    const answer = await fetch(chain.rpc.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    response.end(await change(JSON.parse(body).method, await answer.text()))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  close = async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return createRpc(`http://127.0.0.1:${address.port}`)
}

const savedHead = async () =>
  BigInt(JSON.parse(gunzipSync(await readFile(stateFile)).toString('utf8')).best_block_number)

test('blockDuringDump: a dump that a block overtook is thrown away', async () => {
  const blocks = [1, 1]
  const rpc = await startProxy(async (method, answer) => {
    if (method === 'anvil_dumpState' && blocks.pop() !== undefined) await chain.rpc.call('evm_mine', [])
    return answer
  })
  const saver = createSaver(rpc, stateFile)
  await saver.save()
  const head = await headNumber(chain.rpc)
  expect(blocks).toEqual([])
  expect(saver.savedBlock()).toBe(head)
  expect(await savedHead()).toBe(head)
  expect(await chain.rpc.call('anvil_getAutomine', [])).toBe(true)
})

test('blockHalfDone: a dump is thrown away while the state counts a transaction that still waits', async () => {
  let dumps = 0
  let halfDone = 2
  const rpc = await startProxy(async (method, answer) => {
    if (method === 'anvil_dumpState') dumps++
    if (method !== 'txpool_inspect' || halfDone-- <= 0) return answer
    return JSON.stringify({
      ...JSON.parse(answer),
      // What the account that made the ledger sent before.
      result: {
        pending: { '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266': { '0': 'x' }, [PUBLISHER]: { '0': 'x' } },
      },
    })
  })
  const saver = createSaver(rpc, stateFile)
  await saver.save()
  expect(dumps).toBe(3)
  expect(await savedHead()).toBe(saver.savedBlock())
})

test.each([
  ['cut off', (answer: string) => answer.slice(0, -100)],
  ['a refusal', () => '{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"no"}}'],
  ['not hexadecimal', (answer: string) => answer.replace(/"0x..../, '"0x1f8bzz')],
])('a dump that is %s is RPC_MALFORMED, and the saved state stays', async (_, change) => {
  let broken = false
  const rpc = await startProxy(async (method, answer) => {
    return broken && method === 'anvil_dumpState' ? change(answer) : answer
  })
  const saver = createSaver(rpc, stateFile)
  await saver.save()
  const saved = await savedHead()
  await chain.rpc.call('evm_mine', [])
  broken = true
  await expect(saver.save()).rejects.toMatchObject({ code: 'RPC_MALFORMED' })
  expect(await savedHead()).toBe(saved)
  broken = false
  await saver.save()
  expect(await savedHead()).toBe(saved + 1n)
})
