import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  encodeHeader,
  type Header,
  type Item,
  verifyBatch,
  verifySubmissions,
} from '../../src/batch/index.ts'
import { equalBytes } from '../../src/bytes/bytes.ts'
import { type Hex, toHex } from '../../src/bytes/hex.ts'
import { type AppendedLog, createLedger, fetchAppended } from '../../src/chain/ledger.ts'
import type { Rpc } from '../../src/chain/rpc.ts'
import { HASH_SIZE, treeRoot } from '../../src/merkle/index.ts'
import { BatchFolder } from '../../src/store/batch-folder.ts'
import { openDatabase } from '../../src/store/database.ts'
import { LedgerEntries } from '../../src/store/ledger-entries.ts'
import { SealedBatches } from '../../src/store/sealed-batches.ts'
import { listSegments, readSegment } from '../../src/store/write-ahead-log.ts'
import type { Acknowledged } from './senders.ts'

/** A submission as the files of a batch hold it. */
interface FoundSubmission {
  source: string
  sequence: number
  ids: string[]
  root: string
}

/** A header of the ledger with what the files on disk have under it, recomputed. */
export interface FoundBatch {
  publisher: string
  sequence: number
  /** of the header and where the chain has it */
  fingerprint: string
  submissions: FoundSubmission[]
}

/** What one gateway's store says. */
export interface FoundStore {
  publisher: string
  /** sealed, by their number: the header's bytes */
  headers: string[]
  /** `source #sequence` to its batch */
  submissions: Record<string, number>
  /** the ledger as its indexer has it: fingerprints and states */
  entries: { fingerprint: string; state: string }[]
  /** batch folders of this publisher on disk */
  folders: string[]
  /** entries that the log still holds */
  logged: number
}

export interface Outcome {
  acknowledged: Acknowledged[]
  /** submissions that a source began to send: sequences below */
  sent: Record<string, number>
  chain: FoundBatch[]
  stores: FoundStore[]
}

/**
 * Everything that must hold after whatever happened, when the dust has settled.
 *
 * @returns what does not, a sentence each
 */
export function checkOutcome({ acknowledged, sent, chain, stores }: Outcome): string[] {
  const wrong: string[] = []
  const expect = (holds: boolean, otherwise: string) => {
    if (!holds) wrong.push(otherwise)
  }
  const nextOfPublisher = new Map<string, number>()
  const nextOfSource = new Map<string, number>()
  const found = new Map<string, FoundSubmission & { batch: FoundBatch }>()
  const records = new Set<string>()
  for (const batch of chain) {
    const next = nextOfPublisher.get(batch.publisher) ?? 0
    expect(
      batch.sequence === next,
      `batch ${batch.sequence} of ${batch.publisher} stands where ${next} should`,
    )
    nextOfPublisher.set(batch.publisher, batch.sequence + 1)
    for (const submission of batch.submissions) {
      const { source, sequence, ids } = submission
      const name = `${source} #${sequence}`
      const due = nextOfSource.get(source) ?? 0
      expect(sequence === due, `${name} is on the chain where #${due} should be`)
      nextOfSource.set(source, sequence + 1)
      expect(!found.has(name), `${name} is on the chain twice`)
      expect(sequence < (sent[source] ?? 0), `${name} was never sent`)
      found.set(name, { ...submission, batch })
      for (const id of ids) {
        expect(!records.has(id), `record ${id} is on the chain twice`)
        records.add(id)
      }
    }
  }
  for (const { source, sequence, ids, root, publisher } of acknowledged) {
    const name = `${source} #${sequence}`
    const there = found.get(name)
    if (there === undefined) {
      wrong.push(`${name} was acknowledged and is not on the chain`)
      continue
    }
    expect(there.ids.join() === ids.join(), `${name} is on the chain with other records`)
    expect(there.root === root, `${name} has another root than its receipt promised`)
    expect(there.batch.publisher === publisher, `${name} was published by another than its receipt names`)
  }
  for (const store of stores) {
    const { publisher } = store
    const own = chain.filter((batch) => batch.publisher === publisher)
    const fingerprints = store.entries.map(({ fingerprint }) => fingerprint)
    expect(
      fingerprints.join() === chain.map(({ fingerprint }) => fingerprint).join(),
      `the ledger in the store of ${publisher} is not the chain's: ${store.entries.length} of ${chain.length} entries`,
    )
    for (const [i, { state }] of store.entries.entries()) {
      expect(state === 'verified', `ledger entry ${i} is ${state} in the store of ${publisher}`)
    }
    expect(
      store.headers.join() === own.map(({ fingerprint }) => fingerprint.split(' ')[0]).join(),
      `the catalogue of ${publisher} has ${store.headers.length} batches, the chain ${own.length}, or other ones`,
    )
    const names = own.map(({ sequence }) => String(sequence).padStart(12, '0'))
    expect(
      store.folders.join() === names.join(),
      `on disk of ${publisher} are ${store.folders.length} batches (${store.folders.at(-1)}), on the chain ${own.length}`,
    )
    const submissions = own.flatMap((batch) =>
      batch.submissions.map(({ source, sequence }) => `${source} #${sequence} ${batch.sequence}`),
    )
    const catalogued = Object.entries(store.submissions).map(([name, batch]) => `${name} ${batch}`)
    expect(
      catalogued.toSorted().join() === submissions.toSorted().join(),
      `the catalogue of ${publisher} has ${catalogued.length} submissions, the chain ${submissions.length}, or elsewhere`,
    )
    expect(store.logged === 0, `the log of ${publisher} still holds ${store.logged} submissions`)
  }
  return wrong
}

