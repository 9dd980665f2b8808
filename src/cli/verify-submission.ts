import { toHex } from '../bytes/hex.ts'
import type { VerifiedSubmission } from '../verify/index.ts'
import { showSeconds } from './verify-words.ts'

interface Asked {
  rpc: string
  ledger?: string
}

export const submissionToJson = (verified: VerifiedSubmission, { ledger }: Asked) => ({
  verdict: 'verified',
  root: toHex(verified.root),
  records: verified.size,
  batch: { publisher: verified.header.publisher, sequence: String(verified.header.sequence) },
  ledgerIndex: String(verified.logIndex),
  anchor: {
    ...verified.anchor,
    chainId: String(verified.anchor.chainId),
    blockNumber: String(verified.anchor.blockNumber),
  },
  blockTime: showSeconds(verified.blockTime),
  finalBlock: String(verified.finalBlock),
  ledgerPinned: ledger !== undefined,
})

/** What has been proven, in plain words, and what has not: whose submission it is, its root says to who knows that. */
export function describeSubmission(verified: VerifiedSubmission, { rpc, ledger }: Asked): string {
  const { root, size, header, logIndex, anchor, blockTime, finalBlock } = verified
  const unpinned =
    ledger === undefined ? `, and that ${anchor.ledger} is the ledger: pin it with --ledger` : ''
  return `VERIFIED
  records   ${size}, one after the other, with root ${toHex(root)}
  batch     ${header.sequence} of publisher ${header.publisher}, ${header.recordCount} records
  ledger    entry ${logIndex} of ${anchor.ledger} on chain ${anchor.chainId}
  anchored  block ${anchor.blockNumber} at ${showSeconds(blockTime)}; final block ${finalBlock}
  trusted   the node at ${rpc}${unpinned}
  not shown whose submission it is: compare the root with the one that was signed or promised
`
}
