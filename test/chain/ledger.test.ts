import { Interface, id } from 'ethers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { APPENDED_TOPIC, decodeAppended } from '../../src/batch/appended.ts'
import { hashHeader } from '../../src/batch/header.ts'
import { toHex } from '../../src/bytes/hex.ts'
import { isLedger } from '../../src/chain/deploy.ts'
import { chainFacts } from '../../src/chain/facts.ts'
import { createLedger } from '../../src/chain/ledger.ts'
import { ledgerInterface } from '../../src/chain/ledger-abi.ts'
import { type Rpc, RpcRefusal } from '../../src/chain/rpc.ts'
import { GrowingLog } from '../../src/merkle/index.ts'
import {
  allAppended,
  append,
  headNumber,
  loadArtifact,
  makeHeaders,
  PUBLISHER,
  startTestChain,
  type TestChain,
} from './fixture.ts'

const SIZE = 23
let chain: TestChain
let compiled: Interface
const log = new GrowingLog()
const headers = makeHeaders(0, SIZE)

beforeAll(async () => {
  chain = await startTestChain()
  compiled = new Interface((await loadArtifact()).abi)
  let from = 0
  for (const count of [1, 2, 5, 1, 1, 9, 4]) {
    await append(chain.rpc, chain.ledger, headers.slice(from, from + count))
    from += count
  }
  for (const header of headers) log.append(hashHeader(header))
})
afterAll(() => chain?.close())

/** The same node behind a gateway that answers for at most so many blocks. */
function limitRange(rpc: Rpc, maxBlocks: bigint, seen: bigint[] = []): Rpc {
  return {
    url: rpc.url,
    call: async (method, params) => {
      if (method === 'eth_getLogs') {
        const { fromBlock, toBlock } = params[0] as { fromBlock: string; toBlock: string } // our own request
        const blocks = BigInt(toBlock) - BigInt(fromBlock) + 1n
        if (blocks > maxBlocks) throw new RpcRefusal(method, -32000, 'block range is too wide')
        seen.push(blocks)
      }
      return rpc.call(method, params)
    },
  }
}

const facts = (rpc: Rpc) => chainFacts(rpc, { finality: { kind: 'depth', confirmations: 1 } })

describe('the contract', () => {
  test("has the event whose topic is ours, by ethers' id() of the compiled signature", () => {
    const event = compiled.getEvent('Appended')
    expect(id(event?.format() ?? '')).toBe(APPENDED_TOPIC)
  })

  test('has every function and error that this program knows', () => {
    ledgerInterface.forEachFunction((fragment) => {
      expect(
        compiled
          .getFunction(fragment.format())
          ?.format('full')
          .replaceAll(/struct |enum /g, ''),
      ).toBe(fragment.format('full'))
    })
    ledgerInterface.forEachError((fragment) => {
      expect(compiled.getError(fragment.format()), fragment.name).not.toBeNull()
    })
  })

  test('is told from an account and from another contract', async () => {
    expect(await isLedger(chain.rpc, chain.ledger)).toBe(true)
    expect(await isLedger(chain.rpc, PUBLISHER)).toBe(false)
    // The deterministic deployment proxy that local chains come with.
    expect(await isLedger(chain.rpc, '0x4e59b44847b379578588920ca78fbf26c0b4956c')).toBe(false)
  })
})

describe('typed reads', () => {
  test('give size, root, peaks, publisher and deployment block', async () => {
    const ledger = createLedger(chain.rpc, chain.ledger)
    expect(await ledger.size()).toBe(BigInt(SIZE))
    expect(await ledger.root()).toEqual(log.root())
    expect(await ledger.peaks()).toEqual(log.peaks())
    expect(await ledger.publisher(PUBLISHER)).toEqual({ nextSequence: BigInt(SIZE), status: 'active' })
    expect(await ledger.publisher(chain.ledger)).toEqual({ nextSequence: 0n, status: 'none' })
    expect(await ledger.deploymentBlock()).toBe(1n)
  })

  test('say that they could not, where no ledger is', async () => {
    const ledger = createLedger(chain.rpc, PUBLISHER)
    await expect(ledger.size()).rejects.toMatchObject({ name: 'OperationError', code: 'CHAIN_FAILED' })
  })
})

