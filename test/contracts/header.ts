import { AbiCoder, sha256 } from 'ethers'

/** The tuple that ILedger.Header is. */
export type Header = {
  publisher: string
  sequence: bigint
  recordsRoot: string
  recordCount: number
  indexRoot: string
  indexSize: number
  firstTime: bigint
  lastTime: bigint
}

/** 32 bytes that look random and depend on the text alone. */
export const digest = (text: string): string => sha256(new TextEncoder().encode(text))

export const hashNode = (left: string, right: string): string =>
  sha256(`0x01${left.slice(2)}${right.slice(2)}`)

/** A realistic header: full roots, a batch of 4096 records that took one minute. */
export function headerOf(publisher: string, sequence: bigint, change: Partial<Header> = {}): Header {
  const firstTime = 1_790_000_000_000n + sequence * 60_000n
  return {
    publisher,
    sequence,
    recordsRoot: digest(`records ${sequence}`),
    recordCount: 4096,
    indexRoot: digest(`index ${sequence}`),
    indexSize: 900,
    firstTime,
    lastTime: firstTime + 59_421n,
    ...change,
  }
}

export const headersOf = (publisher: string, first: bigint, count: number): Header[] =>
  Array.from({ length: count }, (_, i) => headerOf(publisher, first + BigInt(i)))

const HEADER = 'tuple(address,uint64,bytes32,uint32,bytes32,uint32,uint64,uint64)'

/** `SHA-256(0x00 || abi.encode(header))`, by ethers. */
export const leafOf = (header: Header): string =>
  sha256(
    `0x00${AbiCoder.defaultAbiCoder()
      .encode([HEADER], [Object.values(header)])
      .slice(2)}`,
  )

/** The root that a leaf and its path imply below a peak: the bits of the index tell the side. */
export function climb(leafHash: string, index: bigint, path: string[]): string {
  return path.reduce(
    (hash, sibling, level) =>
      (index >> BigInt(level)) & 1n ? hashNode(sibling, hash) : hashNode(hash, sibling),
    leafHash,
  )
}
