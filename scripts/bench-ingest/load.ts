/**
 * The load process: sends prepared requests over one kept connection per source, in order, and times the answers.
 *
 * It parses no JSON and makes nothing, so that it takes as little as possible of the cores that it shares.
 */
import { connect, type Socket } from 'node:net'
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { RequestReader, requestPath } from './request-file.ts'

export interface LoadJob {
  port: number
  folder: string
  sources: number
  seconds: number
  /** submissions a second, at times fixed beforehand; otherwise each source sends the next when it has an answer */
  perSecond?: number | undefined
}

export interface LoadResult {
  /** acknowledged with 201 */
  submissions: number
  /** from the first request to the last acknowledgement */
  seconds: number
  /** answers 503; each was sent again after its Retry-After */
  refused: number
  /** milliseconds; from the intended time of sending, refusals and pauses included */
  latency: { p50: number; p99: number; p999: number; max: number }
  cpuSeconds: number
  /** the prepared requests came to an end before the time did */
  ranOut: boolean
  /** submissions of each source that are acknowledged, over all runs */
  sent: number[]
}

interface Answer {
  status: number
  retryAfterMs: number
  text: string
}

/** One kept connection: a request at a time. */
class Connection {
  readonly #socket: Socket
  #received = ''
  #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => this.#receive(text))
    socket.on('error', (error) => this.#waiting?.reject(error))
    socket.on('close', () => this.#waiting?.reject(new Error('the server closed the connection')))
  }

  static open(port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(new Connection(socket)))
      socket.once('error', reject)
    })
  }

  send(request: Buffer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#socket.write(request)
    })
  }

  close(): void {
    this.#waiting = undefined
    this.#socket.destroy()
  }

  #receive(text: string): void {
    this.#received += text
    const end = this.#received.indexOf('\r\n\r\n')
    if (end === -1) return
    const head = this.#received.slice(0, end)
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? Number.NaN)
    if (Number.isNaN(length)) {
      this.#waiting?.reject(new Error(`an answer without a length: ${head}`))
      return
    }
    if (this.#received.length < end + 4 + length) return
    const answer = {
      status: Number(head.slice(9, 12)),
      retryAfterMs: 1_000 * Number(/\r\nretry-after: (\d+)/i.exec(head)?.[1] ?? 1),
      text: this.#received.slice(end + 4),
    }
    this.#received = ''
    this.#waiting?.resolve(answer)
  }
}

/** Of each source, where it goes on with the next run. */
let streams: { requests: RequestReader; sent: number }[] = []

async function run(job: LoadJob): Promise<LoadResult> {
  const { port, folder, sources, seconds, perSecond } = job
  if (streams.length === 0) {
    streams = Array.from({ length: sources }, (_, source) => ({
      requests: new RequestReader(requestPath(folder, source)),
      sent: 0,
    }))
  }
  const connections = await Promise.all(streams.map(() => Connection.open(port)))
  const latency = createHistogram({ lowest: 1, highest: 3_600_000_000, figures: 3 })
  const counts = { submissions: 0, refused: 0, ranOut: false }
  const cpu = process.cpuUsage()
  const begun = performance.now()
  const deadline = begun + 1_000 * seconds
  await Promise.all(
    streams.map(async (stream, source) => {
      const connection = connections[source]
      if (connection === undefined) throw new Error('every source has a connection')
      for (let turn = 0; ; turn++) {
        const intended =
          perSecond === undefined
            ? performance.now()
            : begun + (1_000 * (turn * sources + source)) / perSecond
        if (intended >= deadline) return
        if (intended - performance.now() > 0.5) await delay(intended - performance.now())
        const request = stream.requests.next()
        if (request === undefined) {
          counts.ranOut = true
          return
        }
        counts.refused += await deliver(connection, request)
        counts.submissions++
        stream.sent++
        latency.record(Math.max(1, Math.round(1_000 * (performance.now() - intended))))
      }
    }),
  )
  const ended = performance.now()
  for (const connection of connections) connection.close()
  const { user, system } = process.cpuUsage(cpu)
  return {
    ...counts,
    seconds: (ended - begun) / 1_000,
    latency: toMilliseconds(latency),
    cpuSeconds: (user + system) / 1e6,
    sent: streams.map(({ sent }) => sent),
  }
}

/** Sends until it is acknowledged, and returns how often it was refused before. */
async function deliver(connection: Connection, request: Buffer): Promise<number> {
  for (let refused = 0; ; refused++) {
    const { status, retryAfterMs, text } = await connection.send(request)
    if (status === 201) return refused
    if (status !== 503) throw new Error(`answered with ${status}: ${text}`)
    await delay(retryAfterMs)
  }
}

function toMilliseconds(latency: RecordableHistogram): LoadResult['latency'] {
  const at = (percentile: number) => latency.percentile(percentile) / 1_000
  return { p50: at(50), p99: at(99), p999: at(99.9), max: latency.max / 1_000 }
}

process.on('message', (job: LoadJob) => {
  run(job).then(
    (result) => process.send?.(result),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})
process.on('disconnect', () => process.exit())
