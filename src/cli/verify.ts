import { Command, Option } from 'commander'
import type { Hex } from '../bytes/hex.ts'
import { chainFacts, type Finality } from '../chain/facts.ts'
import { createRpc } from '../chain/rpc.ts'
import { InputError } from '../errors.ts'
import { HISTORY_FORMAT, parseProof, RUN_HISTORY_FORMAT } from '../proof/index.ts'
import { type VerifiedProof, verifyHistory, verifyProof } from '../verify/index.ts'
import { crossCheck } from './cross-check.ts'
import { finalityOption, jsonOption, parseAddress, rpcOption } from './options.ts'
import { readBundle } from './read-lines.ts'
import { describeHistory, historyToJson } from './verify-history.ts'
import { verifyReceiptCommand } from './verify-receipt.ts'

interface VerifyOptions {
  rpc: string
  ledger?: Hex
  finality: Finality
  crossCheck: boolean
  json: boolean
}

/** `tidemark verify`: checks a bundle against a chain, and nothing else. */
export const verifyCommand = () =>
  new Command('verify')
    // Otherwise the options of "verify receipt" would be taken for those of "verify".
    .enablePositionalOptions()
    .description(
      'check a proof or a history against the chain; exit code 0 verified, 1 refuted, 2 unreadable, 3 could not check',
    )
    .argument('<file>', 'the bundle; - for standard input')
    .addOption(rpcOption())
    .addOption(
      new Option('--ledger <address>', 'the ledger that the proof must be of').argParser(parseAddress),
    )
    .addOption(finalityOption())
    .addOption(new Option('--cross-check', 'recompute both roots with merkletreejs too').default(false))
    .addOption(jsonOption())
    .action(verify)
    .addCommand(verifyReceiptCommand())

async function verify(file: string, options: VerifyOptions): Promise<void> {
  const bundle = await readBundle(file)
  const chain = chainFacts(createRpc(options.rpc), { finality: options.finality })
  const trust = options.ledger === undefined ? {} : { ledger: options.ledger }
  if ([HISTORY_FORMAT, RUN_HISTORY_FORMAT].includes(Object(bundle).format)) {
    if (options.crossCheck) throw new InputError('BAD_ARGUMENT', '--cross-check is for proofs')
    const history = await verifyHistory(bundle, chain, trust)
    const text = options.json
      ? `${JSON.stringify(historyToJson(history, options))}\n`
      : describeHistory(history, options)
    process.stdout.write(text)
    return
  }
  const verified = await verifyProof(bundle, chain, trust)
  if (options.crossCheck) await crossCheck(parseProof(bundle), chain)
  process.stdout.write(
    options.json ? `${JSON.stringify(toJson(verified, options))}\n` : describe(verified, options),
  )
}

const toJson = (verified: VerifiedProof, { crossCheck, ledger }: VerifyOptions) => ({
  verdict: 'verified',
  record: verified.record,
  closedMembers: verified.closedMembers,
  batch: { publisher: verified.header.publisher, sequence: String(verified.header.sequence) },
  ledgerIndex: String(verified.logIndex),
  anchor: {
    ...verified.anchor,
    chainId: String(verified.anchor.chainId),
    blockNumber: String(verified.anchor.blockNumber),
  },
  blockTime: blockTime(verified),
  finalBlock: String(verified.finalBlock),
  ledgerPinned: ledger !== undefined,
  crossChecked: crossCheck,
})

function describe(verified: VerifiedProof, { rpc, ledger, crossCheck }: VerifyOptions): string {
  const { record, header, anchor, logIndex, finalBlock, closedMembers } = verified
  const lines = [
    'VERIFIED',
    `  record    ${record.id} of ${record.source}`,
    `            ${record.type} at ${record.time}${closedMembers > 0 ? `, ${closedMembers} of its members kept closed` : ''}`,
    `  batch     ${header.sequence} of publisher ${header.publisher}, ${header.recordCount} records`,
    `  ledger    entry ${logIndex} of ${anchor.ledger} on chain ${anchor.chainId}`,
    `  anchored  block ${anchor.blockNumber} at ${blockTime(verified)}; final block ${finalBlock}`,
    crossCheck ? '  checked   by Tidemark and, for both roots, by merkletreejs' : undefined,
    `  trusted   the node at ${rpc}${ledger === undefined ? `, and that ${anchor.ledger} is the ledger: pin it with --ledger` : ''}`,
  ]
  return `${lines.filter((line) => line !== undefined).join('\n')}\n`
}

const blockTime = ({ blockTime }: VerifiedProof) => new Date(Number(blockTime) * 1_000).toISOString()
