import type { IncomingMessage, ServerResponse } from 'node:http'

/**
 * Counts the bytes of a request's body: those announced, otherwise those that the service has read.
 *
 * Listens to what is emitted to others, because a listener of its own would set the stream flowing.
 */
export function countRequestBytes(request: IncomingMessage): () => number {
  const announced = Number(request.headers['content-length'] ?? Number.NaN)
  if (Number.isSafeInteger(announced) && announced >= 0) return () => announced
  let bytes = 0
  request.emit = new Proxy(request.emit, {
    apply(emit, self, given) {
      if (given[0] === 'data') bytes += sizeOf(given[1], request.readableEncoding)
      return Reflect.apply(emit, self, given)
    },
  })
  return () => bytes
}

/** Counts the bytes of a response's body that the service has written, without heads and framing. */
export function countResponseBytes(response: ServerResponse): () => number {
  let bytes = 0
  let ended = false
  response.write = new Proxy(response.write, {
    apply(write, self, given) {
      // What `end` is given may go through `write`: once is enough.
      if (!ended) bytes += sizeOf(given[0], given[1])
      return Reflect.apply(write, self, given)
    },
  })
  response.end = new Proxy(response.end, {
    apply(end, self, given) {
      if (!ended) bytes += sizeOf(given[0], given[1])
      ended = true
      return Reflect.apply(end, self, given)
    },
  })
  return () => (response.req.method === 'HEAD' ? 0 : bytes)
}

/** @param encoding of a text; whatever is no encoding (a callback, null) means UTF-8 */
function sizeOf(chunk: unknown, encoding: unknown): number {
  if (chunk instanceof Uint8Array) return chunk.length
  if (typeof chunk !== 'string') return 0
  return Buffer.byteLength(
    chunk,
    typeof encoding === 'string' && Buffer.isEncoding(encoding) ? encoding : 'utf8',
  )
}
