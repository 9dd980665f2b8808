import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { verifyMerkleProof } from '@ethereumjs/mpt'
import canonicalize from 'canonicalize'
import {
  AbiCoder,
  decodeRlp,
  encodeRlp,
  getBytes,
  Interface,
  keccak256,
  TypedDataEncoder,
  toBeHex,
  verifyTypedData,
} from 'ethers'
import { MerkleTree } from 'merkletreejs'
import { describe, expect, test } from 'vitest'
import { makeVectors } from '../scripts/vectors.ts'
import { patched, type Subject } from '../scripts/vectors-altered.ts'
import type { AuthorizedSubject } from '../scripts/vectors-authorized.ts'
import type { HistorySubject } from '../scripts/vectors-history.ts'
import type { OfflineSubject } from '../scripts/vectors-offline.ts'
import type { Patch } from '../scripts/vectors-patch.ts'
import type { ReceiptSubject, SubmissionSubject } from '../scripts/vectors-receipt.ts'
import type { RunHistorySubject } from '../scripts/vectors-run-history.ts'
import {
  canonicalText,
  decodeItem,
  disclosureDigest,
  encodeHeader,
  frameLines,
  fromHex,
  type Hex,
  HISTORY_STEPS,
  type IndexName,
  indexKey,
  type JsonHeader,
  type JsonHistory,
  type JsonProof,
  openRecord,
  PROOF_STEPS,
  parseJsonHeader,
  parseRecord,
  parseSealedRecord,
  parseSubmissions,
  RECEIPT_STEPS,
  type RightsFacts,
  readFrame,
  readFrameTable,
  toHex,
  VerificationError,
  verifyAny,
  verifyBatch,
  verifyConsistency,
  verifyHistory,
  verifyInclusion,
  verifyLookup,
  verifyProof,
  verifyRange,
  verifyReceipt,
  verifySubmission,
  verifySubmissions,
  verifySubset,
} from '../src/index.ts'
import { decompress, readerOf } from './batch/items.ts'
import { GRANT_TYPES } from './contracts/grant.ts'
import { checkCoseReceipt, checkTlogProof } from './proof/standards.ts'
import { rightsOf } from './verify/authorized-world.ts'
import { type ChainData, factsOf } from './verify/chain.ts'

const FOLDER = join(import.meta.dirname, 'vectors')
const textOf = (name: string) => readFileSync(join(FOLDER, name), 'utf8')
/** The vectors are our own files: the shape that the generator gave them is believed. */
const jsonOf = <T>(name: string): T => JSON.parse(textOf(name)) as T

const SUBMISSION_FIELDS = [
  { name: 'source', type: 'string' },
  { name: 'sequence', type: 'uint64' },
  { name: 'root', type: 'bytes32' },
  { name: 'size', type: 'uint64' },
]
const RECEIPT_TYPE = {
  Receipt: [
    ...SUBMISSION_FIELDS,
    { name: 'receivedAt', type: 'uint64' },
    { name: 'anchorBy', type: 'uint64' },
    { name: 'ledger', type: 'address' },
  ],
}

const sha256 = (...parts: (string | Uint8Array)[]) => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
const hexOf = (bytes: Uint8Array) => `0x${Buffer.from(bytes).toString('hex')}`
const leafOf = (data: string | Uint8Array) => hexOf(sha256(Uint8Array.of(0), data))
const rootOf = (leafHashes: string[]) =>
  leafHashes.length === 0
    ? hexOf(sha256(''))
    : hexOf(
        new MerkleTree(
          leafHashes.map((hash) => fromHex(hash)),
          (data: Buffer) => sha256(Uint8Array.of(1), data),
        ).getRoot(),
      )

test('the files are, byte for byte, what the generator gives, and no others', async () => {
  const made = await makeVectors()
  const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).map((name) =>
    name.split(sep).join('/'),
  )
  expect(files.filter((name) => /\.(json|hex)$/.test(name)).sort()).toEqual([...made.keys()].sort())
  for (const [name, text] of made)
    expect(textOf(name) === text, `${name} differs: npm run vectors`).toBe(true)
})

