import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bufferWrites } from '../../src/indexer/buffered-writes.ts'
import { OpenFiles } from '../../src/indexer/open-files.ts'
import { runs } from '../bytes/runs.ts'
import { temporaryFolder } from '../store/temporary.ts'

test('gathered writes leave the file that the writes themselves would', async () => {
  const chunk = fc.record({
    stream: fc.nat(2),
    size: fc.oneof(fc.nat(40), fc.nat(40_000), fc.constant(70_000)),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(chunk, { maxLength: 30 }), async (chunks) => {
      const size = 3 * 30 * 70_000
      const [direct, gathered] = [new Uint8Array(size), new Uint8Array(size)]
      const writes = bufferWrites(async (offset, bytes) => gathered.set(bytes, offset))
      const ends = [0, 30 * 70_000, 60 * 70_000]
      for (const [i, { stream, size }] of chunks.entries()) {
        const bytes = new Uint8Array(size).fill(i + 1)
        const offset = ends[stream] ?? 0
        direct.set(bytes, offset)
        await writes.write(offset, bytes)
        ends[stream] = offset + size
      }
      await writes.flush()
      expect(Buffer.compare(gathered, direct)).toBe(0)
    }),
    runs(20),
  )
})

test('many files are read through few that are open', async () => {
  const folder = await temporaryFolder()
  const paths = Array.from({ length: 5 }, (_, i) => join(folder, String(i)))
  for (const [i, path] of paths.entries()) await writeFile(path, new Uint8Array(10).fill(i))
  const openNow = async () => (await readdir('/proc/self/fd')).length
  const before = await openNow()
  const files = new OpenFiles(2)
  for (let round = 0; round < 2; round++) {
    for (const [i, path] of paths.entries()) {
      expect([...(await files.read(path, 4, 3))]).toEqual([i, i, i])
      expect((await openNow()) - before).toBeLessThanOrEqual(2)
    }
  }
  await expect(files.read(paths[0] ?? '', 8, 3)).rejects.toThrow(
    expect.objectContaining({ name: 'OperationError', code: 'STORE_DAMAGED' }),
  )
  await files.close()
  expect(await openNow()).toBe(before)
})
