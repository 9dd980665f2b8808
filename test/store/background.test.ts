import { describe, expect, onTestFinished, test } from 'vitest'
import { InputError, OperationError, VerificationError } from '../../src/errors.ts'
import { type Background, startBackground } from '../../src/store/background.ts'
import type { TestJob } from './background-worker.ts'

function start(): Background<TestJob, unknown> {
  const background = startBackground<TestJob, unknown>(new URL('./background-worker.ts', import.meta.url))
  onTestFinished(() => background.stop())
  return background
}

describe('work in the background', () => {
  test('gives back results, each to its own job, in the order of the calls', async () => {
    const background = start()
    const values = Array.from({ length: 50 }, (_, i) => ({
      i,
      bytes: Uint8Array.of(i),
      big: BigInt(i) ** 20n,
    }))
    const order: number[] = []
    const results = values.map(async (value) => {
      const result = await background.run({ kind: 'echo', value })
      order.push(value.i)
      return result
    })
    expect(await Promise.all(results)).toEqual(values)
    expect(order).toEqual(values.map(({ i }) => i))
  })

  test('runs in another thread', async () => {
    const background = start()
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    await background.run({ kind: 'spin', ms: 100 })
    clearInterval(timer)
    expect(turns).toBeGreaterThan(10)
  })

  test.each([
    ['InputError', 'BAD_RECORD', InputError],
    ['VerificationError', 'BATCH_MISMATCH', VerificationError],
    ['OperationError', 'STORE_DAMAGED', OperationError],
  ])('keeps the class and the code of an %s', async (name, code, type) => {
    const background = start()
    const error: unknown = await background
      .run({ kind: 'fail', name, code })
      .catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(type)
    expect(error).toMatchObject({ name, code, message: `as ${name}` })
    expect(await background.run({ kind: 'echo', value: 'still there' })).toBe('still there')
  })

  test('lets an unforeseen error through with its message', async () => {
    const background = start()
    await expect(background.run({ kind: 'fail', name: 'Error', code: '' })).rejects.toThrow('as Error')
  })

  test.each(['exit', 'throw'] as const)(
    'replaces a worker that dies by %s, and fails only its job',
    async (how) => {
      const background = start()
      const dead = background.run({ kind: 'die', how })
      const after = background.run({ kind: 'echo', value: 'alive' })
      await expect(dead).rejects.toMatchObject({ code: 'STORE_FAILED', message: 'a worker thread died' })
      expect(await after).toBe('alive')
    },
  )

  test('fails a job that cannot cross over, and goes on', async () => {
    const background = start()
    await expect(background.run({ kind: 'echo', value: () => undefined })).rejects.toThrow(
      /could not be cloned/,
    )
    expect(await background.run({ kind: 'echo', value: 1 })).toBe(1)
  })

  test('stops after the jobs that it has', async () => {
    const background = start()
    const job = background.run({ kind: 'spin', ms: 30 })
    await background.stop()
    expect(await job).toBe(30)
  })
})