test('canonical.json holds for canonicalize and node:crypto', () => {
  type Canonical = {
    values: { value: unknown; canonical: string }[]
    refused: { json: string }[]
    records: { record: unknown; canonical: string; leafHash: string }[]
  }
  const { values, refused, records } = jsonOf<Canonical>('canonical.json')
  for (const { value, canonical } of values) expect(canonicalize(value)).toBe(canonical)
  for (const { json } of refused) {
    expect(() => canonicalText(JSON.parse(json))).toThrow(expect.objectContaining({ code: 'BAD_RECORD' }))
  }
  expect(records).toHaveLength(11)
  for (const { record, canonical, leafHash } of records) {
    expect(canonicalize(record)).toBe(canonical)
    expect(leafOf(canonical)).toBe(leafHash)
    expect(parseSealedRecord(record)).toEqual(record)
  }
})

test('disclosures.json holds for node:crypto', () => {
  type Disclosures = {
    published: { disclosure: string; digest: string }
    sealed: {
      open: unknown
      sealed: unknown
      disclosures: { name: string; value: unknown; kind: string; disclosure: string; digest: string }[]
    }[]
  }
  const { published, sealed } = jsonOf<Disclosures>('disclosures.json')
  expect(disclosureDigest(published.disclosure)).toBe(published.digest)
  for (const { open, sealed: record, disclosures } of sealed) {
    const parsed = parseSealedRecord(record)
    expect(
      openRecord(
        parsed,
        disclosures.map(({ disclosure }) => disclosure),
      ),
    ).toEqual(parseRecord(open))
    expect(parsed.data._sd).toEqual(disclosures.map(({ digest }) => digest).sort())
    for (const { name, value, disclosure, digest } of disclosures) {
      expect(sha256(disclosure).toString('base64url')).toBe(digest)
      expect(JSON.parse(Buffer.from(disclosure, 'base64url').toString()).slice(1)).toEqual([name, value])
    }
  }
})

test('tree.json holds for merkletreejs, and every path of it verifies', () => {
  type Trees = {
    leaves: { data: string; leafHash: string }[]
    roots: { size: number; root: string }[]
    inclusion: { size: number; index: number; path: string[] }[]
    consistency: { size1: number; size2: number; path: string[] }[]
    range: { from: number; to: number; size: number; path: string[] }[]
    subset: { size: number; positions: number[]; path: string[] }[]
  }
  const { leaves, roots, inclusion, consistency, range, subset } = jsonOf<Trees>('tree.json')
  const hashes = leaves.map(({ leafHash }) => leafHash)
  for (const { data, leafHash } of leaves) expect(leafOf(fromHex(data))).toBe(leafHash)
  for (const { size, root } of roots) expect(rootOf(hashes.slice(0, size))).toBe(root)
  const root = (size: number) => fromHex(roots[size]?.root ?? '')
  for (const { size, index, path } of inclusion) {
    verifyInclusion({
      leafHash: fromHex(hashes[index] ?? ''),
      index,
      size,
      path: path.map((h) => fromHex(h)),
      root: root(size),
    })
  }
  for (const { size1, size2, path } of consistency) {
    verifyConsistency({
      size1,
      size2,
      root1: root(size1),
      root2: root(size2),
      path: path.map((h) => fromHex(h)),
    })
  }
  for (const { from, to, size, path } of range) {
    const leafHashes = hashes.slice(from, to).map((h) => fromHex(h))
    verifyRange({ leafHashes, from, size, path: path.map((h) => fromHex(h)), root: root(size) })
  }
  for (const { size, positions, path } of subset) {
    const leafHashes = positions.map((position) => fromHex(hashes[position] ?? ''))
    verifySubset({ leafHashes, positions, size, path: path.map((h) => fromHex(h)), root: root(size) })
  }
  expect(subset.length).toBeGreaterThan(5)
  expect([inclusion.length, consistency.length, range.length].every((count) => count >= 10)).toBe(true)
})

