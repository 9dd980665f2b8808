import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { lockFolder } from '../../src/store/folder-lock.ts'
import { eventually, temporaryFolder } from './temporary.ts'

const HOLDER = fileURLToPath(new URL('./lock-holder.ts', import.meta.url))

/** A process that takes the folder; resolves with what it says of it. */
async function holder(folder: string): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, [HOLDER, folder], { stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer]
  return { child, said: chunk.toString('utf8').trim() }
}

test('a folder is taken by one process alone, and the second is told what to do', async () => {
  const folder = join(await temporaryFolder(), 'made', 'on', 'demand')
  const { said } = await holder(folder)
  expect(said).toBe('held')
  await expect(lockFolder(folder)).rejects.toMatchObject({
    code: 'STORE_FAILED',
    retryable: false,
    message: expect.stringMatching(new RegExp(`another process works in ${folder}: .*--data`)),
  })
  expect((await holder(folder)).said).toBe('STORE_FAILED')
})

test('a folder is refused to its own process a second time, and free again once it is freed', async () => {
  const folder = await temporaryFolder()
  const unlock = await lockFolder(folder)
  await expect(lockFolder(folder)).rejects.toMatchObject({ code: 'STORE_FAILED' })
  unlock()
  const again = await lockFolder(folder)
  again()
})

test('a folder is freed by the system when its process is killed', async () => {
  const folder = await temporaryFolder()
  const { child } = await holder(folder)
  child.kill('SIGKILL')
  await once(child, 'exit')
  const unlock = await eventually(() => lockFolder(folder).catch(() => undefined))
  unlock()
})
