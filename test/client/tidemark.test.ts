import { readdir } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { Wallet } from 'ethers'
import { describe, expect, test } from 'vitest'
import { fromHex, type Hex, isHex } from '../../src/bytes/hex.ts'
import { recoverReceiptSigner, recoverSubmissionSigner, signReceipt } from '../../src/chain/signing.ts'
import type { JsonReceipt } from '../../src/client/index.ts'
import { InputError, OperationError, VerificationError } from '../../src/errors.ts'
import { freePort } from '../api/world.ts'
import { eventually, temporaryFolder } from '../store/temporary.ts'
import { eventOf } from './event.ts'
import { connect, finish, hastyClock, idsOf, isSubmission, standBetween, startLedger } from './world.ts'

const KEY = `0x${'4b'.repeat(32)}` as const
const SIGNER = new Wallet(KEY).address.toLowerCase() as Hex
const TOKEN = 'a-token-that-is-long-enough-0123456789'

describe('a client without a spool', () => {
  test('records many at once in few submissions, in their order, and gives each its verified receipt', async () => {
    const gateway = await startLedger()
    const { ledger, errors } = await connect({ url: gateway.url })
    const ids = idsOf('a', 60)
    const recorded = await Promise.all(ids.map((id) => ledger.record(eventOf(id))))
    expect(recorded.map(({ id }) => id)).toEqual(ids)
    const { receipt } = recorded[0] ?? {}
    if (receipt === undefined || !isHex(receipt.signature)) throw new Error('no receipt')
    const { chainId, ledger: address } = gateway.system.identity
    const signed = {
      source: 'urn:service',
      sequence: 0n,
      root: fromHex(receipt.root),
      size: BigInt(receipt.size),
      receivedAt: BigInt(receipt.receivedAt),
      anchorBy: BigInt(receipt.anchorBy),
    }
    expect(recoverReceiptSigner({ chainId, ledger: address }, signed, receipt.signature)).toBe(
      gateway.system.publisher,
    )
    await finish(ledger)
    const submissions = await gateway.submissionsOf('urn:service')
    expect(submissions.flat()).toEqual(ids)
    expect(submissions.length).toBeLessThan(4)
    expect(errors).toEqual([])
  })

  test('divides by count and by bytes, and goes on with the numbers of an earlier client', async () => {
    const gateway = await startLedger()
    for (const [round, limits] of [{ submissionRecords: 7 }, { submissionBytes: 5_000 }].entries()) {
      const { ledger } = await connect({ url: gateway.url, ...limits })
      await Promise.all(idsOf(`r${round}`, 20).map((id) => ledger.record(eventOf(id))))
      await finish(ledger)
    }
    const submissions = await gateway.submissionsOf('urn:service')
    expect(submissions.flat()).toEqual([...idsOf('r0', 20), ...idsOf('r1', 20)])
    expect(submissions.slice(0, 3).map(({ length }) => length)).toEqual([7, 7, 6])
    expect(submissions.length).toBeGreaterThan(5)
  })

  test('refuses a wrong record at once, with the place, and takes the next', async () => {
    const gateway = await startLedger()
    const { ledger } = await connect({ url: gateway.url })
    const first = ledger.record(eventOf('a'))
    const { data, ...rest } = eventOf('b')
    await expect(ledger.record({ ...rest, data: { ...data, rows: -1 } })).rejects.toMatchObject({
      code: 'BAD_RECORD',
      place: { pointer: '/data/rows' },
    })
    await expect(ledger.record(eventOf('a'))).rejects.toMatchObject({ code: 'DUPLICATE_ID' })
    await expect(
      ledger.record({ ...rest, data: { ...data, note: '\u0001'.repeat(4_000), agent: 'x'.repeat(300) } }),
    ).rejects.toBeInstanceOf(InputError)
    await Promise.all([first, ledger.record(eventOf('c'))])
    await finish(ledger)
    await expect(ledger.record(eventOf('d'))).rejects.toMatchObject({ code: 'SHUTTING_DOWN' })
    expect((await gateway.submissionsOf('urn:service')).flat()).toEqual(['a', 'c'])
  })

  test('fills in id and time', async () => {
    const gateway = await startLedger()
    const clock = { ...hastyClock(), now: () => Date.parse('2026-03-01T09:30:00.125Z') }
    const { ledger } = await connect({ url: gateway.url, clock })
    const { type, data, subject } = eventOf('')
    const { id } = await ledger.record({ type, data, ...(subject && { subject }) })
    expect(id).toMatch(/^[0-9a-f-]{36}$/)
    const found = await eventually(async () => {
      const query = new URLSearchParams({ source: 'urn:service', id })
      const answer = await fetch(`${gateway.url}/v1/records?${query}`)
      return answer.ok ? ((await answer.json()) as { records: { record: object }[] }) : undefined
    })
    expect(found.records[0]?.record).toMatchObject({ id, time: '2026-03-01T09:30:00.125Z' })
  })

  test('does not connect to nobody', async () => {
    const url = `http://127.0.0.1:${await freePort()}`
    await expect(connect({ url })).rejects.toMatchObject({ code: 'GATEWAY_UNREACHABLE' })
  })

  test('holds no more than it may, and says so; gives up after a time, and recovers with the gateway', async () => {
    const gateway = await startLedger()
    let isAway = false
    const between = await standBetween(gateway.url, () => (isAway ? 'cut' : 'pass'))
    const { ledger } = await connect({ url: between.url, waitingBytes: 4_000, giveUpAfterMs: 300 })
    await ledger.record(eventOf('first'))
    isAway = true
    const outcomes = await Promise.allSettled(idsOf('b', 20).map((id) => ledger.record(eventOf(id))))
    const codes = outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'taken'))
    const kept = codes.indexOf('OVERLOADED')
    expect(kept).toBeGreaterThan(0)
    expect(codes).toEqual([
      ...Array(kept).fill('GATEWAY_UNREACHABLE'),
      ...Array(20 - kept).fill('OVERLOADED'),
    ])
    isAway = false
    await ledger.record(eventOf('last'))
    expect(ledger.waitingBytes).toBe(0)
    await finish(ledger)
    expect((await gateway.submissionsOf('urn:service')).flat()).toEqual(['first', 'last'])
  })

  test('tells whoever waits when it is closed before the gateway answers', async () => {
    const gateway = await startLedger()
    const between = await standBetween(gateway.url, (heard) => (isSubmission(heard) ? 'cut' : 'pass'))
    const { ledger } = await connect({ url: between.url })
    const record = ledger.record(eventOf('a')).catch((error: unknown) => error)
    await ledger.close({ timeoutMs: 5 })
    expect(await record).toBeInstanceOf(OperationError)
  })
})