test('index.json holds for merkletreejs, and every lookup of it verifies', () => {
  type Lookup = {
    key: string
    bucket: string
    index: number
    path: string[]
    givenPositions?: number[]
    positions: number[]
  }
  type Index = {
    items: string[]
    buckets: { bucket: string; leafHash: string }[]
    indexRoot: string
    indexSize: number
    named: (Lookup & { name: IndexName; value: string })[]
    edges: Lookup[]
  }
  const { items, buckets, indexRoot, indexSize, named, edges } = jsonOf<Index>('index.json')
  for (const { bucket, leafHash } of buckets) expect(leafOf(fromHex(bucket))).toBe(leafHash)
  expect(rootOf(buckets.map(({ leafHash }) => leafHash))).toBe(indexRoot)
  expect(buckets).toHaveLength(indexSize)
  const header = { indexRoot: fromHex(indexRoot), indexSize, recordCount: items.length }
  for (const { key, bucket, index, path, givenPositions, positions } of [...named, ...edges]) {
    const proof = { bucket: fromHex(bucket), index, path: path.map((hash) => fromHex(hash)) }
    const given = givenPositions === undefined ? {} : { positions: Uint32Array.from(givenPositions) }
    expect([...verifyLookup(fromHex(key), { ...proof, ...given }, header)]).toEqual(positions)
  }
  for (const { name, value, key, positions } of named) {
    expect(toHex(indexKey(name, value))).toBe(key)
    expect(hexOf(sha256(name, '\0', value)).slice(0, 34)).toBe(key)
    for (const position of positions) expect(decodeItem(items[position] ?? '')).toBeDefined()
  }
  expect(named.map(({ positions }) => positions.length)).toEqual([1, 10, 1, 28, 0, 0])
})

test('header.json holds for ethers and merkletreejs', () => {
  const tuple =
    'tuple(address publisher, uint64 sequence, bytes32 recordsRoot, uint32 recordCount, bytes32 indexRoot, uint32 indexSize, uint64 firstTime, uint64 lastTime)'
  const ledger = new Interface([
    `event Appended(uint64 indexed index, address indexed publisher, ${tuple} header, bytes32 node)`,
  ])
  type Headers = {
    headers: {
      header: JsonHeader
      bytes: string
      leafHash: string
      event: { topics: Hex[]; data: Hex }
      rootAfter: string
    }[]
  }
  const { headers } = jsonOf<Headers>('header.json')
  const hashes = headers.map(({ leafHash }) => leafHash)
  for (const [index, { header, bytes, leafHash, event, rootAfter }] of headers.entries()) {
    expect(AbiCoder.defaultAbiCoder().encode([tuple], [header])).toBe(bytes)
    expect(leafOf(fromHex(bytes))).toBe(leafHash)
    expect(rootOf(hashes.slice(0, index + 1))).toBe(rootAfter)
    let perfect = 1
    while ((index + 1) % (2 * perfect) === 0) perfect *= 2
    const node = rootOf(hashes.slice(index + 1 - perfect, index + 1))
    expect(event).toEqual(ledger.encodeEventLog('Appended', [index, header.publisher, header, node]))
  }
})

test('standards.json holds for node:crypto, cborg and merkletreejs', () => {
  type Export = { origin: string; verifierKey: string; tlogProof: string; coseReceipt: Hex; coseSigned: Hex }
  const { publicKey, exports } = jsonOf<{ publicKey: Hex; exports: Export[] }>('standards.json')
  const { record, inclusion, batch, log } = jsonOf<{ proof: JsonProof }>('proof.json').proof
  const leaves = [Buffer.from(canonicalize(record) ?? ''), encodeHeader(parseJsonHeader(batch))]
  const places = [
    { size: BigInt(batch.recordCount), index: BigInt(inclusion.index) },
    { size: BigInt(log.size), index: BigInt(log.index) },
  ]
  expect(exports).toHaveLength(2)
  for (const [i, { origin, verifierKey, tlogProof, coseReceipt, coseSigned }] of exports.entries()) {
    const leaf = leaves[i] ?? new Uint8Array()
    const shown = { origin, ...places[i] }
    expect(checkTlogProof(tlogProof, leaf, verifierKey)).toEqual({ ...shown, extra: Buffer.from(leaf) })
    const root = Buffer.from(tlogProof.split('\n\n')[1]?.split('\n')[2] ?? '', 'base64')
    expect(checkCoseReceipt(fromHex(coseReceipt), leaf, root, fromHex(publicKey))).toMatchObject(shown)
    expect(coseSigned.endsWith(root.toString('hex'))).toBe(true)
  }
})

