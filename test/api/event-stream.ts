import { get, type IncomingMessage } from 'node:http'

/** One server-sent event, or a field such as `retry` that stands alone. */
export interface SentEvent {
  event?: string
  id?: string
  data?: string
  retry?: string
}

export interface EventStream {
  response: IncomingMessage
  /** that came so far, each with its fields */
  events: SentEvent[]
  /** Resolves when the server has ended it. */
  ended: Promise<void>
  leave(): void
}

/** Begins to read GET /v1/events; HTML, section 9.2.6, as far as our events need it. */
export function followEvents(url: string): Promise<EventStream> {
  const events: SentEvent[] = []
  return new Promise((resolve, reject) => {
    const asked = get(new URL('/v1/events', url), { agent: false }, (response) => {
      let rest = ''
      response.setEncoding('utf8').on('data', (text: string) => {
        const blocks = (rest + text).split('\n\n')
        rest = blocks.pop() ?? ''
        for (const block of blocks) {
          events.push(
            Object.fromEntries(
              block.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2)),
            ) as SentEvent,
          )
        }
      })
      const ended = new Promise<void>((end) => response.once('close', end))
      // A line that is cut off has ended too.
      response.on('error', () => undefined)
      resolve({ response, events, ended, leave: () => asked.destroy() })
    })
    asked.on('error', reject)
  })
}

/** The first events of a stream. */
export async function readEvents(url: string, count: number): Promise<SentEvent[]> {
  const { events, response, leave } = await followEvents(url)
  while (events.length < count) await new Promise((resolve) => response.once('data', resolve))
  leave()
  return events.slice(0, count)
}