describe('what goes over the wire', () => {
  test('is signed by the source when it has a key: number, root and signature stand in the headers', async () => {
    const gateway = await startLedger()
    gateway.register((sources) => sources.addKey('urn:service', SIGNER, 1))
    const between = await standBetween(gateway.url, () => 'pass')
    const receipts: JsonReceipt[] = []
    for (const key of [KEY, new Wallet(KEY)]) {
      const { ledger } = await connect({
        url: between.url,
        key,
        onReceipt: (receipt) => void receipts.push(receipt),
      })
      await Promise.all(['a', 'b'].map((id) => ledger.record(eventOf(`${receipts.length}-${id}`))))
      await finish(ledger)
    }
    const sent = between.heard.filter(isSubmission)
    expect(sent.map(({ headers }) => headers['tidemark-sequence'])).toEqual(['0', '1'])
    for (const [i, { headers, body }] of sent.entries()) {
      const root = String(headers['tidemark-root'])
      const signature = headers['tidemark-signature']
      expect(root).toBe(receipts[i]?.root)
      expect(headers.authorization).toBeUndefined()
      if (!isHex(signature, 65)) throw new Error('no signature')
      const submission = { source: 'urn:service', sequence: BigInt(i), root: fromHex(root, 32), size: 2n }
      expect(recoverSubmissionSigner(gateway.system.identity, submission, signature)).toBe(SIGNER)
      const lines = body.toString('utf8').trimEnd().split('\n')
      const [item] = lines.map((line) => JSON.parse(line))
      expect(Object.keys(item)).toEqual(['disclosures', 'record'])
      // person, agent and note: the private ones travel to the vault.
      expect(item.disclosures).toHaveLength(3)
      expect(item.record.data).not.toHaveProperty('agent')
    }
  })

  test('carries the bearer token of a source without a key', async () => {
    const gateway = await startLedger()
    gateway.register((sources) =>
      sources.addToken(TOKEN, { role: 'source', source: 'urn:service' }, 'test', 1),
    )
    const between = await standBetween(gateway.url, () => 'pass')
    const { ledger } = await connect({ url: between.url, token: TOKEN })
    await ledger.record(eventOf('a'))
    expect(new Set(between.heard.map(({ headers }) => headers.authorization))).toEqual(
      new Set([`Bearer ${TOKEN}`]),
    )
    expect(between.heard.at(-1)?.headers).not.toHaveProperty('tidemark-signature')
  })

  test('is compressed where it is asked for, and plain again for a gateway that does not take it', async () => {
    const gateway = await startLedger()
    let takesGzip = true
    const between = await standBetween(gateway.url, ({ headers }) =>
      headers['content-encoding'] === undefined || takesGzip ? 'pass' : { status: 415 },
    )
    const { ledger, errors } = await connect({ url: between.url, compression: 'gzip' })
    await ledger.record(eventOf('a'))
    takesGzip = false
    await ledger.record(eventOf('b'))
    await ledger.record(eventOf('c'))
    const sent = between.heard.filter(isSubmission)
    expect(sent.map(({ headers }) => headers['content-encoding'])).toEqual([
      'gzip',
      'gzip',
      undefined,
      undefined,
    ])
    expect(gunzipSync(sent[1]?.body ?? Buffer.alloc(0))).toEqual(sent[2]?.body)
    expect(errors).toEqual([])
    await finish(ledger)
    expect((await gateway.submissionsOf('urn:service')).flat()).toEqual(['a', 'b', 'c'])
  })
})

