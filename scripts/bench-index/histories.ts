import type { Hex } from '../../src/bytes/hex.ts'
import { chainFacts } from '../../src/chain/facts.ts'
import { createRpc } from '../../src/chain/rpc.ts'
import { verifyHistory } from '../../src/verify/index.ts'

export interface HistoryFigures {
  /** milliseconds to the whole body */
  ms: number
  bytes: number
  records: number
  /** milliseconds to parse and verify it */
  verifyMs: number
}

/** Fetches the history of a person over all batches, and verifies it. */
export async function askHistory(
  api: string,
  person: string,
  chain: { url: string; ledger: Hex },
): Promise<HistoryFigures> {
  const startedAt = performance.now()
  const text = await (await fetch(new URL(`/v1/histories?${new URLSearchParams({ person })}`, api))).text()
  const ms = performance.now() - startedAt
  const facts = chainFacts(createRpc(chain.url), { finality: { kind: 'depth', confirmations: 1 } })
  const verifyingAt = performance.now()
  const { records } = await verifyHistory(JSON.parse(text), facts, { ledger: chain.ledger })
  const verifyMs = performance.now() - verifyingAt
  return { ms, bytes: Buffer.byteLength(text), records: records.length, verifyMs }
}
