import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findRepeatedRecords, type KeyedBatch } from '../../src/audit/repeated-records.ts'
import { prepareRecords } from '../../src/batch/index.ts'
import { saveRecordKeys } from '../../src/indexer/record-keys.ts'
import { submissionOf } from '../batch/items.ts'
import { runs } from '../bytes/runs.ts'
import { makeHeader } from '../chain/fixture.ts'
import { temporaryFolder } from '../store/temporary.ts'

const { items } = submissionOf('urn:a', 0, 60)

test('the records that several batches hold are found, however few keys are held in memory', async () => {
  const folder = await temporaryFolder()
  const batch = fc.uniqueArray(fc.nat({ max: items.length - 1 }), { minLength: 1, maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(
      fc.array(batch, { minLength: 1, maxLength: 5 }),
      fc.constantFrom(1, 7, 1_000_000),
      async (batches, keysAtOnce) => {
        const seen = new Map<number, { logIndex: bigint; position: number }>()
        const expected: unknown[] = []
        const keyed: KeyedBatch[] = []
        for (const [i, chosen] of batches.entries()) {
          const header = makeHeader(i)
          const logIndex = BigInt(i)
          await saveRecordKeys(
            folder,
            header,
            prepareRecords(chosen.map((one) => items[one] as (typeof items)[0])),
          )
          keyed.push({ logIndex, header })
          const positions = [...chosen.keys()].filter((position) => seen.has(chosen[position] as number))
          const [first] = positions
          if (first !== undefined) {
            const earlier = seen.get(chosen[first] as number)
            expected.push([
              logIndex,
              { count: positions.length, positions, first: { position: first, earlier } },
            ])
          }
          for (const [position, one] of chosen.entries()) {
            if (!seen.has(one)) seen.set(one, { logIndex, position })
          }
        }
        const found = await findRepeatedRecords(folder, () => keyed, keysAtOnce)
        expect([...found].sort(([a], [b]) => Number(a - b))).toEqual(expected)
      },
    ),
    runs(25),
  )
})

test('A KEY FILE THAT IS NOT THERE is no proof that nothing is repeated', async () => {
  const keyed = [{ logIndex: 0n, header: makeHeader(0) }]
  await expect(findRepeatedRecords(await temporaryFolder(), () => keyed)).rejects.toMatchObject({
    code: 'STORE_DAMAGED',
  })
})
