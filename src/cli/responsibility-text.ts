import { Compile } from 'typebox/compile'
import type { JsonResponsibility } from '../api/responsibility.ts'
import { Responsibility } from '../api/schemas.ts'
import { OperationError } from '../errors.ts'
import { RULES } from '../rules/index.ts'
import type { Language } from '../rules/rule.ts'
import { printable } from './report-text.ts'
import { WORDS, type Words } from './responsibility-words.ts'

type AccountFound = JsonResponsibility['accounts'][number]

const validator = Compile(Responsibility)

/**
 * What GET /v1/responsibility answered, in words.
 *
 * @throws {OperationError} `GATEWAY_UNREACHABLE` when it is not such an answer
 */
export function describeResponsibility(answer: unknown, lang: Language): string {
  if (!validator.Check(answer)) {
    throw new OperationError('GATEWAY_UNREACHABLE', 'the server does not answer as one of this version')
  }
  // Its schema is what was checked.
  const value = answer as unknown as JsonResponsibility
  const text = WORDS[lang]
  const { record, provider, consumer, resource, operation, outcome, reason } = value
  const rows: [name: string, ...lines: string[]][] = [
    [text.subject(record.type), text.of(record.id, record.source, record.time)],
    [text.provided, provider],
    [text.used, consumer],
    [text.resource, `${resource} (${operation})`],
    [text.purpose, value.purpose ?? text.notStated],
    [text.basis, value.legalBasis ?? text.notStated],
    [text.outcome, reason === null ? outcome : `${outcome}: ${reason}`],
    [text.grant, ...grantLines(value, text)],
    [text.records, ...keptLines(value, text), ...value.accounts.flatMap((one) => accountLines(one, text))],
    [text.rules, ...ruleLines(value, text, lang)],
  ]
  const lines = rows.flatMap(([name, first = '', ...more]) => [
    `${name}: ${first}`,
    ...more.map((line) => `  ${line}`),
  ])
  return `${[...lines, ...(value.isCutOff ? [text.cutOff] : [])].map(printable).join('\n')}\n`
}

function grantLines({ grant }: JsonResponsibility, text: Words): string[] {
  if (grant === null) return [text.noGrant]
  const { given, revocation, authorization } = grant
  if (given === null) return [text.notGiven(authorization)]
  const missing = (['consumer', 'resource', 'purpose', 'time'] as const).filter((name) => !given.covers[name])
  return [
    authorization,
    text.given(
      given.subject,
      given.givenAt,
      given.record.source,
      given.notBefore,
      given.notAfter,
      given.maxCalls,
    ),
    ...missing.map((name) => text.uncovered(text.members[name])),
    revocation === null ? text.notRevoked : text.revoked(revocation.effectiveAt, revocation.isBeforeCall),
  ]
}

function keptLines({ kept, consumer, provider }: JsonResponsibility, text: Words): string[] {
  const { kind, silent, disagreements } = kept
  return [
    text.kinds[kind],
    ...(silent === null ? [] : [text.silent(silent, silent === 'consumer' ? consumer : provider)]),
    ...disagreements.map(({ member, ...values }) =>
      'consumer' in values || 'provider' in values
        ? text.differs(member, JSON.stringify(values.consumer), JSON.stringify(values.provider))
        : text.differsSealed(member),
    ),
  ]
}

function accountLines(account: AccountFound, text: Words): string[] {
  const { side, record, batch, anchor, final, privateMembers } = account
  return [
    `${text.sides[side]}: ${text.of(record.id, record.source, record.time)}`,
    `  ${text.place(batch.sequence, batch.publisher, anchor.ledgerIndex, anchor.blockNumber, final)}`,
    `  ${submissionLine(account, text)}`,
    ...(privateMembers === 'sealed' ? [`  ${text.private(batch.publisher, batch.sequence)}`] : []),
  ]
}

function submissionLine({ submission }: AccountFound, text: Words): string {
  if (submission === null) return text.noSubmission
  if (submission.by !== 'signed') return text[submission.by]
  const { signer, keyKnown } = submission
  return signer === null ? text.unknownSigner : `${text.signed(signer)}, ${text.key(keyKnown)}`
}

function ruleLines({ accounts }: JsonResponsibility, text: Words, lang: Language): string[] {
  const broken = accounts.flatMap(({ brokenRules }) => brokenRules)
  if (broken.length === 0) return [text.noRules]
  return broken.map(({ rule, severity, alertId }) => {
    const title = RULES.find(({ name }) => name === rule)?.title[lang] ?? rule
    return `${title}${severity === null ? '' : ` (${severity})`}, ${text.alert(alertId)}`
  })
}
