import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { type Item, sealBatch, type WaitingSubmission } from '../../src/batch/index.ts'
import { parseRecord, type RecordTypeName, sealRecord } from '../../src/record/index.ts'
import { exampleOf } from '../record/examples.ts'

export const PUBLISHER = `0x${'ab'.repeat(20)}` as const

export const compress = (bytes: Uint8Array): Uint8Array => zstdCompressSync(bytes)
export const decompress = (bytes: Uint8Array, sizeBytes: number): Uint8Array =>
  zstdDecompressSync(bytes, { maxOutputLength: Math.max(1, sizeBytes) })

/** Salts that are the same at every run, and different at every call. */
function saltsFrom(seed: number): () => Uint8Array {
  const salt = new Uint8Array(16)
  const view = new DataView(salt.buffer)
  view.setUint32(0, seed)
  return () => {
    view.setUint32(12, view.getUint32(12) + 1)
    return salt.slice()
  }
}

const TYPES: RecordTypeName[] = ['tidemark.call.v1', 'tidemark.heartbeat.v1', 'tidemark.destruction.v1']

/** A submission of `count` records; every third one a call with a person, every third a destruction. */
export function submissionOf(source: string, sequence: number, count: number): WaitingSubmission {
  const salt = saltsFrom(1000 * sequence + count)
  const items: Item[] = []
  const vault: string[][] = []
  for (let i = 0; i < count; i++) {
    const type = TYPES[i % TYPES.length] as RecordTypeName
    const example = exampleOf(type)
    if (type === 'tidemark.call.v1') example.data.requestId = `${source}/r-${sequence}-${i % 50}`
    const time = new Date(Date.UTC(2026, 2, 1, 9, 30) + 1000 * i).toISOString()
    const record = parseRecord({ ...example, source, id: `${sequence}-${i}`, time })
    const sealed = sealRecord(record, salt)
    items.push({ record: sealed.record, disclosures: sealed.disclosures })
    vault.push(sealed.vault)
  }
  return {
    source,
    sequence: BigInt(sequence),
    receivedAt: Date.UTC(2026, 2, 1, 12),
    signature: null,
    items,
    vault,
  }
}

export const batchOf = (...submissions: WaitingSubmission[]) =>
  sealBatch(PUBLISHER, 7n, submissions, compress)

export const readerOf = (file: Uint8Array) => async (offset: number, length: number) =>
  file.slice(offset, offset + length)
