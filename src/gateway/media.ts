import { InputError } from '../errors.ts'

const LINE_FEED = 0x0a

/** A record as it came, with the line that it stood on, and the text of that line where it has one. */
export interface Incoming {
  line: number
  value: unknown
  text?: string
}

/** A line of a body of such lines, not yet parsed. */
export interface IncomingLine {
  line: number
  body: Uint8Array
  start: number
  end: number
}

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
export function splitSubmission(mediaType: string, body: Uint8Array): Iterable<Incoming | IncomingLine> {
  switch (mediaType.split(';')[0]?.trim().toLowerCase()) {
    case 'application/x-ndjson':
    case 'application/ndjson':
      return splitLines(body)
    case 'application/cloudevents+json': {
      const text = decodeText(body, 1)
      return [{ line: 1, value: parseJson(text, 1), text }]
    }
    case 'application/cloudevents-batch+json': {
      const values = parseJson(decodeText(body, 1), 1)
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

function* splitLines(body: Uint8Array): Generator<IncomingLine> {
  for (let [line, start] = [1, 0]; start < body.length; line++) {
    const feed = body.indexOf(LINE_FEED, start)
    const end = feed === -1 ? body.length : feed
    if (end > start) yield { line, body, start, end }
    start = end + 1
  }
}

/**
 * Parses a line; undefined when it is blank.
 *
 * @throws {InputError} `BAD_JSON` with the line
 */
export function parseLine({ line, body, start, end }: IncomingLine): Incoming | undefined {
  const text = decodeText(body.subarray(start, end), line)
  return text.trim() === '' ? undefined : { line, value: parseJson(text, line), text }
}

function parseJson(text: string, line: number): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new InputError('BAD_JSON', `not JSON: ${(cause as Error).message}`, { line }, { cause })
  }
}

/** A byte order mark may stand at the beginning of the body, which is that of its first line. */
function decodeText(bytes: Uint8Array, line: number): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: line > 1 }).decode(bytes)
  } catch (cause) {
    throw new InputError('BAD_JSON', 'not UTF-8', { line }, { cause })
  }
}
