import { open } from 'node:fs/promises'
import { concatBytes } from '../../src/bytes/bytes.ts'
import { decodeSegment, encodeFrameHead, encodeGroup } from '../../src/store/log-format.ts'

/** Writes the first `sizeBytes` of one more group of a segment, as a kill in the middle leaves it. */
export async function tearGroup(path: string, payload: Uint8Array, sizeBytes: number): Promise<void> {
  const file = await open(path, 'r+')
  try {
    const { size } = decodeSegment(await file.readFile())
    const group = concatBytes(...encodeGroup([encodeFrameHead(payload), payload], size))
    await file.write(group.subarray(0, sizeBytes), 0, sizeBytes, size)
  } finally {
    await file.close()
  }
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
