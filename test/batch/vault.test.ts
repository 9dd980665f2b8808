import { expect, test } from 'vitest'
import { parseVaultLine } from '../../src/batch/index.ts'
import { vaultFrames } from '../../src/batch/vault.ts'

const damaged = expect.objectContaining({ name: 'OperationError', code: 'STORE_DAMAGED', retryable: false })

test('the vault has a frame for each 256 records, and a line for each record with private disclosures', () => {
  const vault = Array.from({ length: 600 }, (_, i) => (i % 200 === 7 ? [`a${i}`, `b${i}`] : []))
  const frames = vaultFrames(vault)
  expect(
    frames.map((frame) => new TextDecoder().decode(frame).split('\n').filter(Boolean).map(parseVaultLine)),
  ).toEqual([
    [
      { position: 7, disclosures: ['a7', 'b7'] },
      { position: 207, disclosures: ['a207', 'b207'] },
    ],
    [{ position: 407, disclosures: ['a407', 'b407'] }],
    [],
  ])
})

test.each([
  ['', 'nothing'],
  ['{', 'no JSON'],
  ['null', 'null'],
  ['[]', 'a list'],
  ['{"position":1}', 'no disclosures'],
  ['{"disclosures":[]}', 'no position'],
  ['{"position":"1","disclosures":[]}', 'a position as text'],
  ['{"position":-1,"disclosures":[]}', 'a position below 0'],
  ['{"position":0.5,"disclosures":[]}', 'half a position'],
  ['{"position":1,"disclosures":"x"}', 'disclosures that are no list'],
  ['{"position":1,"disclosures":[1]}', 'a disclosure that is no text'],
])('the line %j of a vault is damaged: %s', (line) => {
  expect(() => parseVaultLine(line)).toThrow(damaged)
})
