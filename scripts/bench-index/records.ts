import { randomUUID } from 'node:crypto'
import { Wallet } from 'ethers'
import { toBase64url } from '../../src/bytes/base64url.ts'
import { utf8 } from '../../src/bytes/bytes.ts'
import { toHex } from '../../src/bytes/hex.ts'
import { sha256 } from '../../src/bytes/sha256.ts'
import { sampleRecords } from '../../src/client/sample.ts'
import { DEPARTMENTS } from '../../src/client/sample-services.ts'
import { type FlowRecord, timeOf } from '../../src/record/index.ts'

const FIRST_TIME = Date.UTC(2026, 0, 5)
/** Of one batch: a thousand of them are a year. */
const BATCH_MS = (365 * 24 * 3_600_000) / 1_000

/** Who makes even batches, and who odd ones. */
const SOURCES = [
  [...DEPARTMENTS, 'police', 'courts'],
  ['water', 'energy', 'customs', 'culture', 'forestry', 'fisheries', 'labour', 'post', 'statistics', 'sport'],
]

/** Drawn evenly, but for the first, who has a call in every batch. */
const PERSONS = 100_000

export const personTag = (person: number): string => toBase64url(sha256(utf8(`person ${person}`)))

/** The key that a source of the benchmark signs with; nobody's. */
export const sourceKey = (source: string): Wallet => new Wallet(toHex(sha256(utf8(source))))

/** What one source hands over for one batch, nothing sealed. */
export interface Handover {
  source: string
  sequence: bigint
  records: FlowRecord[]
}

/** Makes the records of batches of one size. */
export class Maker {
  readonly #samples: FlowRecord[][]

  constructor(count: number) {
    const from = new Date(FIRST_TIME)
    this.#samples = SOURCES.map((departments, i) => [
      ...sampleRecords({ seed: `index ${i}`, count, from, departments }),
    ])
  }

  /** The sample's records by source, with ids, times, requests, grants and persons of this batch. */
  batch(number: number): Handover[] {
    const sample = this.#samples[number % SOURCES.length] ?? []
    const spanMs = timeOf(sample.at(-1) as FlowRecord) + 1 - FIRST_TIME // no sample is empty
    const fresh = freshOf(number)
    const handovers = new Map<string, FlowRecord[]>()
    for (const [i, { traceparent: _, ...record }] of sample.entries()) {
      const made = handovers.get(record.source) ?? []
      handovers.set(record.source, made)
      const sinceMs = number * BATCH_MS + ((timeOf(record) - FIRST_TIME) * BATCH_MS) / spanMs
      made.push({
        ...record,
        id: `call-${number}-${i}`,
        time: new Date(FIRST_TIME + sinceMs).toISOString(),
        data: fresh(record.data),
      })
    }
    const sequence = BigInt(Math.floor(number / SOURCES.length))
    return [...handovers].map(([source, records]) => ({ source, sequence, records }))
  }
}

/** Gives the data of the sample the requests, persons and grants of one batch; both sides of a call get the same. */
function freshOf(batch: number): (data: FlowRecord['data']) => FlowRecord['data'] {
  let drawn = batch + 1
  let isFirst = true
  const draw = () => {
    // The constants of Numerical Recipes; good enough to pick persons by the upper bits.
    drawn = (Math.imul(drawn, 1_664_525) + 1_013_904_223) >>> 0
    const person = isFirst ? 0 : Math.floor((drawn / 2 ** 32) * PERSONS)
    isFirst = false
    return personTag(person)
  }
  const calls = new Map<unknown, { requestId: string; person: string }>()
  return ({ agent: _, ...data }) => {
    const { requestId, person, authorization } = data
    const call = calls.get(requestId) ?? {
      requestId: randomUUID(),
      person: person === undefined ? '' : draw(),
    }
    if (requestId !== undefined) calls.set(requestId, call)
    return {
      ...data,
      ...(requestId !== undefined && { requestId: call.requestId }),
      ...(person !== undefined && { person: call.person }),
      ...(authorization !== undefined && {
        authorization: `0x${batch.toString(16).padStart(8, '0')}${String(authorization).slice(10)}`,
      }),
    }
  }
}