describe('batch/', () => {
  const bytesOf = (name: string) => Buffer.from(textOf(`batch/${name}.hex`).replaceAll('\n', ''), 'hex')
  const header = parseJsonHeader(jsonOf('batch/header.json'))
  const linesOf = async (name: string) => {
    const file = bytesOf(name)
    const lines: string[] = []
    for (const frame of await readFrameTable(readerOf(file), file.length)) {
      lines.push(...frameLines(await readFrame(readerOf(file), frame, decompress)))
    }
    return lines
  }

  test('is read and verified', async () => {
    const items = (await linesOf('records.ndjson.zst')).map(decodeItem)
    const { indexFile, leafHashes } = verifyBatch(header, items)
    expect(hexOf(indexFile)).toBe(hexOf(bytesOf('index.bin')))
    expect(hexOf(leafHashes)).toBe(hexOf(bytesOf('tree.bin')))
    verifySubmissions(parseSubmissions(jsonOf('batch/submissions.json'), header.recordCount), items)
    expect(await linesOf('vault.ndjson.zst')).toHaveLength(1)
  })

  test('is the example that docs/format.md, section 16, works out', () => {
    const page = readFileSync(join(import.meta.dirname, '../docs/format.md'), 'utf8')
    const roots = [toHex(header.recordsRoot), toHex(header.indexRoot)]
    for (const value of [...roots, ...leafHexes(bytesOf('tree.bin'))]) expect(page).toContain(value)
  })

  const leafHexes = (tree: Buffer) => [0, 1, 2].map((i) => hexOf(tree.subarray(32 * i, 32 * i + 32)))
})

describe('proof.json', () => {
  type Proofs = Subject & {
    verified: object
    altered: { name: string; patches: Patch[]; error: string; step?: string; code: string }[]
  }
  const { proof, chain, trust, verified, altered } = jsonOf<Proofs>('proof.json')

  test('has a proof that verifies', async () => {
    const { record, closedMembers, logIndex, blockTime } = await verifyProof(proof, factsOf(chain), trust)
    const found = { record, closedMembers, logIndex: String(logIndex), blockTime: String(blockTime) }
    expect(found).toEqual(verified)
  })

  test.each(altered.map((one) => [one.name, one] as const))(
    'has a proof that is refused: %s',
    async (_, one) => {
      const { patches, error, step, code } = one
      const subject = patched({ proof, chain, trust }, patches)
      await expect(verifyProof(subject.proof, factsOf(subject.chain), subject.trust)).rejects.toThrow(
        expect.objectContaining({ name: error, code, ...(step === undefined ? {} : { step }) }),
      )
    },
  )

  test('refuses at every step and with every kind of error', () => {
    expect(new Set(altered.map(({ step }) => step))).toEqual(
      new Set([undefined, 'read', 'record', 'batch', 'anchor', 'log']),
    )
    expect(new Set(altered.map(({ error }) => error)).size).toBe(3)
    expect(altered.length).toBeGreaterThanOrEqual(30)
  })
})

