import { readFileSync } from 'node:fs'
import { zstdCompressSync } from 'node:zlib'
import { id, TypedDataEncoder } from 'ethers'
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
import { toHex } from '../../src/bytes/hex.ts'
import { recoverReceiptSigner } from '../../src/chain/signing.ts'
import { decodeBucket, indexKey } from '../../src/lookup/index.ts'
import { hashLeaf, hashNode, inclusionPath } from '../../src/merkle/index.ts'
import { canonicalText, leafHash, parseRecord, RECORD_TYPES, sealRecord } from '../../src/record/index.ts'

const page = readFileSync(new URL('../../docs/format.md', import.meta.url), 'utf8')
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
  const { header, files } = sealBatch(
    publisher,
    0n,
    [{ source: open.source, sequence: 0n, receivedAt: 1_740_965_101_000, items, vault: [vault, [], []] }],
    zstdCompressSync,
  )

  it('seals, spells and hashes the example as the code does', () => {
    for (const disclosure of [...disclosures, ...vault]) expect(example).toContain(`\`${disclosure}\``)
    expect(between('436 of them:\n\n```\n', '\n```')).toBe(canonicalText(record))
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
    const words = between('lastTime":"1740965100000"}\n```\n\n```\n', '\n```').replaceAll(/\s/g, '')
    expect(words).toBe(toHex(encodeHeader(header)))
    expect(example).toContain(toHex(hashHeader(header)))
  })

  it('lays out the event as the code reads it', () => {
    expect(id(between('canonical signature is `', '`', page))).toBe(APPENDED_TOPIC)
    expect(page).toContain(APPENDED_TOPIC)
    const node = hashHeader(header)
    const data = toHex(new Uint8Array([...encodeHeader(header), ...node]))
    const topics = [APPENDED_TOPIC, `0x${'0'.repeat(64)}`, `0x${'0'.repeat(24)}${publisher.slice(2)}`]
    expect(decodeAppended(topics, data)).toEqual({ index: 0n, header, node })
    for (const name of ['size', 'root', 'peaks', 'deploymentBlock']) {
      expect(page).toContain(id(`${name}()`).slice(0, 10))
    }
  })

  it('signs the example as the code does', () => {
    const ledger = '0x5fbdb2315678afecb367f032d93f642f64180aa3'
    const receipt = {
      source: open.source,
      sequence: 0n,
      root: header.recordsRoot,
      size: 3n,
      receivedAt: 1_740_965_101_000n,
      anchorBy: 1_740_965_701_000n,
    }
    const signature = between('signature of the receipt | `', '`')
    expect(recoverReceiptSigner({ chainId: 31337n, ledger }, receipt, signature as `0x${string}`)).toBe(
      publisher,
    )
    const domain = { name: 'Tidemark', version: '1', chainId: 31337n, verifyingContract: ledger }
    expect(example).toContain(TypedDataEncoder.hashDomain(domain))
    for (const line of page.match(/^(?:Submission|Receipt)\(.*\)$/gm) ?? [])
      expect(example).toContain(id(line))
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
