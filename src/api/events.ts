import type { RequestHandler, Response } from 'express'
import { OperationError } from '../errors.ts'

/** GET /v1/events, and the end of it. */
export interface Events {
  handler: RequestHandler
  /** Ends every stream, and begins no other. */
  close(): void
}

interface EventOptions {
  /** streams at once, for everybody together */
  mostReaders: number
  /** between two looks at what there is to tell */
  lookMs: number
  /** without anything to tell; what stands between may cut off a line that is silent for longer */
  heartbeatMs: number
  /** told when there is no looking any more, and all streams have ended */
  onFault: (error: unknown) => void
}

const DEFAULTS = { mostReaders: 256, lookMs: 500, heartbeatMs: 15_000 }

/** A reader that has left more unread is cut off; it is told everything when it comes again. */
const MOST_UNREAD_BYTES = 64 * 1024

/** Before a reader that was cut off comes again. */
const RETRY_MS = 2_000

/**
 * Tells every reader what `overview` says, at once and whenever it has changed, as server-sent events.
 *
 * Every event is the whole of it, so a reader that missed some has missed nothing. Nobody looks while nobody reads.
 *
 * @param overview for everybody to read
 */
export function createEvents(
  overview: () => unknown,
  options: Partial<EventOptions> & Pick<EventOptions, 'onFault'>,
): Events {
  const { mostReaders, lookMs, heartbeatMs, onFault } = { ...DEFAULTS, ...options }
  const readers = new Set<Response>()
  let id = 0
  let told: string | undefined
  let looking: NodeJS.Timeout | undefined
  let beating: NodeJS.Timeout | undefined
  let closed = false

  const event = () => `event: overview\nid: ${id}\ndata: ${told}\n\n`

  function tell(reader: Response, message: string): void {
    if (reader.writableLength > MOST_UNREAD_BYTES) reader.destroy()
    else reader.write(message)
  }

  function look(): void {
    const found = JSON.stringify(overview())
    if (found === told) return
    told = found
    id++
    for (const reader of readers) tell(reader, event())
  }

  function beat(): void {
    for (const reader of readers) tell(reader, 'event: heartbeat\ndata: {}\n\n')
  }

  function rest(): void {
    clearInterval(looking)
    clearInterval(beating)
    looking = undefined
    beating = undefined
  }

  function lookAgain(): void {
    try {
      look()
    } catch (error) {
      for (const reader of readers) reader.destroy()
      rest()
      onFault(error)
    }
  }

  return {
    handler(request, response) {
      if (closed) throw new OperationError('SHUTTING_DOWN', 'the server is shutting down')
      if (readers.size >= mostReaders) {
        throw new OperationError('OVERLOADED', `${readers.size} readers follow the events already`)
      }
      response.set({
        'Content-Type': 'text/event-stream; charset=utf-8',
        'Cache-Control': 'no-store',
        // Proxies that gather answers would hold events back.
        'X-Accel-Buffering': 'no',
      })
      if (request.method === 'HEAD') {
        response.end()
        return
      }
      look()
      response.write(`retry: ${RETRY_MS}\n${event()}`)
      readers.add(response)
      looking ??= setInterval(lookAgain, lookMs)
      beating ??= setInterval(beat, heartbeatMs)
      response.once('close', () => {
        readers.delete(response)
        if (readers.size === 0) rest()
      })
    },
    close() {
      closed = true
      rest()
      for (const reader of readers) reader.end()
    },
  }
}
