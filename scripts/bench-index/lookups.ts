import { randomUUID } from 'node:crypto'
import type { Header } from '../../src/batch/index.ts'
import { INDEX_NAMES, type IndexName, indexValues } from '../../src/lookup/index.ts'
import { timeOf } from '../../src/record/index.ts'
import { BatchFolder } from '../../src/store/batch-folder.ts'
import { personTag } from './records.ts'

/** One question to `GET /v1/records`, and what kind it is. */
export interface Question {
  kind: string
  query: Record<string, string>
}

export interface Latency {
  p50: number
  p99: number
  max: number
  /** of an answer's page, on average */
  records: number
}

const NAMES = INDEX_NAMES.filter((name) => name !== 'record')
const MONTH_MS = 30 * 24 * 3_600_000

/** `count` questions of each kind, about records here and there in the ledger, the kinds in turn. */
export async function makeQuestions(
  path: string,
  headers: readonly Header[],
  count: number,
): Promise<Question[]> {
  const folder = new BatchFolder(path)
  const questions: Question[] = []
  for (let i = 0; i < count; i++) {
    const { publisher, sequence, recordCount } = headers[Math.floor((i / count) * headers.length)] as Header
    const files = await folder.open(publisher, sequence)
    const values = new Map<IndexName, string>()
    let time = 0
    // Not every record has every key; the records from one on have.
    for (let position = (i * 7_919) % recordCount; values.size < 7; position = (position + 1) % recordCount) {
      const { record, disclosures } = await files.item(position)
      for (const [name, value] of indexValues(record, disclosures)) values.set(name, value)
      time = timeOf(record)
    }
    await files.close()
    const [source = '', id = ''] = values.get('record')?.split('\0') ?? []
    const person = values.get('person') ?? ''
    const ask = (kind: string, query: Record<string, string>) => questions.push({ kind, query })
    ask('record', { source, id })
    for (const name of NAMES) ask(name, { [name]: values.get(name) ?? '' })
    const range = { from: new Date(time - MONTH_MS).toISOString(), to: new Date(time + 1).toISOString() }
    ask('person, a month', { person, ...range })
    ask('resource, a month', { resource: values.get('resource') ?? '', ...range })
    ask('person and resource', { person, resource: values.get('resource') ?? '' })
    ask('person in every batch', { person: personTag(0) })
    ask('person, absent', { person: randomUUID() })
    ask('record, absent', { source, id: randomUUID() })
  }
  return questions
}

/** Asks one after the other, each until its first page is whole; milliseconds by kind. */
export async function ask(api: string, questions: readonly Question[]): Promise<Record<string, Latency>> {
  const times = new Map<string, number[]>()
  const found = new Map<string, number>()
  for (const { kind, query } of questions) {
    const startedAt = performance.now()
    const response = await fetch(new URL(`/v1/records?${new URLSearchParams(query)}`, api))
    const text = await response.text()
    const ofKind = times.get(kind) ?? []
    times.set(kind, ofKind)
    ofKind.push(performance.now() - startedAt)
    const { records = [], cursor } = JSON.parse(text) as { records?: unknown[]; cursor?: string }
    const isAbsent = kind.endsWith('absent')
    if (isAbsent ? records.length > 0 : records.length === 0 && cursor === undefined) {
      throw new Error(
        `${kind} ${JSON.stringify(query)} is answered with ${response.status}: ${text.slice(0, 200)}`,
      )
    }
    found.set(kind, (found.get(kind) ?? 0) + records.length)
  }
  return Object.fromEntries(
    [...times].map(([kind, all]) => {
      const sorted = all.toSorted((a, b) => a - b)
      const at = (part: number) =>
        sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
      return [
        kind,
        { p50: at(0.5), p99: at(0.99), max: at(1), records: (found.get(kind) ?? 0) / all.length },
      ] as const
    }),
  )
}
