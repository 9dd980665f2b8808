import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * How a node answers badly, `times` calls in a row.
 *
 * - `cut`: the connection breaks, before the node heard of the call or after it did it
 * - `delay`: the answer takes longer
 * - `duplicate`: the node hears every call twice, and the second answer counts
 * - `old`: a node that is `blocks` behind answers; `mixed`: only every other call, as behind a load balancer
 * - `refuse`: an internal error
 * - `swallow`: a broadcast is confirmed and forgotten
 */
export type RpcFault =
  | { kind: 'cut'; when: 'before' | 'after'; times: number }
  | { kind: 'delay'; delayMs: number; times: number }
  | { kind: 'duplicate'; times: number }
  | { kind: 'old'; blocks: number; mixed: boolean; times: number }
  | { kind: 'refuse'; times: number }
  | { kind: 'swallow'; times: number }

interface Call {
  id: unknown
  method: string
  params: unknown[]
}

/** Stands between a gateway and its node. */
export interface RpcProxy {
  url: string
  /** Replaces the fault before. */
  arm(fault: RpcFault | undefined): void
  /** calls that the faults hit */
  hits(): number
  /** Whether the fault has hit as often as it should. */
  isSpent(): boolean
  close(): Promise<void>
}

export async function startProxy(nodeUrl: string): Promise<RpcProxy> {
  let fault: RpcFault | undefined
  let left = 0
  let hits = 0
  let calls = 0

  const forward = async (call: Call): Promise<Record<string, unknown>> => {
    const response = await fetch(nodeUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', ...call }),
    })
    return Object(await response.json())
  }
  const ask = async (method: string, ...params: unknown[]) =>
    (await forward({ id: 0, method, params })).result

  /** As a node would answer whose head is `blocks` lower. */
  async function answerOld(call: Call, blocks: number): Promise<Record<string, unknown>> {
    const head = BigInt(String(await ask('eth_blockNumber'))) - BigInt(blocks)
    const at = `0x${head.toString(16)}`
    const answer = (result: unknown) => ({ jsonrpc: '2.0', id: call.id, result })
    const [first, second] = call.params
    switch (call.method) {
      case 'eth_blockNumber':
        return answer(at)
      case 'eth_getBlockByNumber':
        if (first === 'latest') return forward({ ...call, params: [at, second] })
        return BigInt(String(first)) > head ? answer(null) : forward(call)
      case 'eth_call':
      case 'eth_estimateGas':
      case 'eth_getTransactionCount':
        return second === 'latest' ? forward({ ...call, params: [first, at] }) : forward(call)
      case 'eth_getLogs': {
        const filter = Object(first)
        if (BigInt(filter.fromBlock) > head) return answer([])
        const toBlock = BigInt(filter.toBlock) > head ? at : filter.toBlock
        return forward({ ...call, params: [{ ...filter, toBlock }] })
      }
      default:
        return forward(call)
    }
  }

  /** Whether the fault is for this call. */
  function isHit(call: Call): boolean {
    if (fault === undefined || left === 0) return false
    if (fault.kind === 'swallow' && call.method !== 'eth_sendRawTransaction') return false
    if (fault.kind === 'old' && fault.mixed && calls % 2 === 0) return false
    left--
    hits++
    return true
  }

  /** @returns undefined when the connection is to break */
  async function answer(call: Call): Promise<Record<string, unknown> | undefined> {
    calls++
    if (fault === undefined || !isHit(call)) return forward(call)
    switch (fault.kind) {
      case 'cut':
        if (fault.when === 'after') await forward(call)
        return undefined
      case 'delay':
        await delay(fault.delayMs)
        return forward(call)
      case 'duplicate':
        await forward(call)
        return forward(call)
      case 'old':
        return answerOld(call, fault.blocks)
      case 'refuse':
        return { jsonrpc: '2.0', id: call.id, error: { code: -32603, message: 'internal error' } }
      case 'swallow': {
        const { keccak256 } = await import('ethers')
        return { jsonrpc: '2.0', id: call.id, result: keccak256(String(call.params[0])) }
      }
    }
  }

  const server: Server = createServer(async (request, response) => {
    try {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      const result = await answer(JSON.parse(Buffer.concat(chunks).toString('utf8')))
      if (result === undefined) return void request.socket.destroy()
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(result))
    } catch {
      // The gateway was killed, or the chain has ended: nobody waits for this answer.
      request.socket.destroy()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arm(next) {
      fault = next
      left = next?.times ?? 0
    },
    hits: () => hits,
    isSpent: () => left === 0,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