describe('authorized.json', () => {
  type Good = Omit<AuthorizedSubject, 'trust'> & { name: string; verified: { grantId: string } }
  const { good, altered, ...subject } = jsonOf<AuthorizedSubject & { good: Good[]; altered: Altered[] }>(
    'authorized.json',
  )
  const domainOf = ({ anchor, authorization }: JsonProof) => ({
    name: 'Tidemark',
    version: '1',
    chainId: anchor.chainId,
    verifyingContract: authorization?.contract ?? '',
  })
  const verify = ({ proof, chain, rights, trust }: AuthorizedSubject) =>
    verifyProof(proof, factsOf(chain), trust, { ...rightsOf(rights, chain), grantSigner })

  test.each(good.map((one) => [one.name, one] as const))('has a proof that verifies: %s', async (_, one) => {
    const { authorization } = await verify({ ...one, trust: {} })
    const text = JSON.stringify(authorization, (_, value) =>
      typeof value === 'bigint' ? String(value) : value,
    )
    expect(JSON.parse(text)).toEqual(one.verified)
    const { grant = {} } = one.proof.authorization ?? {}
    expect(TypedDataEncoder.hash(domainOf(one.proof), GRANT_TYPES, grant)).toBe(one.verified.grantId)
  })

  test('has events as ethers writes them', () => {
    const contracts = new Interface([
      'event ResourceSet(bytes32 indexed resource, uint32 indexed version, bytes32 indexed owner, uint8 sharing, uint8 level, bytes32 digest, string name)',
      'event Granted(bytes32 indexed grantId, address indexed subject, (address subject, bytes32 consumer, bytes32 resource, bytes32 purpose, uint64 notBefore, uint64 notAfter, uint32 maxCalls, uint256 nonce) grant)',
    ])
    for (const { proof, chain, verified } of good) {
      const { resource, grant, given } = proof.authorization ?? {}
      if (resource === undefined || grant === undefined) throw new Error('each proof shows an authorisation')
      const { version, owner, sharing, level, digest, set } = resource
      const name = proof.record.subject ?? ''
      const kind = ['', 'unconditional', 'conditional', 'prohibited'].indexOf(sharing)
      const eventAt = (place: typeof set) => {
        const receipt = chain.receipts.find(
          ({ transactionHash }) => transactionHash === place.transactionHash,
        )
        const { topics, data } = receipt?.logs.find(({ logIndex }) => logIndex === place.logIndex) ?? {}
        return { topics, data }
      }
      expect(eventAt(set)).toEqual(
        contracts.encodeEventLog('ResourceSet', [
          hexOf(sha256(name)),
          version,
          owner,
          kind,
          level,
          digest,
          name,
        ]),
      )
      if (given === undefined) continue
      expect(eventAt(given)).toEqual(
        contracts.encodeEventLog('Granted', [verified.grantId, grant.subject, grant]),
      )
    }
    expect(good.filter(({ proof }) => proof.authorization?.given !== undefined)).toHaveLength(1)
  })

  test('verifies before it is altered', async () => {
    expect(await verify(subject)).toMatchObject({ authorization: { consent: 'key' } })
  })

  test.each(altered.map((one) => [one.name, one] as const))('has one that is refused: %s', async (_, one) => {
    await expect(verify(patched<AuthorizedSubject>(subject, one.patches))).rejects.toThrow(refusalOf(one))
  })

  test('refuses at every step and with every kind of error', () => {
    expect(new Set(altered.flatMap(({ step }) => step ?? []))).toEqual(new Set(PROOF_STEPS))
    expect(new Set(altered.map(({ error }) => error)).size).toBe(3)
  })
})

