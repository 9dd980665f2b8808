import { InputError } from '../errors.ts'
import type { Incoming } from './draft.ts'

/** The forms in which a submission may come. */
const SUBMISSION_MEDIA_TYPES = [
  'application/x-ndjson',
  'application/cloudevents+json',
  'application/cloudevents-batch+json',
] as const

/**
 * Splits the body of a submission into its records.
 *
 * @param mediaType with or without parameters
 * @throws {InputError} `UNSUPPORTED_MEDIA_TYPE`, or `BAD_JSON` with the line
 */
export function splitSubmission(mediaType: string, body: Uint8Array): Iterable<Incoming> {
  const text = decodeText(body)
  switch (mediaType.split(';')[0]?.trim().toLowerCase()) {
    case 'application/x-ndjson':
    case 'application/ndjson':
      return splitLines(text)
    case 'application/cloudevents+json':
      return [{ line: 1, value: parseJson(text, 1), text }]
    case 'application/cloudevents-batch+json': {
      const values = parseJson(text, 1)
      if (!Array.isArray(values))
        throw new InputError('BAD_JSON', 'a batch of events is a JSON array', { line: 1 })
      return values.map((value: unknown, i) => ({ line: i + 1, value }))
    }
    default:
      throw new InputError(
        'UNSUPPORTED_MEDIA_TYPE',
        `send one of ${SUBMISSION_MEDIA_TYPES.join(', ')}, not ${mediaType === '' ? 'nothing' : mediaType}`,
      )
  }
}

function* splitLines(text: string): Generator<Incoming> {
  let line = 0
  for (const content of text.split('\n')) {
    line++
    if (content.trim() !== '') yield { line, value: parseJson(content, line), text: content }
  }
}

function parseJson(text: string, line: number): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new InputError('BAD_JSON', `not JSON: ${(cause as Error).message}`, { line }, { cause })
  }
}

function decodeText(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch (cause) {
    throw new InputError('BAD_JSON', 'the body is not UTF-8', {}, { cause })
  }
}