/** The chain, asked directly, and what the files on disk have for it. Throws when a batch is not what its header says. */
export async function readChain(rpc: Rpc, ledger: Hex, batchesPath: string): Promise<FoundBatch[]> {
  const contract = createLedger(rpc, ledger)
  const head = BigInt(String(await rpc.call('eth_blockNumber', [])))
  const appended: AppendedLog[] = []
  for await (const { found } of fetchAppended(rpc, ledger, await contract.deploymentBlock(), head)) {
    appended.push(...found)
  }
  const size = await contract.size()
  if (BigInt(appended.length) !== size) throw new Error(`${appended.length} events, ${size} headers`)
  const folder = new BatchFolder(batchesPath)
  return Promise.all(
    appended.map(async ({ appended: { header }, ...place }) => ({
      publisher: header.publisher,
      sequence: Number(header.sequence),
      fingerprint: fingerprintOf(header, place),
      submissions: await readSubmissions(folder, header),
    })),
  )
}

async function readSubmissions(folder: BatchFolder, header: Header): Promise<FoundSubmission[]> {
  const batch = await folder.open(header.publisher, header.sequence)
  try {
    const items: Item[] = []
    for await (const item of batch.items()) items.push(item)
    const { leafHashes } = verifyBatch(header, items)
    const submissions = await folder.loadSubmissions(header)
    verifySubmissions(submissions, items)
    if (
      !equalBytes(
        encodeHeader(await folder.loadHeader(header.publisher, header.sequence)),
        encodeHeader(header),
      )
    )
      throw new Error(`header.json of batch ${header.sequence} is another`)
    return submissions.map(({ source, sequence, first, count }) => ({
      source,
      sequence: Number(sequence),
      ids: items.slice(first, first + count).map(({ record }) => record.id),
      root: toHex(treeRoot(leafHashes.subarray(HASH_SIZE * first, HASH_SIZE * (first + count)))),
    }))
  } finally {
    await batch.close()
  }
}

const fingerprintOf = (
  header: Header,
  place: { blockNumber: bigint; blockHash: Hex; transactionHash: Hex },
): string => `${toHex(encodeHeader(header))} ${place.blockNumber} ${place.blockHash} ${place.transactionHash}`

/** What the store of a gateway that has ended says. */
export async function readStore(dataPath: string, batchesPath: string, publisher: Hex): Promise<FoundStore> {
  const database = openDatabase(join(dataPath, 'catalogue.sqlite'))
  try {
    const headers = new SealedBatches(database).headersFrom(publisher, 0n, 100_000)
    const rows = database.prepare('SELECT source, sequence, batch FROM submissions').all()
    const entries = new LedgerEntries(database).from(0n, 100_000)
    const folder = join(batchesPath, publisher)
    let logged = 0
    for (const segment of await listSegments(join(dataPath, 'log'))) {
      logged += (await readSegment(segment, 'torn')).length
    }
    return {
      publisher,
      headers: headers.map((header) => toHex(encodeHeader(header))),
      submissions: Object.fromEntries(
        rows.map(({ source, sequence, batch }) => [`${source} #${sequence}`, Number(batch)]),
      ),
      entries: entries.map((entry) => ({
        fingerprint: fingerprintOf(entry.header, entry),
        state: entry.state,
      })),
      folders: existsSync(folder) ? (await readdir(folder)).sort() : [],
      logged,
    }
  } finally {
    database.close()
  }
}
