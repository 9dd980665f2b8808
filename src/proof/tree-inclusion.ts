import { encodeHeader } from '../batch/index.ts'
import { hashLeaf, rootFromInclusion } from '../merkle/index.ts'
import { canonicalBytes } from '../record/index.ts'
import type { Proof } from './bundle.ts'

/** A leaf in one tree, with nothing that says why the root is to be believed. */
export interface TreeInclusion {
  /** names the tree for ever: a ledger's log, or the records tree of one batch */
  origin: string
  /** leaves */
  size: bigint
  index: bigint
  path: readonly Uint8Array[]
  /** 32 bytes */
  root: Uint8Array
  /** what is hashed with 0x00 before it */
  leaf: Uint8Array
}

/** The record of a proof in the records tree of its batch; a verified proof is one whose root is that of the header. */
export function recordInBatch({ record, inclusion, header, anchor }: Proof): TreeInclusion {
  return {
    origin: `${originOf(anchor)}/${header.publisher}/${header.sequence}`,
    size: BigInt(header.recordCount),
    index: BigInt(inclusion.index),
    path: inclusion.path,
    root: header.recordsRoot,
    leaf: canonicalBytes(record),
  }
}

/** The header of a proof in its ledger's log; the root is the one that the path leads to. */
export function headerInLog({ header, log, anchor }: Proof): TreeInclusion {
  const leaf = encodeHeader(header)
  return {
    origin: originOf(anchor),
    ...log,
    root: rootFromInclusion({ ...log, leafHash: hashLeaf(leaf) }),
    leaf,
  }
}

const originOf = ({ chainId, ledger }: Proof['anchor']) => `tidemark/${chainId}/${ledger}`
