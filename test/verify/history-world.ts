import { hashHeader, type Item, type SealedBatch, sealBatch } from '../../src/batch/index.ts'
import { toBase64url } from '../../src/bytes/base64url.ts'
import {
  buildIndex,
  buildRun,
  type IndexName,
  IndexReader,
  indexKey,
  indexValue,
  indexValues,
  toRunData,
} from '../../src/lookup/index.ts'
import { rangePath, subsetPath } from '../../src/merkle/index.ts'
import {
  ALWAYS,
  type HistoryBatch,
  type HistoryPart,
  type HistoryQuestion,
  type JsonHistory,
  type JsonRunHistory,
  toJsonHistory,
  toJsonRunHistory,
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

interface Sealed {
  batch: SealedBatch
  items: Item[]
}

function sealCalls(sequence: number, calls: readonly Call[]): Sealed {
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
  return sealItems(sequence, source, sealed)
}

function sealItems(
  sequence: number,
  source: string,
  sealed: readonly ReturnType<typeof sealRecord>[],
): Sealed {
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

const indexOf = ({ items }: Sealed) =>
  buildIndex(items.map(({ record, disclosures }) => indexValues(record, disclosures)))
const readerOf = (file: Uint8Array) =>
  IndexReader.open(async (offset, length) => file.slice(offset, offset + length))

/** A run over ledger entries `first` up to `first + count`, whose record is the next batch. */
export interface Run {
  first: number
  count: number
  /** instead of what its batches give */
  claim?: Record<string, unknown>
}

/** The record of a run, truly made, alone in a batch; and its index file. */
async function sealRun(sequence: number, before: readonly Sealed[], { first, count, claim }: Run) {
  const readers = await Promise.all(
    before.slice(first, first + count).map((batch) => readerOf(indexOf(batch).file)),
  )
  let file = new Uint8Array()
  const summary = await buildRun(readers, async (offset, bytes) => {
    const grown = new Uint8Array(Math.max(file.length, offset + bytes.length))
    grown.set(file)
    grown.set(bytes, offset)
    file = grown
  })
  const source = 'urn:test:runs'
  const event = {
    ...exampleOf('tidemark.index-run.v1'),
    source,
    id: `run-${first}-${count}`,
    time: new Date(MIDNIGHT + 86_400_000).toISOString(),
    data: { ...toRunData({ chainId: CHAIN_ID, ledger: LEDGER, first: BigInt(first), ...summary }), ...claim },
  }
  return { sealed: sealItems(sequence, source, [sealRecord(parseRecord(event))]), file }
}

/** A ledger of calls, four batches a transaction, and histories out of it. */
export const historyWorld = (batches: readonly (readonly Call[])[]) =>
  worldOf(
    batches.map((calls, sequence) => sealCalls(sequence, calls)),
    [],
  )

/** The same of a ledger in which some batches hold the record of a run. */
export async function runWorld(batches: readonly (readonly Call[] | Run)[]) {
  const sealed: Sealed[] = []
  const runs: RunFile[] = []
  for (const [sequence, batch] of batches.entries()) {
    if ('first' in batch) {
      const made = await sealRun(sequence, sealed, batch)
      sealed.push(made.sealed)
      runs.push({ ...batch, entry: sequence, file: made.file })
    } else sealed.push(sealCalls(sequence, batch))
  }
  return worldOf(sealed, runs)
}

interface RunFile extends Run {
  entry: number
  file: Uint8Array
}

function worldOf(sealed: readonly Sealed[], runs: readonly RunFile[]) {
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
    const reader = await readerOf(indexOf(found).file)
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

  /**
   * A history over runs of entries `from` up to `to`.
   *
   * @param used of the runs, by number: those that lie in the range and follow each other
   */
  async function runHistory(
    name: IndexName,
    value: string,
    { period = ALWAYS, from = 0, to = headers.length, used = runs.map((_, i) => i) } = {},
  ): Promise<JsonRunHistory> {
    const question = { key: { name, value }, period }
    const parts: HistoryPart[] = []
    const shown = new Set<number>()
    const show = async (at: number) => {
      shown.add(at)
      return batchOf(at, question)
    }
    for (let at = from; at < to; ) {
      const run = used.map((i) => runs[i]).find((one) => one?.first === at && at + one.count <= to)
      if (run === undefined) {
        parts.push(await show(at++))
        continue
      }
      const reader = await readerOf(run.file)
      const key = indexKey(name, value)
      const batches: HistoryBatch[] = []
      for (const position of await reader.find(key)) batches.push(await show(at + position))
      const { header, record } = runRecord(run.entry)
      shown.add(run.entry)
      parts.push({
        run: { record, inclusion: { index: 0, path: [] }, header, entry: BigInt(run.entry) },
        lookup: await reader.prove(key),
        batches,
      })
      at += run.count
    }
    const positions = [...shown].sort((a, b) => a - b)
    const place = places[positions.at(-1) ?? -1]
    if (place === undefined) throw new RangeError('nothing is shown')
    const { index: _, size, ...anchor } = place
    return structuredClone(
      toJsonRunHistory({
        ...question,
        range: { from: BigInt(from), to: BigInt(to), size },
        anchor: { chainId: CHAIN_ID, ledger: LEDGER, ...anchor },
        parts,
        path: log.subsetPath(positions, size),
      }),
    )
  }

  function runRecord(entry: number) {
    const { batch, items } = sealed[entry] ?? {}
    const record = items?.[0]?.record
    if (batch === undefined || record === undefined) throw new RangeError('no such batch')
    return { header: batch.header, record }
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

  return { headers, items: sealed.map(({ items }) => items), data, log, history, runHistory, naive }
}
