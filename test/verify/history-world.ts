import { hashHeader, type Item, type SealedBatch, sealBatch } from '../../src/batch/index.ts'
import { toBase64url } from '../../src/bytes/base64url.ts'
import {
  buildIndex,
  type IndexName,
  IndexReader,
  indexKey,
  indexValue,
  indexValues,
} from '../../src/lookup/index.ts'
import { rangePath, subsetPath } from '../../src/merkle/index.ts'
import {
  ALWAYS,
  type HistoryBatch,
  type HistoryQuestion,
  type JsonHistory,
  toJsonHistory,
} from '../../src/proof/index.ts'
import { leafHash, openRecord, parseRecord, sealRecord, timeOf } from '../../src/record/index.ts'
import { mayHold } from '../../src/verify/index.ts'
import { PUBLISHER } from '../batch/items.ts'
import { exampleOf } from '../record/examples.ts'
import { CHAIN_ID, LEDGER, mine } from './chain.ts'

/** Tag of person number n. */
export const personOf = (n: number): string => toBase64url(new Uint8Array(32).fill(n + 1))

/** A call about a person (or none), so many minutes after midnight. */
export interface Call {
  person: number | null
  minute: number
}

const MIDNIGHT = Date.UTC(2026, 2, 1)
export const minutes = (minute: number): bigint => BigInt(MIDNIGHT + 60_000 * minute)

function sealCalls(sequence: number, calls: readonly Call[]): { batch: SealedBatch; items: Item[] } {
  let salt = 0
  const source = `urn:test:${sequence % 2}`
  const sealed = calls.map(({ person, minute }, i) => {
    const example = exampleOf('tidemark.call.v1')
    const { person: _, ...data } = example.data
    const event = {
      ...example,
      source,
      id: `${sequence}-${i}`,
      time: new Date(MIDNIGHT + 60_000 * minute).toISOString(),
      data: { ...data, ...(person !== null && { person: personOf(person) }), requestId: `r-${i}` },
    }
    return sealRecord(parseRecord(event), () => new Uint8Array(16).fill(++salt))
  })
  const items = sealed.map(({ record, disclosures }) => ({ record, disclosures }))
  const vault = sealed.map(({ vault }) => vault)
  const submission = {
    source,
    sequence: BigInt(sequence),
    receivedAt: MIDNIGHT,
    signature: null,
    items,
    vault,
  }
  return { batch: sealBatch(PUBLISHER, BigInt(sequence), [submission], (bytes) => bytes), items }
}

/** A ledger of calls, four batches a transaction, and histories out of it. */
export function historyWorld(batches: readonly (readonly Call[])[]) {
  const sealed = batches.map((calls, sequence) => sealCalls(sequence, calls))
  const headers = sealed.map(({ batch }) => batch.header)
  const transactions = Array.from({ length: Math.ceil(headers.length / 4) }, (_, i) =>
    headers.slice(4 * i, 4 * i + 4),
  )
  const { data, log, places } = mine(transactions.map((transaction) => [transaction]))

  async function batchOf(at: number, { key, period }: HistoryQuestion): Promise<HistoryBatch> {
    const found = sealed[at]
    if (found === undefined) throw new RangeError('no such batch')
    const { items } = found
    const { header } = found.batch
    if (!mayHold(header, period)) return { header }
    const index = buildIndex(items.map(({ record, disclosures }) => indexValues(record, disclosures)))
    const reader = await IndexReader.open(async (offset, length) => index.file.slice(offset, offset + length))
    const binary = indexKey(key.name, key.value)
    const lookup = await reader.prove(binary)
    const positions = await reader.find(binary)
    if (positions.length === 0) return { header, lookup }
    const leaves = items.map(({ record }) => leafHash(record))
    const shown = [...positions].flatMap((position) => items[position] ?? [])
    const disclosed = key.name === 'person' ? shown : shown.map((item) => ({ ...item, disclosures: [] }))
    return { header, lookup, found: { items: disclosed, path: subsetPath(leaves, positions) } }
  }

  /** A history of the ledger's entries `from` up to `to`, fresh at every call. */
  async function history(
    name: IndexName,
    value: string,
    { period = ALWAYS, from = 0, to = headers.length } = {},
  ): Promise<JsonHistory> {
    const question = { key: { name, value }, period }
    const place = places[to - 1]
    if (place === undefined) throw new RangeError('an empty ledger has no history')
    const { index: _, size, ...anchor } = place
    const leaves = headers.slice(0, Number(size)).map(hashHeader)
    const parts: HistoryBatch[] = []
    for (let at = from; at < to; at++) parts.push(await batchOf(at, question))
    const json = toJsonHistory({
      ...question,
      range: { from: BigInt(from), to: BigInt(to), size, path: rangePath(leaves, from, to) },
      anchor: { chainId: CHAIN_ID, ledger: LEDGER, ...anchor },
      batches: parts,
    })
    return structuredClone(json)
  }

  /** The places of the records under a key, found by reading all of them. */
  const naive = (name: IndexName, value: string, period = ALWAYS, from = 0, to = headers.length) =>
    sealed.slice(from, to).flatMap(({ items }, at) =>
      items.flatMap(({ record, disclosures }, position) => {
        const time = BigInt(timeOf(record))
        const isIn = time >= period.from && time < period.to
        const isUnder = indexValue(openRecord(record, disclosures), name) === value
        return isIn && isUnder ? [{ ledgerIndex: BigInt(from + at), position, id: record.id }] : []
      }),
    )

  return { headers, items: sealed.map(({ items }) => items), data, log, history, naive }
}
