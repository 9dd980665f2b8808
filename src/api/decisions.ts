import type { RequestHandler } from 'express'
import { Compile } from 'typebox/compile'
import type { Hex } from '../bytes/hex.ts'
import { InputError } from '../errors.ts'
import type { Admission } from '../gateway/admission.ts'
import type { Decision, Decisions } from '../indexer/decisions.ts'
import { isAllowed, nameId } from '../record/index.ts'
import { tokenOf } from './query.ts'
import { DecisionQuestions } from './schemas.ts'

/** A question as it comes. */
interface JsonQuestion {
  consumer: string
  resource: string
  purpose: string
  authorization?: Hex
  use?: boolean
}

/**
 * POST /v1/decisions: whether uses are allowed, one or a list of them; those that are to be counted are, before the answer.
 *
 * @param decisions absent where no contract decides on calls
 * @param admission absent where no calls are counted
 */
export const postDecisions =
  (decisions: Decisions | undefined, admission: Admission | undefined): RequestHandler =>
  async (request, response) => {
    if (decisions === undefined) {
      throw new InputError(
        'NO_RIGHTS',
        'no registry and no authorisations are followed here: --authorizations',
      )
    }
    const body = parseBody(request.body)
    const questions = 'decisions' in body ? body.decisions : [body]
    const token = tokenOf(request)
    for (const consumer of new Set(questions.filter(({ use }) => use).map(({ consumer }) => consumer))) {
      if (admission === undefined) {
        throw new InputError('BAD_ARGUMENT', 'no calls are counted here: ask a gateway, or without "use"')
      }
      admission.expectVoucher(consumer, token)
    }
    const found = await decisions.decide(
      questions.map(({ consumer, resource, purpose, authorization, use = false }) => ({
        use: { consumer: nameId(consumer), resource: nameId(resource), purpose: nameId(purpose) },
        grantId: authorization,
        isCounted: use,
      })),
    )
    const answers = found.map((decision, i) => toJsonDecision(decision, questions[i]?.authorization))
    response.json('decisions' in body ? { decisions: answers } : answers[0])
  }

/** Integers that may exceed 2^53 are decimal strings; times are in seconds since 1970. */
const toJsonDecision = ({ reason, time, block, remaining }: Decision, authorization: Hex | undefined) => ({
  allowed: isAllowed(reason),
  reason,
  time: String(time),
  block: { number: String(block.number), hash: block.hash, time: String(block.time) },
  ...(authorization !== undefined && { authorization }),
  ...(remaining !== undefined && { remaining: Number(remaining) }),
})

const schema = Compile(DecisionQuestions)

function parseBody(body: unknown): JsonQuestion | { decisions: JsonQuestion[] } {
  const value = parseJson(body)
  if (!schema.Check(value)) {
    // The deepest fault says most: of a union, every part complains.
    const worst = schema
      .Errors(value)
      .reduce((a, b) => (b.instancePath.length > a.instancePath.length ? b : a))
    const { instancePath: pointer, message } = worst
    throw new InputError('BAD_ARGUMENT', `${pointer === '' ? 'the body' : pointer}: ${message}`, { pointer })
  }
  return value as JsonQuestion | { decisions: JsonQuestion[] } // as the schema has checked
}

function parseJson(body: unknown): unknown {
  if (!(body instanceof Uint8Array) || body.length === 0) {
    throw new InputError('BAD_BODY', 'the request has no body')
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch (cause) {
    throw new InputError('BAD_JSON', 'the body is not JSON', {}, { cause })
  }
}
