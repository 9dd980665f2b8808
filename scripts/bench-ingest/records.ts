import { randomUUID } from 'node:crypto'
import { Wallet } from 'ethers'
import { sampleRecords } from '../../src/client/sample.ts'
import { type SealedLine, sealLine } from '../../src/client/sealed-line.ts'
import type { FlowRecord } from '../../src/record/index.ts'

const FIRST_TIME = Date.UTC(2026, 0, 5)
const TEMPLATES = 2_000
/** One call in so many is about a person: its tag is sealed as a pseudonym, who asked as a private member. */
export const PERSONAL_EVERY = 8

/** Sample calls, trimmed until the line that is sent has about 400 bytes on average. */
const templates: FlowRecord[] = []
for (const { traceparent: _, ...record } of sampleRecords({
  seed: 'ingest',
  count: 2 * TEMPLATES,
  from: new Date(FIRST_TIME),
})) {
  if (record.type !== 'tidemark.call.v1') continue
  const { side, consumer, provider, operation, outcome, person, agent } = record.data
  const sealed = { person, agent: agent ?? `agent-${templates.length % 40}` }
  const isPersonal = person !== undefined && templates.length % PERSONAL_EVERY === 0
  templates.push({
    ...record,
    subject: `register:${String(operation)}`,
    data: {
      side,
      operation,
      outcome,
      consumer: shorten(consumer),
      provider: shorten(provider),
      ...(isPersonal && sealed),
    },
  })
}

export const sourceName = (source: number): string => `urn:bench:source-${String(source).padStart(3, '0')}`

export const recordId = (position: number): string => `call-${position}`

/** The key that a source of the benchmark signs with; nobody's. */
export const sourceKey = (source: number): Wallet => new Wallet(`0x${String(source + 1).padStart(64, '0')}`)

/** The record at a position of a source's stream, sealed. */
export function makeLine(source: number, position: number): SealedLine {
  const template = templates[(source * 31 + position) % templates.length]
  if (template === undefined) throw new Error('the sample holds no calls')
  return sealLine({
    ...template,
    id: recordId(position),
    source: sourceName(source),
    time: new Date(FIRST_TIME + position).toISOString(),
    data: { ...template.data, requestId: randomUUID() },
  })
}

function shorten(party: unknown): string {
  return String(party).replace('urn:tidemark:sample:', '')
}
