import type { Language } from '../rules/rule.ts'
import type { TrustedBlock, VerifiedSubmission } from '../verify/index.ts'
import { row, sayIn, showSeconds } from './verify-rows.ts'

/** Whom a verification asked, and what it was told beforehand. */
export interface Trusted {
  rpc: string
  /** whether no node was asked */
  isOffline: boolean
  /** where the bundle brought evidence: the blocks whose hashes show all of it */
  shownBy: readonly TrustedBlock[]
  ledger?: string
  authorizations?: string
  registry?: string
  lang: Language
}

/** Who was trusted: a node, or blocks that somebody else vouches for. */
export function trustedRows(chainId: bigint, unpinned: readonly string[], asked: Trusted): string[] {
  const { rpc, isOffline, shownBy, lang } = asked
  const say = sayIn(lang)
  const blocks = shownBy.map(({ number, hash, timestamp }) =>
    row(
      '',
      say(
        `block ${number} of ${showSeconds(timestamp)}, ${hash}`,
        `区块 ${number}，${showSeconds(timestamp)}，${hash}`,
      ),
    ),
  )
  if (isOffline) {
    const final = say(
      `no node, but that these are final blocks of chain ${chainId}:`,
      `无需节点，但须相信以下为链 ${chainId} 的最终区块：`,
    )
    return [
      row(say('trusted', '信任'), final),
      ...blocks,
      ...unpinned.map((pin) => row('', say(`and ${pin}`, `并相信 ${pin}`))),
    ]
  }
  const node = [say(`the node at ${rpc}`, `节点 ${rpc}`), ...unpinned].join(say(', and ', '；并相信 '))
  const trusted = row(say('trusted', '信任'), node)
  if (blocks.length === 0) return [trusted]
  const same = say(
    'shows the same without a node, to whoever trusts these blocks:',
    '无需节点亦可证明，只须相信以下区块：',
  )
  return [trusted, row(say('evidence', '证据'), same), ...blocks]
}

/** Undefined where the ledger was named beforehand. */
export function unpinnedLedger(
  ledger: string,
  pinned: string | undefined,
  lang: Language,
): string | undefined {
  if (pinned !== undefined) return undefined
  return sayIn(lang)(
    `that ${ledger} is the ledger: pin it with --ledger`,
    `${ledger} 即为账本：可用 --ledger 指定`,
  )
}

type Anchored = Pick<VerifiedSubmission, 'anchor' | 'blockTime' | 'finalBlock'>

/** Where on which chain it is, for machines. */
export const anchoredToJson = ({ anchor, blockTime, finalBlock }: Anchored, { ledger }: Trusted) => ({
  anchor: { ...anchor, chainId: String(anchor.chainId), blockNumber: String(anchor.blockNumber) },
  blockTime: showSeconds(blockTime),
  finalBlock: String(finalBlock),
  ledgerPinned: ledger !== undefined,
})

/** When the chain took it, and up to where the chain was known. */
export function anchoredRow(
  { anchor, blockTime, finalBlock }: Anchored,
  { isOffline, lang }: Trusted,
): string {
  const say = sayIn(lang)
  const upTo = isOffline ? say('highest block shown', '所示最高区块') : say('final block', '最终区块')
  return row(
    say('anchored', '上链'),
    say(
      `block ${anchor.blockNumber} at ${showSeconds(blockTime)}; ${upTo} ${finalBlock}`,
      `区块 ${anchor.blockNumber}，${showSeconds(blockTime)}；${upTo} ${finalBlock}`,
    ),
  )
}

/** The place in the ledger's log. */
export function ledgerRow(
  { anchor: { ledger, chainId }, logIndex }: Pick<VerifiedSubmission, 'anchor' | 'logIndex'>,
  { lang }: Trusted,
): string {
  const say = sayIn(lang)
  const place = say(
    `entry ${logIndex} of ${ledger} on chain ${chainId}`,
    `链 ${chainId} 上 ${ledger} 的第 ${logIndex} 项`,
  )
  return row(say('ledger', '账本'), place)
}