describe('whatever becomes of a request', () => {
  test.each([
    ['ANSWERS LOST', 'lose'],
    ['CONNECTIONS CUT', 'cut'],
  ] as const)('%s: every record is on the ledger once, in order', async (_, fault) => {
    const gateway = await startLedger()
    gateway.register((sources) => sources.addKey('urn:service', SIGNER, 1))
    let exchanges = 0
    const between = await standBetween(gateway.url, () => (exchanges++ % 3 === 1 ? fault : 'pass'))
    const { ledger, errors } = await connect({ url: between.url, submissionRecords: 4, key: KEY })
    const ids = idsOf('a', 30)
    await Promise.all(ids.map((id) => ledger.record(eventOf(id))))
    await finish(ledger)
    expect(errors.length).toBeGreaterThan(2)
    const submissions = await gateway.submissionsOf('urn:service')
    expect(submissions.flat()).toEqual(ids)
    expect(submissions).toHaveLength(8)
  })

  test.each([
    [429, { 'retry-after': '7' }, 7_000],
    [503, { 'retry-after': '3' }, 3_000],
    [503, { 'retry-after': 'Mon, 21 Sep 2026 14:14:20 GMT' }, 60_000],
    [502, {}, 0],
    [503, { 'retry-after': '86400000' }, 300_000],
  ])(
    'A GATEWAY THAT SAYS %i %j is left alone so long, and then gets it',
    async (status, headers, demandedMs) => {
      const gateway = await startLedger()
      let busy = 2
      const between = await standBetween(gateway.url, (heard) =>
        isSubmission(heard) && busy-- > 0 ? { status, headers: { ...headers } } : 'pass',
      )
      const clock = { ...hastyClock(), now: () => Date.parse('2026-09-21T14:13:20Z') }
      const { ledger, errors } = await connect({ url: between.url, clock, lingerMs: 1 })
      await ledger.record(eventOf('a'))
      expect(errors).toHaveLength(2)
      const waits = clock.pausesMs.filter((ms) => ms !== 1)
      expect(waits).toHaveLength(2)
      for (const ms of waits) {
        expect(ms).toBeGreaterThan(demandedMs)
        expect(ms).toBeLessThan(demandedMs + 11_000)
      }
    },
  )

  test('ANOTHER PROCESS of the source takes the number: the next is taken, and nothing is doubled', async () => {
    const gateway = await startLedger()
    const clients = [await connect({ url: gateway.url }), await connect({ url: gateway.url })]
    const all = clients.map(async ({ ledger }, i) => {
      for (const id of idsOf(`c${i}`, 15)) await ledger.record(eventOf(id))
      await finish(ledger)
    })
    await Promise.all(all)
    const ids = (await gateway.submissionsOf('urn:service')).flat()
    expect(ids).toHaveLength(30)
    for (const i of [0, 1]) expect(ids.filter((id) => id.startsWith(`c${i}`))).toEqual(idsOf(`c${i}`, 15))
  })
})

