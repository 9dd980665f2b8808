import { expect, test } from 'vitest'

test('the entry for services gives out what they need, and nothing else', async () => {
  const name = 'tidemark/client'
  const entry: object = await import(name)
  expect(Object.keys(entry).sort()).toEqual([
    'InputError',
    'OperationError',
    'Tidemark',
    'VerificationError',
    'auditTrail',
  ])
})
