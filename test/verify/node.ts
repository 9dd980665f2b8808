import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { Interface } from 'ethers'
import type { Hex } from '../../src/bytes/hex.ts'
import { toQuantity } from '../../src/chain/answers.ts'
import { ledgerInterface } from '../../src/chain/ledger-abi.ts'
import { authorizationsInterface, registryInterface } from '../../src/chain/rights-abi.ts'
import type { BundleCase } from '../vectors/bad.ts'
import type { ChainData } from './chain.ts'

type Asked = { chain: ChainData } & Pick<BundleCase, 'rights' | 'publishers' | 'submission'>

const accountInterface = new Interface([
  'function isValidSignature(bytes32 hash, bytes signature) view returns (bytes4)',
])
const WORD = `0x${'00'.repeat(32)}`

/**
 * A node that answers JSON-RPC out of the data of a vector, over HTTP, to pages of any origin too; and the gateway that
 * a receipt is checked with.
 */
export async function startNode(asked: Asked): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer(async (request, response) => {
    response.setHeader('access-control-allow-origin', '*').setHeader('access-control-allow-headers', '*')
    if (request.method === 'OPTIONS') return response.end()
    response.setHeader('content-type', 'application/json')
    if (request.method === 'GET') return response.end(JSON.stringify(gatewayAnswer(asked, request.url ?? '')))
    const { id, method, params } = (await json(request)) as { id: unknown; method: string; params: unknown[] }
    response.end(JSON.stringify({ jsonrpc: '2.0', id, result: answer(asked, method, params) }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}

function answer({ chain, ...asked }: Asked, method: string, [first, second]: unknown[]): unknown {
  switch (method) {
    case 'eth_chainId':
      return toQuantity(BigInt(chain.chainId))
    case 'eth_blockNumber':
      return toQuantity(BigInt(chain.headBlock))
    case 'eth_getBlockByNumber':
      return blockOf(chain, ({ number }) => number === numberOf(chain, first))
    case 'eth_getBlockByHash':
      return blockOf(chain, ({ hash }) => hash === first)
    case 'eth_getTransactionReceipt':
      return receiptOf(chain, first)
    case 'eth_getLogs':
      return logsOf(chain, first as LogQuery)
    case 'eth_call':
      return call({ chain, ...asked }, first as { to: Hex; data: Hex })
    default:
      throw new Error(`no answer to ${method} ${String(second)}`)
  }
}

function numberOf(chain: ChainData, tag: unknown): string {
  if (tag === 'latest') return chain.headBlock
  return tag === 'finalized' ? chain.finalBlock : String(BigInt(String(tag)))
}

type BlockData = ChainData['blocks'][number]

function blockOf(chain: ChainData, isIt: (block: BlockData) => boolean): unknown {
  const block = chain.blocks.find(isIt)
  if (block === undefined) return null
  const { number, hash, timestamp, transactionHashes } = block
  return {
    number: toQuantity(BigInt(number)),
    hash,
    timestamp: toQuantity(BigInt(timestamp)),
    transactions: transactionHashes,
  }
}

type ReceiptData = ChainData['receipts'][number]

function receiptOf(chain: ChainData, hash: unknown): unknown {
  const receipt = chain.receipts.find(({ transactionHash }) => transactionHash === hash)
  if (receipt === undefined) return null
  const { transactionHash, blockNumber, blockHash, succeeded } = receipt
  return {
    transactionHash,
    blockNumber: toQuantity(BigInt(blockNumber)),
    blockHash,
    status: succeeded ? '0x1' : '0x0',
    logs: logsIn(receipt),
  }
}

const logsIn = ({ logs, blockNumber, blockHash, transactionHash }: ReceiptData) =>
  logs.map((log) => ({
    ...log,
    logIndex: toQuantity(BigInt(log.logIndex)),
    blockNumber: toQuantity(BigInt(blockNumber)),
    blockHash,
    transactionHash,
    transactionIndex: '0x0',
  }))

interface LogQuery {
  address: Hex
  topics: (Hex | Hex[] | null)[]
  fromBlock: Hex
  toBlock: Hex
}

const logsOf = ({ receipts }: ChainData, { address, topics, fromBlock, toBlock }: LogQuery) =>
  receipts
    .flatMap(logsIn)
    .filter((log) => log.address === address)
    .filter(
      ({ blockNumber }) => BigInt(blockNumber) >= BigInt(fromBlock) && BigInt(blockNumber) <= BigInt(toBlock),
    )
    .filter((log) =>
      topics.every((wanted, i) => wanted === null || [wanted].flat().includes(log.topics[i] ?? '0x')),
    )

/** What a contract answers at the head, `0x` where there is none. */
function call({ chain, rights, publishers = [] }: Asked, { to, data }: { to: Hex; data: Hex }): string {
  const roots = chain.ledgerRoots.filter(({ ledger }) => ledger === to)
  const head = roots.at(-1)
  if (head !== undefined) {
    return respond(ledgerInterface, data, {
      size: () => [head.size],
      root: () => [head.root],
      deploymentBlock: () => [0],
      publisher: (account) => [
        0,
        publishers.some((known) => known === String(account).toLowerCase()) ? 1 : 0,
      ],
    })
  }
  const registry = rights?.registries.find(({ authorizations }) => authorizations === to)?.registry
  if (registry !== undefined) {
    return respond(authorizationsInterface, data, {
      registry: () => [registry],
      revokedAt: (grant) => [rights?.revocations.find((known) => known.grant === grant)?.revokedAt ?? 0],
    })
  }
  const resources = rights?.resources.filter((known) => known.registry === to) ?? []
  if (resources.length > 0) {
    return respond(registryInterface, data, {
      deploymentBlock: () => [0],
      resource: (id) => [resources.find(({ resource }) => resource === id)?.version ?? 0, WORD, 1, 0, WORD],
    })
  }
  const signed = rights?.accounts.filter(({ account }) => account === to) ?? []
  if (signed.length === 0) return '0x'
  return respond(accountInterface, data, {
    isValidSignature: (hash, signature) => [
      signed.some((one) => one.digest === hash && one.signature === signature) ? '0x1626ba7e' : '0xffffffff',
    ],
  })
}

function respond(
  contract: Interface,
  data: Hex,
  answers: Record<string, (...args: unknown[]) => unknown[]>,
): string {
  const asked = contract.parseTransaction({ data })
  const say = answers[asked?.name ?? '']
  if (asked === null || say === undefined) throw new Error(`no answer to ${asked?.name ?? data}`)
  return contract.encodeFunctionResult(asked.name, say(...asked.args))
}

function gatewayAnswer({ chain, publishers = [], submission }: Asked, path: string): unknown {
  if (path.startsWith('/v1/submissions/proof')) return submission
  const { ledger, size } = chain.ledgerRoots.at(-1) ?? {}
  return { chainId: chain.chainId, ledger, publisher: publishers[0], size, lagging: false }
}