describe('A RECEIPT FORGED BY A MAN IN THE MIDDLE', () => {
  const alter = (change: Partial<JsonReceipt>) => (answer: string) => {
    const { receipt } = JSON.parse(answer) as { receipt: JsonReceipt }
    return JSON.stringify({ receipt: { ...receipt, ...change } })
  }

  const FORGERIES: [string, (answer: string) => string | Promise<string>][] = [
    ['for other records', alter({ root: `0x${'00'.repeat(32)}` })],
    ['for another number', alter({ sequence: '5' })],
    ['for another source', alter({ source: 'urn:other' })],
    ['for fewer records', alter({ size: '0' })],
    ['with a later promise', alter({ anchorBy: '9999999999999' })],
    ['of another ledger', alter({ ledger: `0x${'11'.repeat(20)}` })],
    ['without a signature', alter({ signature: '0x' })],
    ['that is none', () => '{"receipt":null}'],
    ['that is missing', () => '{}'],
    [
      'signed by another key',
      async (answer) => {
        const { receipt } = JSON.parse(answer) as { receipt: JsonReceipt }
        const { source, ledger } = receipt
        const signature = await signReceipt(
          new Wallet(KEY),
          { chainId: BigInt(receipt.chainId), ledger },
          {
            source,
            sequence: BigInt(receipt.sequence),
            root: fromHex(receipt.root),
            size: BigInt(receipt.size),
            receivedAt: BigInt(receipt.receivedAt),
            anchorBy: BigInt(receipt.anchorBy),
          },
        )
        return JSON.stringify({ receipt: { ...receipt, signature } })
      },
    ],
  ]

  test('is told of and deletes nothing from the spool; an honest answer then does', async () => {
    const gateway = await startLedger()
    let forge: ((answer: string) => string | Promise<string>) | undefined
    const between = await standBetween(gateway.url, (heard) =>
      forge && isSubmission(heard) ? forge : 'pass',
    )
    const spoolPath = await temporaryFolder()
    const { ledger, errors } = await connect({ url: between.url, spoolPath })
    for (const [name, forgery] of FORGERIES) {
      forge = forgery
      errors.length = 0
      await ledger.record(eventOf(name))
      await eventually(() => errors.length > 1 || undefined)
      expect(errors[0], name).toBeInstanceOf(VerificationError)
      expect(await spooled(spoolPath), name).toHaveLength(1)
      forge = undefined
      await ledger.flush()
      expect(await spooled(spoolPath), name).toEqual([])
    }
    await finish(ledger)
    expect((await gateway.submissionsOf('urn:service')).flat()).toEqual(FORGERIES.map(([name]) => name))
  })

  test('is no receipt to a client without a spool', async () => {
    const gateway = await startLedger()
    const between = await standBetween(gateway.url, (heard) =>
      isSubmission(heard) ? alter({ anchorBy: '9999999999999' }) : 'pass',
    )
    const { ledger } = await connect({ url: between.url })
    await expect(ledger.record(eventOf('a'))).rejects.toMatchObject({ code: 'BAD_SIGNATURE' })
  })

  test.each([
    ['publisher', { publisher: `0x${'22'.repeat(20)}` }],
    ['ledger', { ledger: `0x${'22'.repeat(20)}` }],
    ['chainId', { chainId: 1n }],
  ] as const)('of another %s than the pinned one is not even asked for', async (name, pin) => {
    const gateway = await startLedger()
    await expect(connect({ url: gateway.url, ...pin })).rejects.toThrow(`the gateway's ${name} is`)
    const { publisher, identity } = gateway.system
    const { ledger } = await connect({
      url: gateway.url,
      publisher: `0x${publisher.slice(2).toUpperCase()}`,
      ledger: identity.ledger,
      chainId: 31337n,
    })
    await ledger.record(eventOf('a'))
  })
})

/** Segments with something in them. */
const spooled = async (path: string) => (await readdir(path)).filter((name) => /\.wal\.\d+$/.test(name))
