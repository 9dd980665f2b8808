import type { Hex } from '../../bytes/hex.ts'
import { InputError, OperationError, VerificationError } from '../../errors.ts'
import {
  AUTHORIZED_PROOF_FORMAT,
  HISTORY_FORMAT,
  OFFLINE_FORMAT,
  PROOF_FORMAT,
  parseBundle,
  RECEIPT_FORMAT,
  RUN_HISTORY_FORMAT,
  SUBMISSION_FORMAT,
} from '../../proof/index.ts'
import {
  AUTHORIZATION_STEPS,
  HISTORY_STEPS,
  PROOF_STEPS,
  RECEIPT_STEPS,
  refusalWords,
  type Said,
  type TrustedBlock,
  verifyAny,
} from '../../verify/index.ts'
import {
  type Checked,
  type CheckedStep,
  type CheckOptions,
  type Facts,
  type Kind,
  type StepName,
  SUBMISSION_STEPS,
  type Trusted,
} from './checked.ts'
import { type Claims, claimsOf } from './claims.ts'
import { blocksShown, meansOf, nobody } from './means.ts'
import { checkReceipt } from './receipt.ts'
import { UNCHECKED } from './unchecked.ts'

const KINDS: Readonly<Record<string, Kind>> = {
  [PROOF_FORMAT]: 'proof',
  [AUTHORIZED_PROOF_FORMAT]: 'proof',
  [HISTORY_FORMAT]: 'history',
  [RUN_HISTORY_FORMAT]: 'history',
  [SUBMISSION_FORMAT]: 'submission',
  [RECEIPT_FORMAT]: 'receipt',
}

/** What a file is, before any of it is checked. */
interface Given {
  value: unknown
  kind: Kind
  steps: readonly StepName[]
  withEvidence: boolean
}

/**
 * Checks a file of any format. Asks the node that `options` names and nobody else; every error of a check is an answer,
 * and a fault of the program itself leaves the file unchecked.
 */
export async function check(text: string, options: CheckOptions): Promise<Checked> {
  const given = readGiven(text, options)
  if ('verdict' in given) return given
  try {
    return given.kind === 'receipt' ? await receiptOf(given, options) : await bundleOf(given, options)
  } catch (error) {
    return notVerified(given, await firstFault(given, error, options), options)
  }
}

/** Whatever the program did not foresee must not read as a verdict. */
function faultOf({ steps }: Given, error: unknown): Checked {
  return {
    verdict: 'unchecked',
    steps: steps.map((name) => ({ name, state: 'not reached' })),
    reason: reasonOf('FAULT', String(error), UNCHECKED.FAULT),
    trusted: NOBODY,
  }
}

function readGiven(text: string, options: CheckOptions): Given | Checked {
  let value: unknown
  try {
    value = parseBundle(text, 'the file')
  } catch (error) {
    if (error instanceof InputError) return unreadable(error.code, error.message)
    throw error
  }
  const withEvidence = Object(value).format === OFFLINE_FORMAT
  const { format, authorization } = Object(withEvidence ? Object(value).bundle : value)
  const named = typeof format === 'string' && Object.hasOwn(KINDS, format) ? KINDS[format] : undefined
  // A wrapper without a bundle of its own is refused as a wrapper; a receipt has no evidence.
  const kind = withEvidence && (named === undefined || named === 'receipt') ? 'proof' : named
  if (kind === undefined) return unreadable('BAD_BUNDLE', 'the file is of no format that this page knows')
  const steps: StepName[] = [...STEPS[kind]]
  if (kind === 'proof' && authorization !== undefined) steps.push(...AUTHORIZATION_STEPS)
  // Evidence is what the chain is known by; a node that is asked is known first.
  const at = options.rpcUrl === undefined ? steps.indexOf('anchor') : steps.length
  if (withEvidence) steps.splice(at, 0, 'evidence')
  return { value, kind, steps, withEvidence }
}

const STEPS: Readonly<Record<Kind, readonly StepName[]>> = {
  proof: PROOF_STEPS.filter((name) => !(AUTHORIZATION_STEPS as readonly string[]).includes(name)),
  history: HISTORY_STEPS,
  submission: SUBMISSION_STEPS,
  receipt: RECEIPT_STEPS,
}

const NOBODY: Trusted = { blocks: [], believed: [] }

const unreadable = (code: string, detail: string): Checked => ({
  verdict: 'unreadable',
  steps: [],
  reason: { code, detail },
  trusted: NOBODY,
})

