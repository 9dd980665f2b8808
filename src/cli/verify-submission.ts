import { toHex } from '../bytes/hex.ts'
import type { VerifiedSubmission } from '../verify/index.ts'
import { row, sayIn } from './verify-rows.ts'
import {
  anchoredRow,
  anchoredToJson,
  ledgerRow,
  type Trusted,
  trustedRows,
  unpinnedLedger,
} from './verify-trust.ts'

export const submissionToJson = (verified: VerifiedSubmission, asked: Trusted) => ({
  verdict: 'verified',
  root: toHex(verified.root),
  records: verified.size,
  batch: { publisher: verified.header.publisher, sequence: String(verified.header.sequence) },
  ledgerIndex: String(verified.logIndex),
  ...anchoredToJson(verified, asked),
})

/** What has been proven, in plain words, and who was trusted for it. */
export function describeSubmission(verified: VerifiedSubmission, asked: Trusted): string {
  const { root, size, header, anchor } = verified
  const say = sayIn(asked.lang)
  const pin = unpinnedLedger(anchor.ledger, asked.ledger, asked.lang)
  const lines = [
    say('VERIFIED', '验证通过'),
    row(
      say('records', '记录'),
      say(
        `${size}, a whole submission of root ${toHex(root)}`,
        `${size} 条，为一次完整提交，根 ${toHex(root)}`,
      ),
    ),
    row(
      say('batch', '批次'),
      say(
        `${header.sequence} of publisher ${header.publisher}`,
        `发布者 ${header.publisher} 的第 ${header.sequence} 批`,
      ),
    ),
    ledgerRow(verified, asked),
    anchoredRow(verified, asked),
    ...trustedRows(anchor.chainId, pin === undefined ? [] : [pin], asked),
    row(
      say('not shown', '未证明'),
      say(
        'whose submission it is: compare the root with the one that was signed or promised',
        '由谁提交：请将上述根与当时签名或承诺的根对照',
      ),
    ),
  ]
  return `${lines.join('\n')}\n`
}
