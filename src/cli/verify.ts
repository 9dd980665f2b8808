import { Command, Option } from 'commander'
import type { Hex } from '../bytes/hex.ts'
import { chainFacts, type Finality } from '../chain/facts.ts'
import { rightsFacts } from '../chain/rights-facts.ts'
import { createRpc } from '../chain/rpc.ts'
import { grantSigner } from '../chain/signing.ts'
import { InputError, VerificationError } from '../errors.ts'
import { OFFLINE_FORMAT, parseOffline, parseProof, toJsonGrant } from '../proof/index.ts'
import type { Language } from '../rules/rule.ts'
import {
  blockHashes,
  evidenceFacts,
  type VerifiedAny,
  type VerifiedAuthorization,
  type VerifiedProof,
  verifyAny,
} from '../verify/index.ts'
import { crossCheck as crossCheckProof } from './cross-check.ts'
import { finalityOption, jsonOption, parseAddress, parseHash, rpcOption } from './options.ts'
import { readBundle } from './read-lines.ts'
import { describeHistory, historyToJson } from './verify-history.ts'
import { verifyReceiptCommand } from './verify-receipt.ts'
import { showSeconds } from './verify-rows.ts'
import { describeSubmission, submissionToJson } from './verify-submission.ts'
import { anchoredToJson } from './verify-trust.ts'
import { type Asked, describeProof, inWords } from './verify-words.ts'

interface VerifyOptions {
  rpc: string
  trustedBlock: Hex[]
  ledger?: Hex
  authorizations?: Hex
  registry?: Hex
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
      'check a proof, a history or a submission against the chain, or against blocks that you trust; exit code 0 verified, 1 refuted, 2 unreadable, 3 could not check',
    )
    .argument('<file>', 'the bundle; - for standard input')
    .addOption(rpcOption())
    .addOption(
      new Option(
        '--trusted-block <hash>',
        'ask no node: the hash of a block known to be final, for a bundle with evidence; repeatable',
      )
        .argParser((hash, others: Hex[]) => [...others, parseHash(hash)])
        .default([]),
    )
    .addOption(
      new Option('--ledger <address>', 'the ledger that the proof must be of').argParser(parseAddress),
    )
    .addOption(
      new Option(
        '--authorizations <address>',
        'the contract that must decide on the grant of an authorised call',
      ).argParser(parseAddress),
    )
    .addOption(
      new Option('--registry <address>', 'the registry that the grant must rest on').argParser(parseAddress),
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
  const { rpc, ledger, authorizations, registry, trustedBlock: trustedBlocks, crossCheck, lang } = options
  const isOffline = trustedBlocks.length > 0
  const pins = {
    ...(ledger !== undefined && { ledger }),
    ...(authorizations !== undefined && { authorizations }),
    ...(registry !== undefined && { registry }),
  }
  const means = isOffline ? { trustedBlocks } : nodeAt(options)
  const found = await verifyAny(bundle, { ...means, trust: pins, grantSigner })
  const shown = shownIn(bundle)
  const asked = { rpc, isOffline, shownBy: shown?.blocks ?? [], ...pins, crossCheck, lang }
  if (crossCheck) {
    if (found.kind !== 'proof') throw new InputError('BAD_ARGUMENT', '--cross-check is for proofs')
    const chain = shown !== undefined && isOffline ? shown.chain : nodeAt(options).chain
    await crossCheckProof(parseProof(shown?.bundle ?? bundle), chain)
  }
  return options.json ? `${JSON.stringify(toJson(found, asked))}\n` : describe(found, asked)
}

function nodeAt({ rpc: url, finality }: VerifyOptions) {
  const rpc = createRpc(url)
  return { chain: chainFacts(rpc, { finality }), rights: rightsFacts(rpc, grantSigner) }
}

/** What the evidence of a verified bundle shows, if it brings any. */
function shownIn(bundle: unknown) {
  if (Object(bundle).format !== OFFLINE_FORMAT) return undefined
  const { bundle: inner, evidence } = parseOffline(bundle)
  const { chain, blocks } = evidenceFacts(evidence, { trustedBlocks: blockHashes(evidence), grantSigner })
  return { bundle: inner, chain, blocks }
}

function describe(found: VerifiedAny, asked: Asked): string {
  switch (found.kind) {
    case 'history':
      return describeHistory(found.verified, asked)
    case 'submission':
      return describeSubmission(found.verified, asked)
    case 'proof':
      return describeProof(found.verified, asked)
  }
}

function toJson(found: VerifiedAny, asked: Asked) {
  const evidence = {
    offline: asked.isOffline,
    ...(asked.shownBy.length > 0 && {
      shownBy: asked.shownBy.map(({ number, hash, timestamp }) => ({
        number: String(number),
        hash,
        time: showSeconds(timestamp),
      })),
    }),
  }
  switch (found.kind) {
    case 'history':
      return { ...historyToJson(found.verified, asked), ...evidence }
    case 'submission':
      return { ...submissionToJson(found.verified, asked), ...evidence }
    case 'proof':
      return { ...proofToJson(found.verified, asked), ...evidence }
  }
}

const proofToJson = (verified: VerifiedProof, asked: Asked) => ({
  verdict: 'verified',
  record: verified.record,
  closedMembers: verified.closedMembers,
  batch: { publisher: verified.header.publisher, sequence: String(verified.header.sequence) },
  ledgerIndex: String(verified.logIndex),
  ...anchoredToJson(verified, asked),
  crossChecked: asked.crossCheck,
  ...(verified.authorization !== undefined && {
    authorization: authorizationToJson(verified.authorization),
    authorizationsPinned: asked.authorizations !== undefined,
    registryPinned: asked.registry !== undefined,
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
