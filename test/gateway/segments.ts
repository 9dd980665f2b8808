import { appendFile, mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'

/** Writes the first `lengthBytes` of a frame's payload, as a kill in the middle leaves it; none leaves the file as it is. */
export async function appendFrame(path: string, payload: Uint8Array, lengthBytes: number): Promise<void> {
  const head = Buffer.alloc(12)
  head.writeUInt32BE(payload.length)
  head.writeUInt32BE(crc32(head.subarray(0, 4)), 4)
  head.writeUInt32BE(crc32(payload), 8)
  await mkdir(dirname(path), { recursive: true })
  await appendFile(path, lengthBytes === 0 ? '' : Buffer.concat([head, payload.subarray(0, lengthBytes)]))
}

/** Changes one byte of a file, counted from the end when negative. */
export async function damageByte(path: string, offset: number): Promise<void> {
  const file = await open(path, 'r+')
  try {
    const at = offset < 0 ? (await file.stat()).size + offset : offset
    const byte = Buffer.alloc(1)
    await file.read(byte, 0, 1, at)
    byte[0] = (byte[0] ?? 0) ^ 1
    await file.write(byte, 0, 1, at)
  } finally {
    await file.close()
  }
}
