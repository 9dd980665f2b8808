import { readFileSync } from 'node:fs'
import { zstdCompressSync } from 'node:zlib'
import { id, recoverAddress, TypedDataEncoder } from 'ethers'
import { describe, expect, it } from 'vitest'
import {
  APPENDED_TOPIC,
  decodeAppended,
  encodeHeader,
  encodeItem,
  hashHeader,
  sealBatch,
  toJsonHeader,
} from '../../src/batch/index.ts'
import { type Hex, toHex } from '../../src/bytes/hex.ts'
import { recoverReceiptSigner } from '../../src/chain/signing.ts'
import { decodeBucket, indexKey } from '../../src/lookup/index.ts'
import { hashLeaf, hashNode, inclusionPath } from '../../src/merkle/index.ts'
import {
  type JsonProof,
  parseProof,
  type Receipt,
  toJsonProof,
  toJsonReceipt,
} from '../../src/proof/index.ts'
import { canonicalText, leafHash, parseRecord, RECORD_TYPES, sealRecord } from '../../src/record/index.ts'
import { type ChainFacts, type TransactionReceipt, verifyProof } from '../../src/verify/index.ts'
import { authorizedWorld } from '../verify/authorized-world.ts'
import { mint } from '../verify/evidence-world.ts'
import { historyWorld, personOf, runWorld } from '../verify/history-world.ts'
import { worldOf } from '../verify/world.ts'

/** The formats as written, their tables without padding. */
const page = readFileSync(new URL('../../docs/format.md', import.meta.url), 'utf8').replaceAll(/ +\|/g, ' |')
const example = page.slice(page.indexOf('## 16 '))

/** The text between two marks of the page. */
function between(start: string, end: string, from = example): string {
  const at = from.indexOf(start)
  if (at < 0) throw new Error(`docs/format.md does not hold ${start}`)
  return from.slice(at + start.length, from.indexOf(end, at + start.length))
}