describe('offline.json', () => {
  type Good = Omit<OfflineSubject, 'trust'> & { name: string; verified: object }
  const { good, altered, chain, ...subject } = jsonOf<
    OfflineSubject & { good: Good[]; altered: Altered[]; chain: ChainData }
  >('offline.json')
  const verify = ({ offline, ...means }: OfflineSubject) => verifyAny(offline, { ...means, grantSigner })

  test.each(good.map((one) => [one.name, one] as const))('has one that verifies: %s', async (_, one) => {
    const { kind, verified, offline } = await verify({ ...one, trust: {} })
    const { finalBlock, blockTime } = verified
    expect({ kind, finalBlock: String(finalBlock), blockTime: String(blockTime) }).toEqual(one.verified)
    expect(offline?.trustedBlocks.map(({ hash }) => hash)).toEqual(one.trustedBlocks)
  })

  test('has proofs that @ethereumjs/mpt verifies, up to headers whose Keccak-256 is trusted', async () => {
    const prove = async (root: string | undefined, key: string, proof: string[]) => {
      const bytes = proof.map((node) => getBytes(node))
      const value = await verifyMerkleProof(getBytes(key), bytes, { root: getBytes(root ?? '') })
      return value === null ? undefined : hexOf(value)
    }
    for (const { offline, trustedBlocks } of good) {
      for (const [i, { header, transactions, accounts }] of offline.evidence.blocks.entries()) {
        expect(keccak256(header)).toBe(trustedBlocks[i])
        const fields = decodeRlp(header) as string[]
        for (const { index, transactionProof, receiptProof } of transactions) {
          const key = encodeRlp(index === 0 ? '0x' : toBeHex(index))
          expect(JSON.stringify(offline.bundle)).toContain(
            keccak256((await prove(fields[4], key, transactionProof)) ?? ''),
          )
          expect(await prove(fields[5], key, receiptProof)).toBeDefined()
        }
        for (const { address, accountProof, storage } of accounts) {
          const account = decodeRlp((await prove(fields[3], keccak256(address), accountProof)) ?? '')
          for (const { slot, proof } of storage) {
            const root = String(account[2])
            const value = proof.length === 0 ? undefined : await prove(root, keccak256(slot), proof)
            expect(value === undefined ? 0n : BigInt(String(decodeRlp(value)))).toBeLessThan(2n ** 256n)
          }
        }
      }
    }
  })

  test('verifies before it is altered, by trusted blocks and by the chain', async () => {
    expect(await verify(subject)).toMatchObject({ kind: 'proof', verified: { logIndex: 2n } })
    expect(await verifyAny(subject.offline, { chain: factsOf(chain) })).toMatchObject({ kind: 'proof' })
  })

  test.each(altered.map((one) => [one.name, one] as const))('has one that is refused: %s', async (_, one) => {
    const changed = patched<OfflineSubject>(subject, one.patches)
    await expect(verify(changed)).rejects.toThrow(refusalOf(one))
    if (JSON.stringify(changed.offline) === JSON.stringify(subject.offline)) return
    await expect(verifyAny(changed.offline, { chain: factsOf(chain) })).rejects.toThrow()
  })

  test('refuses with every kind of error, and the evidence at a step of its own', () => {
    const steps = new Set(altered.flatMap(({ step }) => step ?? []))
    expect(steps).toEqual(new Set(['read', 'batch', 'anchor', 'log', 'evidence']))
    expect(new Set(altered.map(({ error }) => error)).size).toBe(3)
  })
})

describe('submission.json', () => {
  const { submission, chain, trust, verified, altered } = jsonOf<
    SubmissionSubject & { verified: object; altered: Altered[] }
  >('submission.json')

  test('has a proof that verifies', async () => {
    const { root, size, logIndex, blockTime } = await verifySubmission(submission, factsOf(chain), trust)
    const found = { root: toHex(root), size, logIndex: String(logIndex), blockTime: String(blockTime) }
    expect(found).toEqual(verified)
    expect(rootOf(submission.leaves)).toBe(toHex(root))
  })

  test.each(altered.map((one) => [one.name, one] as const))('has one that is refused: %s', async (_, one) => {
    const subject = patched<SubmissionSubject>({ submission, chain, trust }, one.patches)
    await expect(verifySubmission(subject.submission, factsOf(subject.chain), subject.trust)).rejects.toThrow(
      refusalOf(one),
    )
  })
})

describe('history.json', () => {
  const { history, chain, trust, verified, empty, altered } = jsonOf<
    HistorySubject & { verified: object; empty: JsonHistory; altered: Altered[] }
  >('history.json')

  test('has a history that verifies, and one of nothing', async () => {
    const { records, otherTimes, searched, range, blockTime } = await verifyHistory(
      history,
      factsOf(chain),
      trust,
    )
    const found = { records, otherTimes, searched, range, blockTime }
    const text = JSON.stringify(found, (_, value) => (typeof value === 'bigint' ? String(value) : value))
    expect(JSON.parse(text)).toEqual(verified)
    expect((await verifyHistory(empty, factsOf(chain), trust)).records).toEqual([])
  })

  test.each(altered.map((one) => [one.name, one] as const))('has one that is refused: %s', async (_, one) => {
    const subject = patched<HistorySubject>({ history, chain, trust }, one.patches)
    await expect(verifyHistory(subject.history, factsOf(subject.chain), subject.trust)).rejects.toThrow(
      refusalOf(one),
    )
  })

  test('refuses at every step and with every kind of error', () => {
    expect(new Set(altered.flatMap(({ step }) => step ?? []))).toEqual(new Set(HISTORY_STEPS))
    expect(new Set(altered.map(({ error }) => error)).size).toBe(3)
  })
})

