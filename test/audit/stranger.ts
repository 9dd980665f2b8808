import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeAppended, type Header, hashHeader, type Item, parseJsonHeader } from '../../src/batch/index.ts'
import { equalBytes } from '../../src/bytes/bytes.ts'
import type { Hex } from '../../src/bytes/hex.ts'
import type { Rpc } from '../../src/chain/rpc.ts'
import { recoverSubmissionSigner } from '../../src/chain/signing.ts'
import type { JsonAlert } from '../../src/indexer/alert.ts'
import { PUBLIC_FILES } from '../../src/indexer/file-limits.ts'
import { buildIndex, indexValues } from '../../src/lookup/index.ts'
import { encodeTiles, HASH_SIZE, hashLeaves, treeRoot } from '../../src/merkle/index.ts'
import { canonicalBytes } from '../../src/record/index.ts'
import { BatchFolder } from '../../src/store/batch-folder.ts'
import type { Contradiction } from './planted.ts'

/** Somebody who has an alert, a node and the publisher's address, and believes none of them. */
export interface Stranger {
  rpc: Rpc
  /** of the publisher's API */
  publisherUrl: string
  /** where to put what is fetched */
  path: string
}

/** Whether the chain holds the header that the alert is about, where the alert says. */
export async function isAnchored({ batch, anchor }: JsonAlert, { rpc }: Stranger): Promise<boolean> {
  const receipt = Object(await rpc.call('eth_getTransactionReceipt', [anchor.transactionHash]))
  const logs = receipt.logs as { logIndex: string; topics: Hex[]; data: Hex }[]
  const log = logs.find(({ logIndex }) => Number(logIndex) === anchor.logIndex)
  const appended = log && decodeAppended(log.topics, log.data)
  return (
    receipt.blockHash === anchor.blockHash &&
    appended?.index === BigInt(anchor.ledgerIndex) &&
    equalBytes(hashHeader(appended.header), hashHeader(parseJsonHeader(batch)))
  )
}

/** Fetches every file that the alert names, and tells whether it is still what the alert says. */
export async function areFilesAsJudged({ files }: JsonAlert): Promise<boolean> {
  for (const { from, sha256, size } of files) {
    const bytes = new Uint8Array(await (await fetch(from)).arrayBuffer())
    const digest = createHash('sha256').update(bytes).digest('hex')
    if (`0x${digest}` !== sha256 || String(bytes.length) !== size) return false
  }
  return true
}

interface Fetched {
  folder: BatchFolder
  items: Item[]
}

async function fetchBatch(
  { publisher, sequence }: Header,
  { publisherUrl, path }: Stranger,
): Promise<Fetched> {
  const folder = new BatchFolder(path)
  await mkdir(folder.pathOf(publisher, sequence), { recursive: true })
  for (const name of PUBLIC_FILES) {
    const response = await fetch(`${publisherUrl}/v1/batches/${publisher}/${sequence}/${name}`)
    await writeFile(
      join(folder.pathOf(publisher, sequence), name),
      new Uint8Array(await response.arrayBuffer()),
    )
  }
  const files = await folder.open(publisher, sequence)
  try {
    const items: Item[] = []
    for await (const item of files.items()) items.push(item)
    return { folder, items }
  } finally {
    await files.close()
  }
}

/** What of the batch its own records contradict, recomputed from nothing else. */
export async function contradictionsOf({ batch }: JsonAlert, stranger: Stranger): Promise<Contradiction[]> {
  const header = parseJsonHeader(batch)
  const { folder, items } = await fetchBatch(header, stranger)
  const leafHashes = hashLeaves(items.map(({ record }) => canonicalBytes(record)))
  const index = buildIndex(items.map(({ record, disclosures }) => indexValues(record, disclosures)))
  const found: Contradiction[] = []
  if (items.length !== header.recordCount) found.push('recordCount')
  if (!equalBytes(treeRoot(leafHashes), header.recordsRoot)) found.push('recordsRoot')
  if (!equalBytes(index.indexRoot, header.indexRoot)) found.push('indexRoot')
  const given = await folder.loadHeader(header.publisher, header.sequence)
  if (!equalBytes(hashHeader(given), hashHeader(header))) found.push('header.json')
  const sent = async (name: 'index.bin' | 'tree.bin') => {
    const url = `${stranger.publisherUrl}/v1/batches/${header.publisher}/${header.sequence}/${name}`
    return new Uint8Array(await (await fetch(url)).arrayBuffer())
  }
  if (!equalBytes(await sent('index.bin'), index.file)) found.push('index.bin')
  if (!equalBytes(await sent('tree.bin'), encodeTiles(leafHashes))) found.push('tree.bin')
  return found
}

/** Who signed a submission of a batch, recovered from its public files. */
export async function signerOf(
  header: Header,
  source: string,
  anchor: JsonAlert['anchor'],
  stranger: Stranger,
): Promise<Hex | undefined> {
  const { folder, items } = await fetchBatch(header, stranger)
  const submission = (await folder.loadSubmissions(header)).find((one) => one.source === source)
  if (submission === undefined || submission.signature === null) return undefined
  const leaves = hashLeaves(items.map(({ record }) => canonicalBytes(record)))
  const { first, count, sequence, signature } = submission
  const root = treeRoot(leaves.subarray(HASH_SIZE * first, HASH_SIZE * (first + count)))
  const domain = { chainId: BigInt(anchor.chainId), ledger: anchor.ledger }
  return recoverSubmissionSigner(domain, { source, sequence, root, size: BigInt(count) }, signature)
}
