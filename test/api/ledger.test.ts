import { expect, onTestFinished, test } from 'vitest'
import { eventually } from '../store/temporary.ts'
import { callOf, exchange, NDJSON, ndjson, startTestSystem } from './world.ts'

test('what was sent to the chain tells what it cost, page by page, and a batch what is in it', async () => {
  const { system, close } = await startTestSystem()
  onTestFinished(close)
  const ask = async (path: string) => JSON.parse((await exchange(system.url, 'GET', path)).text)
  for (const id of ['a', 'b', 'c']) {
    for (const source of ['urn:one', 'urn:two']) {
      const body = ndjson(callOf(source, `${id}1`), callOf(source, `${id}2`))
      await exchange(system.url, 'POST', '/v1/submissions', { headers: NDJSON, body })
    }
    const path = '/v1/submissions?source=urn:two&sequence='
    const sequence = { a: 0, b: 1, c: 2 }[id]
    await eventually(async () => (await ask(`${path}${sequence}`)).state === 'final' || undefined)
  }
  const { transactions } = await eventually(async () => {
    const page = await ask('/v1/transactions')
    return page.transactions.every(({ state }: { state: string }) => state === 'succeeded') ? page : undefined
  })
  expect(transactions.length).toBeGreaterThanOrEqual(3)
  for (const { hash, blockNumber, gasUsed, gasPrice, maxFeePerGas } of transactions) {
    expect(Number(gasUsed)).toBeGreaterThan(21_000)
    expect(BigInt(gasPrice)).toBeLessThanOrEqual(BigInt(maxFeePerGas))
    const { batches } = await ask('/v1/batches')
    const anchors = batches.map(({ anchor }: { anchor: object }) => anchor)
    expect(anchors).toContainEqual(expect.objectContaining({ transactionHash: hash, blockNumber }))
  }
  const [first] = transactions
  const page = await ask('/v1/transactions?limit=1')
  expect(page).toEqual({ transactions: [first], next: first.nonce })
  expect((await ask(`/v1/transactions?limit=1&before=${page.next}`)).transactions).toEqual([transactions[1]])

  const { batches } = await ask('/v1/batches')
  const found = await Promise.all(
    batches.map(({ batch }: { batch: { publisher: string; sequence: string } }) =>
      eventually(async () => {
        const one = await ask(`/v1/batches/${batch.publisher}/${batch.sequence}`)
        return one.state === 'verified' ? one : undefined
      }),
    ),
  )
  expect(found.map(({ batch }) => batch)).toEqual(batches.map(({ batch }: { batch: unknown }) => batch))
  const submissions = found.flatMap((one) => one.submissions)
  expect(
    submissions
      .filter(({ source }) => source === 'urn:one')
      .map(({ sequence }) => sequence)
      .sort(),
  ).toEqual(['0', '1', '2'])
  expect(submissions.every(({ count }) => count === 2)).toBe(true)
  expect(await ask(`/v1/batches/${system.publisher}/4711`)).toMatchObject({ status: 404, code: 'NOT_FOUND' })
})
