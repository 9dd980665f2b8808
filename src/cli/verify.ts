import { Command, InvalidArgumentError, Option } from 'commander'
import type { Hex } from '../bytes/hex.ts'
import { chainFacts, type Finality } from '../chain/facts.ts'
import { createRpc } from '../chain/rpc.ts'
import { InputError } from '../errors.ts'
import { parseProof } from '../proof/index.ts'
import { type VerifiedProof, verifyProof } from '../verify/index.ts'
import { crossCheck } from './cross-check.ts'
import { DEFAULT_RPC, jsonOption, parseAddress } from './options.ts'
import { readText } from './read-lines.ts'

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
    .description(
      'check a proof against the chain; exit code 0 verified, 1 refuted, 2 unreadable, 3 could not check',
    )
    .argument('<file>', 'the proof; - for standard input')
    .addOption(
      new Option('--rpc <url>', 'a node of the chain that you trust')
        .env('TIDEMARK_RPC')
        .default(DEFAULT_RPC),
    )
    .addOption(
      new Option('--ledger <address>', 'the ledger that the proof must be of').argParser(parseAddress),
    )
    .addOption(
      new Option('--finality <rule>', '"finalized", or a number of confirmations')
        .argParser(parseFinality)
        .default({ kind: 'tag' } satisfies Finality, 'finalized'),
    )
    .addOption(new Option('--cross-check', 'recompute both roots with merkletreejs too').default(false))
    .addOption(jsonOption())
    .action(verify)

async function verify(file: string, options: VerifyOptions): Promise<void> {
  const bundle = parseBundle(await readText(file, process.stdin), file)
  const chain = chainFacts(createRpc(options.rpc), { finality: options.finality })
  const trust = options.ledger === undefined ? {} : { ledger: options.ledger }
  const verified = await verifyProof(bundle, chain, trust)
  if (options.crossCheck) await crossCheck(parseProof(bundle), chain)
  process.stdout.write(
    options.json ? `${JSON.stringify(toJson(verified, options))}\n` : describe(verified, options),
  )
}

function parseBundle(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new InputError(
      'BAD_BUNDLE',
      `${file} is not JSON, perhaps cut off: ${(cause as Error).message}`,
      {},
      { cause },
    )
  }
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

function parseFinality(text: string): Finality {
  if (text === 'finalized') return { kind: 'tag' }
  if (/^[1-9]\d{0,5}$/.test(text)) return { kind: 'depth', confirmations: Number(text) }
  throw new InvalidArgumentError('must be "finalized" or a number of confirmations')
}