describe('the Appended events', () => {
  test('come in order and are what ethers decodes', async () => {
    const events = await allAppended(chain.rpc, chain.ledger, 0n, await headNumber(chain.rpc))
    expect(events.map(({ appended }) => appended.header)).toEqual(headers)
    expect(events.map(({ appended }) => appended.index)).toEqual(headers.map((_, i) => BigInt(i)))
    const verifier = facts(chain.rpc)
    for (const { appended, transactionHash, logIndex, blockHash, blockNumber } of events) {
      const receipt = await verifier.receipt(transactionHash)
      expect(receipt).toMatchObject({ blockHash, blockNumber, succeeded: true })
      const raw = receipt?.logs.find((entry) => entry.logIndex === logIndex)
      if (raw === undefined) throw new Error('the receipt lacks the log')
      expect(decodeAppended(raw.topics, raw.data)).toEqual(appended)
      const oracle = compiled.parseLog(raw)
      expect(oracle?.args.toArray(true)).toEqual([
        appended.index,
        expect.stringMatching(new RegExp(appended.header.publisher, 'i')),
        [
          expect.stringMatching(new RegExp(appended.header.publisher, 'i')),
          appended.header.sequence,
          toHex(appended.header.recordsRoot),
          BigInt(appended.header.recordCount),
          toHex(appended.header.indexRoot),
          BigInt(appended.header.indexSize),
          appended.header.firstTime,
          appended.header.lastTime,
        ],
        toHex(appended.node),
      ])
    }
  })

  test('come whole from a node that answers for three blocks at a time', async () => {
    const ranges: bigint[] = []
    const limited = limitRange(chain.rpc, 3n, ranges)
    const events = await allAppended(limited, chain.ledger, 0n, await headNumber(chain.rpc))
    expect(events).toHaveLength(SIZE)
    expect(ranges.length).toBeGreaterThan(2)
  })

  test('end in the refusal of a node that answers for no block at all', async () => {
    const reading = allAppended(limitRange(chain.rpc, 0n), chain.ledger, 0n, 5n)
    await expect(reading).rejects.toMatchObject({ code: 'RPC_REFUSED', rpcCode: -32000 })
  })
})

describe('the root of an earlier size', () => {
  test('is that of the log, at every size, also from a node with a narrow range', async () => {
    for (let size = 0; size <= SIZE; size++) {
      expect(await facts(chain.rpc).ledgerRoot(chain.ledger, BigInt(size)), `size ${size}`).toEqual(
        log.root(size),
      )
    }
    expect(await facts(limitRange(chain.rpc, 2n)).ledgerRoot(chain.ledger, 21n)).toEqual(log.root(21))
  })

  test('is undefined while the ledger is smaller', async () => {
    expect(await facts(chain.rpc).ledgerRoot(chain.ledger, BigInt(SIZE + 1))).toBeUndefined()
  })

  test('could not be told when the node withholds an event: never a wrong root', async () => {
    const withholding: Rpc = {
      url: chain.rpc.url,
      call: async (method, params) => {
        const answer = await chain.rpc.call(method, params)
        return method === 'eth_getLogs' && Array.isArray(answer) ? answer.slice(1) : answer
      },
    }
    await expect(facts(withholding).ledgerRoot(chain.ledger, 7n)).rejects.toMatchObject({
      name: 'OperationError',
    })
  })
})

describe('a block', () => {
  test('is the same by number and by hash, and undefined beyond the head', async () => {
    const verifier = facts(chain.rpc)
    const block = await verifier.blockByNumber(2n)
    expect(block?.number).toBe(2n)
    expect(block?.transactionHashes).toHaveLength(1)
    expect(await verifier.blockByHash(block?.hash ?? '0x')).toEqual(block)
    expect(await verifier.blockByNumber(1_000_000n)).toBeUndefined()
    expect(await verifier.receipt(`0x${'00'.repeat(32)}`)).toBeUndefined()
    expect(await verifier.chainId()).toBe(31337n)
  })

  test('is final by depth, by tag or by what is durable', async () => {
    const head = await headNumber(chain.rpc)
    const final = (confirmations: number) =>
      chainFacts(chain.rpc, { finality: { kind: 'depth', confirmations } }).finalBlock()
    expect(await final(1)).toBe(head)
    expect(await final(3)).toBe(head - 2n)
    expect(await final(1000)).toBe(0n)
    expect(await chainFacts(chain.rpc, { finality: { kind: 'tag' } }).finalBlock()).toBe(head)
    const durableBlock = () => 4n
    expect(await chainFacts(chain.rpc, { finality: { kind: 'durable', durableBlock } }).finalBlock()).toBe(4n)
  })
})