describe('docs/format.md', () => {
  const open = parseRecord(JSON.parse(between('```json\n', '\n```')))
  let calls = 0
  const { record, disclosures, vault } = sealRecord(open, () => new Uint8Array(16).fill(++calls))
  const beats = between('two more records:\n\n```\n', '\n```')
    .split('\n')
    .map((line) => ({ record: parseRecord(JSON.parse(line)), disclosures: [] }))
  const items = [{ record, disclosures }, ...beats]
  const leaves = items.map((item) => leafHash(item.record))
  const publisher = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8'
  const eventTopics: Hex[] = [
    APPENDED_TOPIC,
    `0x${'0'.repeat(64)}`,
    `0x${'0'.repeat(24)}${publisher.slice(2)}`,
  ]
  const { header, files } = sealBatch(
    publisher,
    0n,
    [
      {
        source: open.source,
        sequence: 0n,
        receivedAt: 1_740_965_101_000,
        signature: null,
        items,
        vault: [vault, [], []],
      },
    ],
    zstdCompressSync,
  )

  it('seals, spells and hashes the example as the code does', () => {
    for (const disclosure of [...disclosures, ...vault]) expect(example).toContain(`\`${disclosure}\``)
    expect(between('stands in both lists:\n\n```\n', '\n```')).toBe(canonicalText(record))
    expect(example).toContain(`${canonicalText(record).length} of them`)
    expect(between('two more records:\n\n```\n', '\n```')).toBe(beats.map(encodeItem).join('\n'))
    const [first, second] = leaves as [Uint8Array, Uint8Array, Uint8Array]
    for (const hash of [...leaves, hashNode(first, second), header.recordsRoot])
      expect(example).toContain(toHex(hash))
    expect(inclusionPath(leaves, 2)).toEqual([hashNode(first, second)])
  })

  it('shows the index and the header that the code makes', () => {
    const bucket = Buffer.from(between('224 bytes:\n\n```\n0x', '\n```'), 'hex')
    expect(hashLeaf(bucket)).toEqual(header.indexRoot)
    for (const { key } of decodeBucket(new Uint8Array(bucket)).entries) expect(example).toContain(toHex(key))
    expect(example).toContain(toHex(indexKey('request', 'r-2')))
    expect([files['index.bin'].length, files['tree.bin'].length]).toEqual([272, 96])
    expect(JSON.parse(between(`${publisher}\`:\n\n\`\`\`json\n`, '\n```'))).toEqual(toJsonHeader(header))
    const words = between('"1740965100000"\n}\n```\n\n```\n', '\n```').replaceAll(/\s/g, '')
    expect(words).toBe(toHex(encodeHeader(header)))
    expect(example).toContain(toHex(hashHeader(header)))
  })

  it('lays out the event as the code reads it', () => {
    expect(id(between('canonical signature is `', '`', page))).toBe(APPENDED_TOPIC)
    expect(page).toContain(APPENDED_TOPIC)
    const node = hashHeader(header)
    const data = toHex(new Uint8Array([...encodeHeader(header), ...node]))
    expect(decodeAppended(eventTopics, data)).toEqual({ index: 0n, header, node })
    for (const name of ['size', 'root', 'peaks', 'deploymentBlock']) {
      expect(page).toContain(id(`${name}()`).slice(0, 10))
    }
  })

  const ledger = '0x5fbdb2315678afecb367f032d93f642f64180aa3'
  const receipt: Receipt = {
    source: open.source,
    sequence: 0n,
    root: header.recordsRoot,
    size: items.length,
    receivedAt: 1_740_965_101_000,
    anchorBy: 1_740_965_701_000,
    chainId: 31337n,
    ledger,
    publisher,
    signature: between('signature of the receipt | `', '`') as Hex,
  }

  it('signs the example as the code does', () => {
    const { chainId, signature, root, ...members } = receipt
    const signed = {
      ...members,
      root,
      size: 3n,
      receivedAt: BigInt(receipt.receivedAt),
      anchorBy: BigInt(receipt.anchorBy),
    }
    expect(recoverReceiptSigner({ chainId, ledger }, signed, signature)).toBe(publisher)
    const domain = { name: 'Tidemark', version: '1', chainId, verifyingContract: ledger }
    expect(example).toContain(TypedDataEncoder.hashDomain(domain))
    for (const name of ['Submission', 'Receipt']) {
      const type = name + between(`\n${name}`, '\n', page)
      const fields = between('(', ')', type)
        .split(',')
        .map((field) => {
          const [type = '', name = ''] = field.split(' ')
          return { name, type }
        })
      expect(example).toContain(id(type))
      const digest = TypedDataEncoder.hash(domain, { [name]: fields }, { ...signed, root: toHex(root) })
      expect(example).toContain(digest)
      if (name === 'Receipt') expect(recoverAddress(digest, signature).toLowerCase()).toBe(publisher)
    }
  })

  it('spells the receipt as the code does, member by member', () => {
    const json = toJsonReceipt(receipt)
    expect(JSON.parse(between('receipt as JSON:\n\n```json\n', '\n```'))).toEqual(json)
    const section = between('### 11.2 ', '### 11.3 ', page)
    expect(tableNames(section).match(/\w+/g)?.sort()).toEqual(Object.keys(json).sort())
  })

  it('shows a proof that the code verifies, open and closed', async () => {
    const proof = JSON.parse(between('hash are invented:\n\n```json\n', '\n```')) as JsonProof
    expect(toJsonProof(parseProof(proof))).toEqual(proof)
    const section = between('## 12 ', '### 12.1 ', page)
    const { inclusion, log, anchor, ...whole } = proof
    const nested = Object.entries({ inclusion, log, anchor })
    const names = nested.flatMap(([name, part]) => Object.keys(part).map((member) => `${name}.${member}`))
    expect(
      tableNames(section)
        .match(/[\w.]+/g)
        ?.sort(),
    ).toEqual([...Object.keys(whole), ...names].sort())

    const chain = chainOf(proof)
    const closed = await verifyProof(proof, chain, { ledger })
    expect([closed.closedMembers, closed.record.data.person]).toEqual([2, undefined])
    const opened = await verifyProof({ ...proof, disclosures }, chain, { ledger })
    expect([opened.closedMembers, opened.record.data.person]).toEqual([1, open.data.person])
  })

  it('lists the members of the proof of a submission', () => {
    const { leaves, range, format, ...anchored } = worldOf([[[3]]]).proveSubmission(0, 0, 2)
    expect(Object.keys(anchored).sort()).toEqual(['anchor', 'batch', 'log'])
    expect(leaves).toHaveLength(2)
    const section = between('### 12.1 ', '### 12.2 ', page)
    expect(section).toContain(`"${format}"`)
    const names = ['format', 'leaves', ...Object.keys(range).map((name) => `range.${name}`)]
    expect(
      tableNames(section)
        .match(/[\w.]+/g)
        ?.sort(),
    ).toEqual(names.sort())
  })

  it('lists the members of the proof of an authorised call', async () => {
    const { proof } = await authorizedWorld({ sets: [1, 4], showNext: true })
    const { authorization, format } = proof()
    const section = between('### 12.4 ', '### 12.5 ', page)
    expect(section).toContain(`"${format}"`)
    const { contract, grant, signature, resource, revocation } = authorization ?? {}
    expect([contract, grant, signature].includes(undefined)).toBe(false)
    const names = ['contract', 'grant', 'signature', 'given', ...dotted({ resource, revocation })]
    expect(
      tableNames(section)
        .match(/[\w.]+/g)
        ?.sort(),
    ).toEqual(names.sort())
  })

  it('lists the members of evidence', () => {
    const { data, prove } = worldOf([[[1]], [[1]]])
    const { format, evidence } = mint(data).wrap(prove(0, 0))
    const { transactions = [] } = evidence.blocks[0] ?? {}
    const { accounts = [] } = evidence.blocks[1] ?? {}
    const parts = [evidence.blocks[0], transactions[0], accounts[0], accounts[0]?.storage[0]]
    const section = between('### 12.5 ', '## 13 ', page)
    expect(section).toContain(`"${format}"`)
    const names = ['format', 'bundle', ...Object.keys(evidence).map((name) => `evidence.${name}`)]
    expect(
      tableNames(section)
        .match(/[\w.]+/g)
        ?.sort(),
    ).toEqual([...names, ...parts.flatMap((part) => Object.keys(part ?? {}))].sort())
  })

  it('lists the members of a history, those of its batches too', async () => {
    const calls = Array.from({ length: 9 }, () => ({ person: 0, minute: 1 }))
    const { batches, anchor: _, ...head } = await historyWorld([calls]).history('person', personOf(0))
    const section = between('### 12.2 ', '### 12.3 ', page)
    expect(section).toContain(`"${head.format}"`)
    const [batch] = batches
    expect(
      tableNames(section)
        .match(/[\w.]+/g)
        ?.sort(),
    ).toEqual([...dotted(head), 'batches', ...dotted({ ...batch })].sort())
  })

  it('lists the members of a history over runs, those of its runs too', async () => {
    const { runHistory } = await runWorld([[{ person: 0, minute: 1 }], { first: 0, count: 1 }])
    const { parts, format } = await runHistory('person', personOf(0))
    const section = between('### 12.3 ', '### 12.4 ', page)
    expect(section).toContain(`"${format}"`)
    const [part] = parts
    if (part === undefined || !('run' in part)) throw new Error('the first part is a run')
    const names = [
      'format',
      'range.size',
      'anchor',
      'parts',
      'path',
      'lookup',
      'batches',
      ...dotted({ run: part.run }),
    ]
    expect(
      tableNames(section)
        .match(/[\w.]+/g)
        ?.sort(),
    ).toEqual(names.sort())
  })

  /** A chain that holds the batch, and nothing else, where the proof says. */
  function chainOf({ anchor }: JsonProof): ChainFacts {
    const node = hashHeader(header)
    const block = {
      number: BigInt(anchor.blockNumber),
      hash: anchor.blockHash,
      timestamp: 0n,
      transactionHashes: [anchor.transactionHash],
    }
    const receipt: TransactionReceipt = {
      blockNumber: block.number,
      blockHash: block.hash,
      succeeded: true,
      logs: [
        {
          address: anchor.ledger,
          topics: eventTopics,
          data: toHex(new Uint8Array([...encodeHeader(header), ...node])),
          logIndex: anchor.logIndex,
        },
      ],
    }
    return {
      chainId: async () => BigInt(anchor.chainId),
      headBlock: async () => block.number,
      finalBlock: async () => block.number,
      blockByNumber: async () => block,
      blockByHash: async () => block,
      receipt: async () => receipt,
      ledgerRoot: async () => node,
    }
  }

  it('names no code that the code does not have', () => {
    const errors = readFileSync(new URL('../../src/errors.ts', import.meta.url), 'utf8')
    const codes = new Set(page.match(/(?<=`)[A-Z]+(?:_[A-Z]+)+(?=`)/g))
    for (const code of codes) expect(errors, code).toContain(`'${code}'`)
    expect(codes.size).toBeGreaterThan(15)
  })

  it('lists the members of every type of record, and no others', () => {
    const section = between('### 4.3 ', '### 4.4 ', page)
    const names = Object.keys(RECORD_TYPES)
    names.forEach((type, i) => {
      const next = names[i + 1]
      const text = between(
        `**\`${type}\`**`,
        next === undefined ? '\u0000' : `**\`${next}\`**`,
        `${section}\u0000`,
      )
      const rows = text.startsWith(', another') || text.startsWith(', nothing') ? text : tableNames(text)
      const spec = RECORD_TYPES[type as keyof typeof RECORD_TYPES]
      const members = { open: spec.open, pseudonyms: spec.pseudonyms, privates: spec.privates }
      const expected = Object.values(members).flatMap((group) => Object.keys(group))
      for (const member of expected) expect(rows, `${type} ${member}`).toContain(`\`${member}\``)
      if (rows !== text) expect(rows.match(/`\w+`/g)).toHaveLength(expected.length)
    })
  })
})

/** First cells of the table rows. */
const tableNames = (text: string) =>
  text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|')[1])
    .join()

/** Names of the members of an object, those of its parts behind theirs. */
const dotted = (value: object): string[] =>
  Object.entries(value).flatMap(([name, part]: [string, unknown]) =>
    typeof part === 'object' && part !== null
      ? Object.keys(part).map((member) => `${name}.${member}`)
      : [name],
  )
