import { Wallet } from 'ethers'
import { expect, test } from 'vitest'
import { isHex } from '../../src/bytes/hex.ts'
import { eventually, temporaryFolder } from '../store/temporary.ts'
import { eventOf } from './event.ts'
import { connect, finish, idsOf, standBetween, startLedger } from './world.ts'

const TOKEN = 'a-token-that-is-long-enough-0123456789'
const KEY = `0x${'4b'.repeat(32)}` as const

const stateOf = async (url: string, sequence: string) =>
  (await fetch(`${url}/v1/submissions?${new URLSearchParams({ source: 'urn:service', sequence })}`)).json()

test('a source with a key waits in its spool until the key is registered, and is then vouched for by its signature', async () => {
  const gateway = await startLedger({ submissions: 'registered' })
  const { ledger, errors } = await connect({ url: gateway.url, key: KEY, spoolPath: await temporaryFolder() })
  for (const id of idsOf('a', 5)) await ledger.record(eventOf(id))
  await eventually(() => errors.length > 1 || undefined)
  expect(errors[0]).toMatchObject({ status: 403, problem: { code: 'UNKNOWN_SOURCE' } })
  const address = new Wallet(KEY).address.toLowerCase()
  if (!isHex(address, 20)) throw new Error('no address')
  gateway.register((sources) => sources.addKey('urn:service', address, 1))
  await ledger.flush()
  expect(await stateOf(gateway.url, '0')).toMatchObject({ vouched: { by: 'signed', signer: address } })
  await finish(ledger)
  expect((await gateway.submissionsOf('urn:service')).flat()).toEqual(idsOf('a', 5))
})

test('a source with a token is vouched for by it, exactly once though answers are lost', async () => {
  const gateway = await startLedger({ submissions: 'registered' })
  gateway.register((sources) => sources.addToken(TOKEN, { role: 'source', source: 'urn:service' }, 'test', 1))
  let exchanges = 0
  const between = await standBetween(gateway.url, () => (exchanges++ % 3 === 2 ? 'lose' : 'pass'))
  const { ledger } = await connect({ url: between.url, token: TOKEN, submissionRecords: 3 })
  await Promise.all(idsOf('a', 12).map((id) => ledger.record(eventOf(id))))
  expect(await stateOf(gateway.url, '0')).toMatchObject({ vouched: { by: 'token' } })
  await finish(ledger)
  expect((await gateway.submissionsOf('urn:service')).flat()).toEqual(idsOf('a', 12))
})