async function bundleOf(given: Given, options: CheckOptions): Promise<Checked> {
  const { value, kind, withEvidence } = given
  // All that is shown is believed for the moment, so that what is wrong by itself is told from what nobody trusts yet.
  const shown = withEvidence ? blocksShown(value) : undefined
  const { offline, ...facts } = await verifyAny(value, meansOf(options, shown))
  const blocks = offline?.trustedBlocks ?? []
  const needed = blocks.filter(({ hash }) => !options.trustedBlocks.includes(hash))
  if (needed.length === 0) return verified(given, facts, options, blocks)
  return {
    verdict: 'unchecked',
    kind,
    steps: walk(given, 'evidence'),
    reason: reasonOf('BLOCK_NOT_TRUSTED', '', UNCHECKED.BLOCK_NOT_TRUSTED),
    needed,
    ...withClaims(value),
    trusted: NOBODY,
  }
}

async function receiptOf(given: Given, options: CheckOptions): Promise<Checked> {
  return verified(given, { kind: 'receipt', verified: await checkReceipt(given.value, options) }, options)
}

const verified = (
  given: Given,
  facts: Facts,
  options: CheckOptions,
  blocks: TrustedBlock[] = [],
): Checked => ({
  verdict: 'verified',
  kind: given.kind,
  steps: walk(given),
  facts,
  trusted: trustedOf(facts, options, blocks),
})

/**
 * What to say of evidence that does not show the file: that the file is wrong by itself, in an earlier step; or else
 * only what holds whoever trusts its blocks.
 */
async function firstFault({ value, withEvidence }: Given, error: unknown, options: CheckOptions) {
  if (!withEvidence || options.rpcUrl !== undefined || error instanceof InputError) return error
  if (error instanceof VerificationError && error.step === 'read') return error
  const alone = await faultFrom(verifyAny(Object(value).bundle, nobody()))
  if (!(alone instanceof OperationError)) return alone
  if (error instanceof VerificationError && error.step === 'evidence') return error
  return await faultFrom(verifyAny(value, meansOf(options, options.trustedBlocks)))
}

const faultFrom = (verifying: Promise<unknown>): Promise<unknown> =>
  verifying.then(
    () => new Error('what was refused is accepted'),
    (fault: unknown) => fault,
  )

function notVerified(given: Given, error: unknown, { rpcUrl }: CheckOptions): Checked {
  const trusted: Trusted = { ...NOBODY, ...(rpcUrl !== undefined && { node: rpcUrl }) }
  const { kind } = given
  if (error instanceof InputError) return { ...unreadable(error.code, error.message), kind }
  const claims = withClaims(given.value)
  if (error instanceof VerificationError) {
    const { code, message } = error
    const at = error.step ?? (code === 'BAD_EVIDENCE' ? 'evidence' : 'read')
    const reason = reasonOf(code, message, refusalWords({ code, step: at }))
    return { verdict: 'refuted', kind, steps: walk(given, at, 'failed'), reason, ...claims, trusted }
  }
  if (error instanceof OperationError) {
    const { code, message, step } = error
    const reason = reasonOf(
      code,
      message,
      UNCHECKED[
        step === 'submission' ? 'NO_SUBMISSION' : code === 'BLOCK_NOT_TRUSTED' ? 'STRANGE_BLOCK' : code
      ],
    )
    const steps = walk(given, step ?? (given.withEvidence ? 'evidence' : 'anchor'))
    return { verdict: 'unchecked', kind, steps, reason, ...claims, trusted }
  }
  return faultOf(given, error)
}

/** The steps up to the one where it ended, or all of them. */
function walk({ steps }: Given, end?: string, state: CheckedStep['state'] = 'not reached'): CheckedStep[] {
  const at = end === undefined ? steps.length : steps.map(String).indexOf(end)
  return steps.map((name, i) => ({ name, state: i < at ? 'passed' : i === at ? state : 'not reached' }))
}

const reasonOf = (code: string, detail: string, words?: Said): Checked['reason'] & {} => ({
  code,
  detail,
  ...(words !== undefined && { words }),
})

function withClaims(value: unknown): { claims?: Claims } {
  const claims = claimsOf(value)
  return claims === undefined ? {} : { claims }
}

function trustedOf(facts: Facts, options: CheckOptions, blocks: TrustedBlock[]): Trusted {
  const believed: Trusted['believed'] = []
  const believe = (what: Trusted['believed'][number]['what'], address: Hex, pinned?: Hex) => {
    if (pinned === undefined) believed.push({ what, address })
  }
  if (facts.kind === 'receipt') {
    believe('ledger', facts.verified.receipt.ledger, options.ledger)
    believe('publisher', facts.verified.receipt.publisher, options.publisher)
  } else {
    believe('ledger', facts.verified.anchor.ledger, options.ledger)
  }
  if (facts.kind === 'proof' && facts.verified.authorization !== undefined) {
    const { contract, resource } = facts.verified.authorization
    believe('authorizations', contract, options.authorizations)
    // What a contract rests on is in its code, which no evidence shows.
    if (options.rpcUrl === undefined) believe('registry', resource.registry, options.registry)
  }
  return { ...(options.rpcUrl !== undefined && { node: options.rpcUrl }), blocks, believed }
}
