import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { isMissing, writeDurably, writeFolderDurably } from '../../src/store/durable.ts'
import { temporaryFolder } from './temporary.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

describe('a file written durably', () => {
  test('replaces the one before it whole and leaves nothing else behind', async () => {
    const folder = await temporaryFolder()
    const path = join(folder, 'file')
    await writeDurably(path, bytes('a long first version'))
    await writeDurably(path, bytes('second'))
    expect(await readFile(path, 'utf8')).toBe('second')
    expect(await readdir(folder)).toEqual(['file'])
  })

  test('keeps the old one when the new one cannot be written', async () => {
    const folder = await temporaryFolder()
    const path = join(folder, 'file')
    await writeDurably(path, bytes('old'))
    // Nothing can be written where a directory is.
    await mkdir(`${path}.tmp`)
    await expect(writeDurably(path, bytes('new'))).rejects.toMatchObject({ code: 'STORE_FAILED' })
    expect(await readFile(path, 'utf8')).toBe('old')
  })
})

describe('a folder written durably', () => {
  test('is there with all its files, and nothing else is', async () => {
    const root = await temporaryFolder()
    await writeFolderDurably(join(root, 'made', 'folder'), { a: bytes('1'), b: bytes('') })
    expect(await readdir(join(root, 'made'))).toEqual(['folder'])
    expect((await readdir(join(root, 'made', 'folder'))).sort()).toEqual(['a', 'b'])
    expect(await readFile(join(root, 'made', 'folder', 'a'), 'utf8')).toBe('1')
  })

  test('takes nothing from a half-written one that a crash left', async () => {
    const root = await temporaryFolder()
    const path = join(root, 'folder')
    await mkdir(`${path}.tmp`)
    await writeFile(join(`${path}.tmp`, 'stale'), 'of the crash')
    await writeFolderDurably(path, { fresh: bytes('new') })
    expect(await readdir(root)).toEqual(['folder'])
    expect(await readdir(path)).toEqual(['fresh'])
  })

  test('is not there at all when a file cannot be written', async () => {
    const root = await temporaryFolder()
    const path = join(root, 'folder')
    await expect(
      writeFolderDurably(path, { good: bytes('1'), 'no/such/place': bytes('2') }),
    ).rejects.toMatchObject({ code: 'STORE_FAILED', message: expect.stringContaining(path) })
    expect(await readdir(root)).not.toContain('folder')
    await rm(`${path}.tmp`, { recursive: true })
  })
})

test('only a missing file is missing', async () => {
  const folder = await temporaryFolder()
  const missing: unknown = await readFile(join(folder, 'none')).catch((error: unknown) => error)
  const wrong: unknown = await readFile(folder).catch((error: unknown) => error)
  expect([missing, wrong, new Error('x'), undefined].map(isMissing)).toEqual([true, false, false, false])
})
