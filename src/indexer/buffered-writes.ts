import type { WriteBytes } from '../lookup/index.ts'

interface Buffer {
  start: number
  bytes: Uint8Array
  used: number
}

const BUFFER_BYTES = 64 * 1024

/** Gathers small writes that follow each other in a few places of a file; call `flush` at the end. */
export function bufferWrites(write: (offset: number, bytes: Uint8Array) => Promise<unknown>) {
  const open: Buffer[] = []
  const flushOne = async ({ start, bytes, used }: Buffer) => {
    await write(start, bytes.subarray(0, used))
  }
  const add: WriteBytes = async (offset, bytes) => {
    if (bytes.length >= BUFFER_BYTES) {
      await write(offset, bytes)
      return
    }
    const found = open.findIndex(({ start, used }) => start + used === offset)
    let buffer = open[found]
    if (buffer !== undefined && buffer.used + bytes.length > BUFFER_BYTES) {
      open.splice(found, 1)
      await flushOne(buffer)
      buffer = undefined
    }
    if (buffer === undefined) {
      buffer = { start: offset, bytes: new Uint8Array(BUFFER_BYTES), used: 0 }
      open.push(buffer)
    }
    buffer.bytes.set(bytes, buffer.used)
    buffer.used += bytes.length
  }
  return {
    write: add,
    async flush() {
      for (const buffer of open.splice(0)) await flushOne(buffer)
    },
  }
}
