import type { RequestHandler } from 'express'
import { InputError } from '../errors.ts'
import type { Handling, IncidentDesk } from '../indexer/incident-desk.ts'
import type { Access } from './access.ts'
import { toJsonStored } from './alerts.ts'
import { parseUint64 } from './query.ts'

/** As much as the note of a record may have. */
const MOST_NOTE = 4_096
const MOST_BYTES = 64 * 1_024

/** POST /v1/alerts/{id}: what somebody did about what a rule found. */
export const postAlert =
  (desk: IncidentDesk, access: Access): RequestHandler =>
  async (request, response) => {
    const { id: token, label } = access.expectToken(request, ['handler'], 'alerts are handled with')
    const agent = label === '' ? `token ${token}` : label.slice(0, 256).toWellFormed()
    const id = parseUint64(String(request.params.id), 'id')
    const handling = parseHandling(await receive(request))
    if (id >= 2n ** 63n) throw new InputError('NOT_FOUND', `no rule has raised an alert ${id}`)
    response.json(toJsonStored(desk.handle(id, { ...handling, agent })))
  }

async function receive(request: AsyncIterable<Buffer>): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > MOST_BYTES) throw new InputError('TOO_LARGE', `the body has at most ${MOST_BYTES} bytes`)
    chunks.push(chunk)
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)))
  } catch (cause) {
    throw new InputError('BAD_JSON', 'the body is not JSON', {}, { cause })
  }
}

function parseHandling(value: unknown): Handling {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad('the body is an object')
  const { state, note, ...rest } = value as Record<string, unknown>
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined) throw bad(`there is no member ${JSON.stringify(unknown)}`)
  if (state !== 'reported' && state !== 'closed') throw bad('state is "reported" or "closed"')
  if (note === undefined) return { state }
  if (typeof note !== 'string' || note === '' || note.length > MOST_NOTE || !note.isWellFormed()) {
    throw bad(`note is a text of 1 to ${MOST_NOTE} characters`)
  }
  return { state, note }
}

const bad = (reason: string) => new InputError('BAD_ARGUMENT', reason)
