import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const WRITE_BYTES = 4 * 1024 * 1024

/** Where the requests of a source are: one after the other, each behind its length as uint32. */
export const requestPath = (folder: string, source: number): string =>
  join(folder, `source-${source}.requests`)

/** Adds requests to the end of a file, many at a time. */
export class RequestWriter {
  readonly #file: number
  #waiting: Buffer[] = []
  #bytes = 0

  constructor(path: string) {
    this.#file = openSync(path, 'a')
  }

  add(head: Buffer, body: Buffer): void {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(head.length + body.length)
    this.#waiting.push(length, head, body)
    this.#bytes += 4 + head.length + body.length
    if (this.#bytes >= WRITE_BYTES) this.#flush()
  }

  close(): void {
    this.#flush()
    closeSync(this.#file)
  }

  #flush(): void {
    const all = Buffer.concat(this.#waiting)
    for (let done = 0; done < all.length; ) done += writeSync(this.#file, all, done)
    this.#waiting = []
    this.#bytes = 0
  }
}

export class RequestReader {
  readonly #file: number
  readonly #length = Buffer.alloc(4)
  #position = 0

  constructor(path: string) {
    this.#file = openSync(path, 'r')
  }

  /** undefined where the file ends */
  next(): Buffer | undefined {
    if (readSync(this.#file, this.#length, 0, 4, this.#position) < 4) return undefined
    const request = Buffer.allocUnsafe(this.#length.readUInt32BE())
    readSync(this.#file, request, 0, request.length, this.#position + 4)
    this.#position += 4 + request.length
    return request
  }
}
