import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A client that says byte for byte what it wants. */
export interface RawClient {
  socket: Socket
  send(text: string | Uint8Array): void
  /** everything that came until the server closed the connection */
  ended: Promise<string>
  received(): string
}

export async function connectTo(url: string): Promise<RawClient> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8')
  })
  // A server that cuts off may reset the connection; what came before it is what counts.
  socket.on('error', () => undefined)
  const ended = new Promise<string>((resolve) => socket.once('close', () => resolve(text)))
  return { socket, send: (part) => void socket.write(part), ended, received: () => text }
}

/** The head of a POST of records. */
export const postHead = (sizeBytes: number) =>
  `POST /v1/submissions HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\nContent-Length: ${sizeBytes}\r\n\r\n`
