import { Command, Option } from 'commander'
import type { Hex } from '../bytes/hex.ts'
import { chainFacts, type Finality } from '../chain/facts.ts'
import { rightsFacts } from '../chain/rights-facts.ts'
import { createRpc } from '../chain/rpc.ts'
import { grantSigner } from '../chain/signing.ts'
import { InputError, VerificationError } from '../errors.ts'
import { HISTORY_FORMAT, parseProof, RUN_HISTORY_FORMAT, toJsonGrant } from '../proof/index.ts'
import type { Language } from '../rules/rule.ts'
import {
  type VerifiedAuthorization,
  type VerifiedProof,
  verifyHistory,
  verifyProof,
} from '../verify/index.ts'
import { crossCheck } from './cross-check.ts'
import { finalityOption, jsonOption, parseAddress, rpcOption } from './options.ts'
import { readBundle } from './read-lines.ts'
import { describeHistory, historyToJson } from './verify-history.ts'
import { verifyReceiptCommand } from './verify-receipt.ts'
import { describeProof, inWords, showSeconds } from './verify-words.ts'

interface VerifyOptions {
  rpc: string
  ledger?: Hex
  authorizations?: Hex
  lang: Language
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
    .addOption(
      new Option(
        '--authorizations <address>',
        'the contract that must decide on the grant of an authorised call',
      ).argParser(parseAddress),
    )
    .addOption(finalityOption())
    .addOption(new Option('--lang <language>', 'of what is said').choices(['en', 'zh']).default('en'))
    .addOption(new Option('--cross-check', 'recompute both roots with merkletreejs too').default(false))
    .addOption(jsonOption())
    .action(verify)
    .addCommand(verifyReceiptCommand())

async function verify(file: string, options: VerifyOptions): Promise<void> {
  const bundle = await readBundle(file)
  try {
    process.stdout.write(await verdictOn(bundle, options))
  } catch (error) {
    throw error instanceof VerificationError && !options.json ? inWords(error, options.lang) : error
  }
}

async function verdictOn(bundle: unknown, options: VerifyOptions): Promise<string> {
  const { ledger, authorizations, finality, json } = options
  const rpc = createRpc(options.rpc)
  const chain = chainFacts(rpc, { finality })
  const trust = {
    ...(ledger !== undefined && { ledger }),
    ...(authorizations !== undefined && { authorizations }),
  }
  if ([HISTORY_FORMAT, RUN_HISTORY_FORMAT].includes(Object(bundle).format)) {
    if (options.crossCheck) throw new InputError('BAD_ARGUMENT', '--cross-check is for proofs')
    const history = await verifyHistory(bundle, chain, trust)
    return json ? `${JSON.stringify(historyToJson(history, options))}\n` : describeHistory(history, options)
  }
  const verified = await verifyProof(bundle, chain, trust, rightsFacts(rpc, grantSigner))
  if (options.crossCheck) await crossCheck(parseProof(bundle), chain)
  return json ? `${JSON.stringify(toJson(verified, options))}\n` : describeProof(verified, options)
}

const toJson = (verified: VerifiedProof, { crossCheck, ledger, authorizations }: VerifyOptions) => ({
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
  blockTime: showSeconds(verified.blockTime),
  finalBlock: String(verified.finalBlock),
  ledgerPinned: ledger !== undefined,
  crossChecked: crossCheck,
  ...(verified.authorization !== undefined && {
    authorization: authorizationToJson(verified.authorization),
    authorizationsPinned: authorizations !== undefined,
  }),
})

const authorizationToJson = ({
  grant,
  registeredAt,
  replacedAt,
  revokedAt,
  asOf,
  ...shown
}: VerifiedAuthorization) => ({
  ...shown,
  grant: toJsonGrant(grant),
  registeredAt: showSeconds(registeredAt),
  ...(replacedAt !== undefined && { replacedAt: showSeconds(replacedAt) }),
  ...(revokedAt !== 0n && { revokedAt: showSeconds(revokedAt) }),
  asOf: { number: String(asOf.number), hash: asOf.hash, time: showSeconds(asOf.timestamp) },
})
