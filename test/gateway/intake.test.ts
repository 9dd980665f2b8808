import { expect, test } from 'vitest'
import { Intake } from '../../src/gateway/intake.ts'
import { exampleOf } from '../record/examples.ts'

test('more requests than can wait are turned away at once, and those that wait are read', async () => {
  const intake = new Intake()
  try {
    const body = Buffer.from(`${JSON.stringify(exampleOf('tidemark.call.v1'))}\n`)
    const job = { body, mediaType: 'application/x-ndjson', maxRecords: 10, signed: undefined }
    const results = await Promise.allSettled(Array.from({ length: 4_200 }, () => intake.read(job)))
    const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    expect(refused.length).toBeGreaterThan(0)
    expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(['OVERLOADED']))
    expect(results.length - refused.length).toBeGreaterThan(4_000)
    await expect(intake.read(job)).resolves.toBeDefined()
  } finally {
    await intake.stop()
  }
})