describe('run-history.json', () => {
  const { history, chain, trust, verified, altered } = jsonOf<
    RunHistorySubject & { verified: object; altered: Altered[] }
  >('run-history.json')

  test('has a history over runs that verifies', async () => {
    const { records, searched, range, runs } = await verifyHistory(history, factsOf(chain), trust)
    const found = { records, searched, range, runs }
    const text = JSON.stringify(found, (_, value) => (typeof value === 'bigint' ? String(value) : value))
    expect(JSON.parse(text)).toEqual(verified)
  })

  test.each(altered.map((one) => [one.name, one] as const))('has one that is refused: %s', async (_, one) => {
    const subject = patched<RunHistorySubject>({ history, chain, trust }, one.patches)
    await expect(verifyHistory(subject.history, factsOf(subject.chain), subject.trust)).rejects.toThrow(
      refusalOf(one),
    )
  })

  test('refuses at every step and with every kind of error', () => {
    expect(new Set(altered.flatMap(({ step }) => step ?? []))).toEqual(new Set(HISTORY_STEPS))
    expect(new Set(altered.map(({ error }) => error)).size).toBe(3)
  })
})

describe('receipt.json', () => {
  const { altered, signedSubmission, ...subject } = jsonOf<
    ReceiptSubject & { altered: Altered[]; signedSubmission: Record<string, string> }
  >('receipt.json')
  const verify = ({ receipt, submission, chain, publishers, trust, nowMs }: ReceiptSubject) =>
    verifyReceipt(
      receipt,
      factsOf(chain),
      {
        signerOf: ({ publisher: _, signature, chainId, ledger, root, ...signed }) => {
          const domain = { name: 'Tidemark', version: '1', chainId, verifyingContract: ledger }
          try {
            const value = { ...signed, root: toHex(root), ledger }
            return verifyTypedData(domain, RECEIPT_TYPE, value, signature).toLowerCase() as Hex
          } catch (cause) {
            throw new VerificationError('BAD_SIGNATURE', 'ethers reads no signature', { cause })
          }
        },
        isPublisher: async (_, publisher) => publishers.includes(publisher),
        fetchSubmission: async () => submission ?? undefined,
        now: () => nowMs,
      },
      trust,
    )

  test('has a receipt whose promise was kept, signed as ethers signs', async () => {
    expect((await verify(subject)).receipt.publisher).toBe(subject.receipt.publisher)
  })

  test('has a submission that its source has signed, as ethers reads it', () => {
    const { chainId, ledger, signer, signature, ...value } = signedSubmission
    const domain = { name: 'Tidemark', version: '1', chainId: chainId ?? '', verifyingContract: ledger ?? '' }
    const found = verifyTypedData(domain, { Submission: SUBMISSION_FIELDS }, value, signature ?? '')
    expect(found.toLowerCase()).toBe(signer)
  })

  test.each(altered.map((one) => [one.name, one] as const))('has one that is refused: %s', async (_, one) => {
    await expect(verify(patched<ReceiptSubject>(subject, one.patches))).rejects.toThrow(refusalOf(one))
  })

  test('refuses at every step and with every kind of error', () => {
    const steps = altered.flatMap(({ step }) => step ?? [])
    expect(new Set(steps)).toEqual(new Set(RECEIPT_STEPS))
    expect(new Set(altered.map(({ error }) => error)).size).toBe(3)
  })
})

/** Signatures are read by ethers. */
const grantSigner: RightsFacts['grantSigner'] = ({ chainId, contract }, grant, signature) => {
  const domain = { name: 'Tidemark', version: '1', chainId, verifyingContract: contract }
  try {
    return verifyTypedData(domain, GRANT_TYPES, grant, signature).toLowerCase() as Hex // an ethers address
  } catch {
    return undefined
  }
}

interface Altered {
  name: string
  patches: Patch[]
  error: string
  step?: string
  code: string
}

const refusalOf = ({ error, step, code }: Altered) =>
  expect.objectContaining({ name: error, code, ...(step === undefined ? {} : { step }) })
