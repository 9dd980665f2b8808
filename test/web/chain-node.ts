import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { AbiCoder, id } from 'ethers'
import type { Hex } from '../../src/bytes/hex.ts'
import type { RightsData } from '../verify/authorized-world.ts'
import type { ChainData } from '../verify/chain.ts'

/** What a node of a chain knows, as the vectors have it. */
export interface NodeData {
  chain: ChainData
  rights?: RightsData
  publishers?: Hex[]
}

const REVERTED = { code: 3, message: 'execution reverted' }
const ZEROS: Hex = `0x${'00'.repeat(32)}`

/** A node of each chain, by the path of its address; it allows every page to ask. */
export async function startNodes(chains: Readonly<Record<string, NodeData>>) {
  const server: Server = createServer(async (request, response) => {
    response.setHeader('access-control-allow-origin', '*')
    response.setHeader('access-control-allow-headers', '*')
    response.setHeader('access-control-max-age', '600')
    const data = chains[decodeURIComponent(request.url ?? '').slice(1)]
    if (request.method !== 'POST' || data === undefined) return void response.end()
    const {
      id: call,
      method,
      params,
    } = (await json(request)) as {
      id: number
      method: string
      params: unknown[]
    }
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ jsonrpc: '2.0', id: call, ...answer(data, method, params) }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    urlOf: (name: string) => `http://127.0.0.1:${port}/${encodeURIComponent(name)}`,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const quantity = (value: bigint | number | string): Hex => `0x${BigInt(value).toString(16)}`

function answer(data: NodeData, method: string, [first, second]: unknown[]): object {
  const { chain } = data
  const found = (value: unknown) => ({ result: value ?? null })
  switch (method) {
    case 'eth_chainId':
      return found(quantity(chain.chainId))
    case 'eth_blockNumber':
      return found(quantity(chain.headBlock))
    case 'eth_getBlockByNumber': {
      const named = { finalized: chain.finalBlock, latest: chain.headBlock }[String(first)]
      return found(blockOf(chain, ({ number }) => number === (named ?? String(BigInt(String(first))))))
    }
    case 'eth_getBlockByHash':
      return found(blockOf(chain, ({ hash }) => hash === first))
    case 'eth_getTransactionReceipt':
      return found(receiptOf(chain, String(first)))
    case 'eth_getLogs':
      return found(logsOf(chain, first as Filter))
    case 'eth_call':
      return callOf(data, first as { to: Hex; data: Hex }, second)
    default:
      throw new Error(`no answer to ${method}`)
  }
}

function blockOf(chain: ChainData, is: (block: ChainData['blocks'][number]) => boolean) {
  const block = chain.blocks.find(is)
  return (
    block && {
      number: quantity(block.number),
      hash: block.hash,
      timestamp: quantity(block.timestamp),
      transactions: block.transactionHashes,
    }
  )
}

function receiptOf(chain: ChainData, transactionHash: string) {
  const receipt = chain.receipts.find((one) => one.transactionHash === transactionHash)
  return (
    receipt && {
      transactionHash,
      blockNumber: quantity(receipt.blockNumber),
      blockHash: receipt.blockHash,
      status: quantity(receipt.succeeded ? 1 : 0),
      logs: receipt.logs.map((log) => ({ ...log, logIndex: quantity(log.logIndex) })),
    }
  )
}

interface Filter {
  address: Hex
  topics: (Hex | Hex[] | null)[]
}

const logsOf = (chain: ChainData, { address, topics }: Filter) =>
  chain.receipts.flatMap(({ transactionHash, blockNumber, blockHash, logs }) =>
    logs
      .filter((log) => log.address === address && topics.every((wanted, i) => matches(wanted, log.topics[i])))
      .map((log) => ({
        ...log,
        logIndex: quantity(log.logIndex),
        transactionHash,
        transactionIndex: '0x0',
        blockNumber: quantity(blockNumber),
        blockHash,
      })),
  )

const matches = (wanted: Hex | Hex[] | null, topic: Hex | undefined) =>
  wanted === null || (topic !== undefined && [wanted].flat().includes(topic))

/** What the contracts answer, by ethers. */
function callOf(
  { chain, rights, publishers = [] }: NodeData,
  call: { to: Hex; data: Hex },
  at: unknown,
): object {
  const { to, data } = call
  const final = chain.blocks.find(({ number }) => number === chain.finalBlock)?.hash
  const head = chain.ledgerRoots.findLast(({ ledger }) => ledger === to)
  const asked = (signature: string) => data.startsWith(id(signature).slice(0, 10))
  const word = (n: number): Hex => `0x${data.slice(10 + 64 * n, 74 + 64 * n)}`
  const address = (n: number): Hex => `0x${word(n).slice(26)}`
  const words = (types: string[], values: unknown[]) => ({
    result: AbiCoder.defaultAbiCoder().encode(types, values),
  })
  if (asked('deploymentBlock()')) return words(['uint64'], [0])
  if (head !== undefined) {
    if (asked('size()')) return words(['uint64'], [head.size])
    if (asked('root()')) return words(['bytes32'], [head.root])
    if (asked('publisher(address)'))
      return words(['uint64', 'uint8'], [0, publishers.includes(address(0)) ? 1 : 0])
  }
  if (Object(at).blockHash !== final) return { error: { code: -32_000, message: 'the state is gone' } }
  const registry = rights?.registries.find(({ authorizations }) => authorizations === to)
  if (registry !== undefined) {
    if (asked('registry()')) return words(['address'], [registry.registry])
    const revoked = rights?.revocations.find(({ grant }) => grant === word(0))
    if (asked('revokedAt(bytes32)')) return words(['uint64'], [revoked?.revokedAt ?? 0])
  }
  if (asked('resource(bytes32)')) {
    const entry = rights?.resources.find(({ registry, resource }) => registry === to && resource === word(0))
    return words(
      ['uint32', 'bytes32', 'uint8', 'uint8', 'bytes32'],
      [entry?.version ?? 0, ZEROS, 2, 3, ZEROS],
    )
  }
  if (asked('isValidSignature(bytes32,bytes)')) {
    const known = rights?.accounts.find(({ account, digest }) => account === to && digest === word(0))
    const size = Number(BigInt(word(2)))
    const signed = known?.signature === `0x${data.slice(10 + 3 * 64, 10 + 3 * 64 + 2 * size)}`
    return signed
      ? words(['bytes4'], ['0x1626ba7e'])
      : known === undefined
        ? { result: '0x' }
        : { error: REVERTED }
  }
  return { result: '0x' }
}
