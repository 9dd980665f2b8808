import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, rmdir, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type EmbeddedChain, startEmbeddedChain } from '../../src/chain/embedded.ts'
import { createLedger } from '../../src/chain/ledger.ts'
import { createRpc, type Rpc } from '../../src/chain/rpc.ts'
import { broadcast, fetchNonce, signTransaction } from '../../src/chain/send.ts'
import {
  allAppended,
  append,
  deployTestLedger,
  headNumber,
  isAlive,
  makeHeaders,
  makeTemporaryDirectory,
  PUBLISHER,
  publisherWallet,
  until,
} from './fixture.ts'

let directory: Awaited<ReturnType<typeof makeTemporaryDirectory>>
let stateFile: string
const closers: (() => unknown)[] = []

beforeEach(async () => {
  directory = await makeTemporaryDirectory()
  stateFile = join(directory.path, 'chain', 'state.json.gz')
})
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
  await directory.remove()
})

async function start(port = 0): Promise<EmbeddedChain> {
  const chain = await startEmbeddedChain({ stateFile, port })
  closers.push(() => chain.stop())
  return chain
}

/** A process of our own that hosts a chain, to be killed. */
async function startHost(): Promise<{
  rpc: Rpc
  chainPid: number
  durableBlock: () => Promise<bigint>
  kill: () => Promise<void>
}> {
  const script = fileURLToPath(new URL('./embedded-host.ts', import.meta.url))
  const host: ChildProcessByStdio<Writable, Readable, null> = spawn(process.execPath, [script, stateFile], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exited = once(host, 'exit')
  const kill = async () => {
    host.kill('SIGKILL')
    await exited
  }
  closers.push(kill)
  const lines = createInterface({ input: host.stdout })[Symbol.asyncIterator]()
  const readLine = async () => {
    const line = await lines.next()
    if (line.done) throw new Error('the host has ended')
    return line.value
  }
  const { url, pid } = JSON.parse(await readLine())
  const durableBlock = async () => {
    host.stdin.write('?\n')
    return BigInt(await readLine())
  }
  return { rpc: createRpc(url), chainPid: pid, durableBlock, kill }
}

/** Everything that must survive: blocks with transactions, receipts with logs. */
async function describeChain(rpc: Rpc, head: bigint): Promise<unknown> {
  const blocks = []
  for (let number = 0n; number <= head; number++) {
    const block = await rpc.call('eth_getBlockByNumber', [`0x${number.toString(16)}`, true])
    const receipts = await rpc.call('eth_getBlockReceipts', [`0x${number.toString(16)}`])
    blocks.push({ block, receipts })
  }
  const logs = await rpc.call('eth_getLogs', [{ fromBlock: '0x0', toBlock: `0x${head.toString(16)}` }])
  return { blocks, logs }
}

describe('the embedded chain', () => {
  test('keeps every durable block, receipt and log when its process is killed, and goes on', async () => {
    const host = await startHost()
    const ledger = await deployTestLedger(host.rpc)
    await append(host.rpc, ledger, makeHeaders(0, 3))
    await append(host.rpc, ledger, makeHeaders(3, 4))
    const head = await headNumber(host.rpc)
    await until(async () => (await host.durableBlock()) >= head)
    const before = await describeChain(host.rpc, head)
    await host.kill()

    const { rpc, durableBlock } = await start()
    expect(durableBlock()).toBe(head)
    expect(await describeChain(rpc, head)).toEqual(before)
    expect(await createLedger(rpc, ledger).size()).toBe(4n)
    await append(rpc, ledger, makeHeaders(4, 6))
    expect(await allAppended(rpc, ledger, 0n, await headNumber(rpc))).toHaveLength(6)
  })

  test('ends when its owner is killed', async () => {
    const host = await startHost()
    expect(isAlive(host.chainPid)).toBe(true)
    await host.kill()
    await until(() => !isAlive(host.chainPid))
  })

  test('saves its last blocks when it is stopped, twice if need be', async () => {
    const chain = await startEmbeddedChain({ stateFile, port: 0 })
    const ledger = await deployTestLedger(chain.rpc)
    await append(chain.rpc, ledger, makeHeaders(0, 2))
    await Promise.all([chain.stop(), chain.stop()])
    expect(isAlive(chain.pid)).toBe(false)
    expect(await chain.exited).toMatchObject({ expected: true })
    expect(await readdir(dirname(stateFile))).toEqual(['state.json.gz'])
    const { rpc } = await start()
    expect(await createLedger(rpc, ledger).size()).toBe(2n)
  })

  test('tells when it ended by itself', async () => {
    const chain = await start()
    process.kill(chain.pid, 'SIGKILL')
    expect(await chain.exited).toMatchObject({ expected: false })
  })

  test('saves whole dumps while blocks follow each other without a pause', async () => {
    const chain = await start()
    let sending = true
    const sent = (async () => {
      for (let nonce = await fetchNonce(chain.rpc, PUBLISHER); sending; nonce++) {
        const signed = await signTransaction(publisherWallet, {
          chainId: 31337n,
          nonce,
          to: PUBLISHER,
          data: '0x',
          gasLimit: 21_000n,
          maxFeePerGas: 10n ** 10n,
          maxPriorityFeePerGas: 1n,
        })
        await broadcast(chain.rpc, signed)
      }
    })()
    for (let dumps = 0; dumps < 5; dumps++) {
      const saved = chain.durableBlock()
      await until(() => chain.durableBlock() > saved)
      const dump = JSON.parse(gunzipSync(await readFile(stateFile)).toString('utf8'))
      const nonce = Number(dump.accounts[PUBLISHER].nonce)
      expect({ transactions: dump.transactions.length, blocks: dump.blocks.length }).toEqual({
        transactions: nonce,
        blocks: Number(dump.best_block_number) + 1,
      })
    }
    expect(chain.saveFailure()).toBeUndefined()
    sending = false
    await sent
  })

  test('says what is wrong while it cannot save, and saves when it can again', async () => {
    const chain = await start()
    // Nothing can be written where a directory is.
    await mkdir(`${stateFile}.tmp`)
    await chain.rpc.call('evm_mine', [])
    await until(() => chain.saveFailure() !== undefined)
    expect(chain.saveFailure()).toMatchObject({
      code: 'STORE_FAILED',
      message: expect.stringContaining(stateFile),
    })
    expect(chain.durableBlock()).toBe(0n)
    await rmdir(`${stateFile}.tmp`)
    await until(() => chain.durableBlock() === 1n)
    expect(chain.saveFailure()).toBeUndefined()
  })
})

describe('starting the embedded chain', () => {
  test('on a port in use is PORT_IN_USE naming the port', async () => {
    const port = Number(new URL((await start()).url).port)
    stateFile = join(directory.path, 'other.json.gz')
    await expect(start(port)).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining(`${port}`),
    })
  })

  test.each([
    ['cut off', async (file: string) => truncate(file, 500)],
    ['empty', async (file: string) => truncate(file, 0)],
    ['overwritten', async (file: string) => writeFile(file, 'not at all a chain')],
    ['gzipped nonsense', async (file: string) => writeFile(file, gzipSync('{"blocks":'))],
    ['gzipped JSON of something else', async (file: string) => writeFile(file, gzipSync('{"blocks":7}'))],
  ])('from a state file that is %s is STORE_DAMAGED naming the file', async (_, damage) => {
    const chain = await startEmbeddedChain({ stateFile, port: 0 })
    await chain.stop()
    await damage(stateFile)
    await expect(start()).rejects.toMatchObject({
      code: 'STORE_DAMAGED',
      retryable: false,
      message: expect.stringContaining(stateFile),
    })
  })

  test('where no directory can be made is STORE_FAILED', async () => {
    await writeFile(join(directory.path, 'chain'), 'a file')
    await expect(start()).rejects.toMatchObject({ code: 'STORE_FAILED' })
  })
})
