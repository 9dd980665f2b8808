import { CloudEvent, emitterFor, HTTP, type Message, Mode } from 'cloudevents'
import { beforeAll, describe, expect, test } from 'vitest'
import { chainFacts } from '../../src/chain/facts.ts'
import { createRpc } from '../../src/chain/rpc.ts'
import { verifyProof } from '../../src/verify/index.ts'
import { startTestSystem, type TestSystem } from '../api/world.ts'
import { exampleOf } from '../record/examples.ts'
import { eventually } from '../store/temporary.ts'

/** Nothing of ours on the sending side: the CloudEvents SDK makes the events, fetch sends them. */
let world: TestSystem
beforeAll(async () => {
  world = await startTestSystem()
  return () => world.close()
})

const source = 'urn:cloudevents:registry'
const eventOf = (id: string) => {
  const { type, subject, time, data } = exampleOf('tidemark.call.v1')
  return new CloudEvent({
    id,
    source,
    type: String(type),
    subject: String(subject),
    time: String(time),
    data,
  })
}

async function post({ headers, body }: Pick<Message, 'headers' | 'body'>) {
  const response = await fetch(`${world.system.url}/v1/submissions`, {
    method: 'POST',
    headers: Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]),
    body: String(body),
  })
  return { status: response.status, answer: await response.json() }
}

/** Waits until a record is final, and convinces a stranger of it. */
async function expectProven(id: string): Promise<void> {
  const query = new URLSearchParams({ source, id })
  const proof = await eventually(async () => {
    const response = await fetch(`${world.system.url}/v1/proofs?${query}`)
    return response.ok ? response.json() : undefined
  })
  const facts = chainFacts(createRpc(world.system.rpcUrl), { finality: { kind: 'tag' } })
  const verified = await verifyProof(proof, facts, { ledger: world.system.identity.ledger })
  expect(verified.record).toMatchObject({ id, source, data: { consumer: 'traffic-office' } })
  expect(verified.record.data).not.toHaveProperty('agent')
}

describe('the CloudEvents SDK, without our client', () => {
  test('submits one event in the structured mode: accepted, anchored, proven', async () => {
    const sent = await post(HTTP.structured(eventOf('structured')))
    expect(sent).toMatchObject({ status: 201, answer: { receipt: { source, size: '1' } } })
    await expectProven('structured')
  })

  test('submits through its emitter, with fetch as the transport', async () => {
    const emit = emitterFor((message) => post(message), { mode: Mode.STRUCTURED })
    expect(await emit(eventOf('emitted'))).toMatchObject({ status: 201 })
    await expectProven('emitted')
  })

  test('submits a batch of events: each of them proven', async () => {
    const ids = ['batch-1', 'batch-2', 'batch-3']
    const body = JSON.stringify(ids.map((id) => eventOf(id).toJSON()))
    const sent = await post({ headers: { 'content-type': 'application/cloudevents-batch+json' }, body })
    expect(sent).toMatchObject({ status: 201, answer: { receipt: { size: '3' } } })
    for (const id of ids) await expectProven(id)
  })

  test('is told what is wrong with an event, with the place', async () => {
    const wrong = eventOf('wrong').cloneWith({ data: { side: 'both' } })
    expect(await post(HTTP.structured(wrong))).toMatchObject({
      status: 422,
      answer: { code: 'BAD_RECORD', pointer: expect.stringMatching(/^\/data/) },
    })
  })
})
