import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { fromHex, type Hex } from '../../src/bytes/hex.ts'
import { devWallet } from '../../src/chain/dev-accounts.ts'
import { signReceipt } from '../../src/chain/signing.ts'
import { callOf, exchange, freePort, ndjson } from '../api/world.ts'
import { endAfterTest, expectNoProcess, makeFolder, startUp, tidemark, type Up } from '../e2e/processes.ts'
import { addressOf, otherKey, sealedItems, signedSubmission, sourceKey } from '../gateway/signed.ts'
import { temporaryFolder } from '../store/temporary.ts'

let up: Up
let folder: Awaited<ReturnType<typeof makeFolder>>
let data: string[]
/** What a gateway answered for `urn:cli:receipt`, and kept. */
let receipt: Record<string, string>
const api = () => ['--api', up.url]

beforeAll(async () => {
  folder = await makeFolder()
  data = ['--data', join(folder.path, 'data')]
  up = await startUp([...data, '--port', '0', '--chain-port', '0', '--seal-after', '50'])
  const sent = await tidemark(['send', '-', '--wait', '--json', ...api()], {
    stdin: ndjson(callOf('urn:cli:receipt', 'a'), callOf('urn:cli:receipt', 'b')),
  })
  receipt = JSON.parse(sent.stdout.split('\n')[0] ?? '').receipts[0]
})
afterAll(async () => {
  const code = await up.stop()
  await expectNoProcess(folder.path)
  await folder.remove()
  expect(code).toBe(0)
})

async function post(source: string, sequence: number, id: string, wallet = sourceKey): Promise<number> {
  const domain = { chainId: 31337n, ledger: up.ledger as Hex } // the screen says it in hex
  const { body, headers } = await signedSubmission(domain, wallet, sequence, sealedItems(source, id))
  return (await exchange(up.url, 'POST', '/v1/submissions', { headers, body })).status
}

describe('tidemark source', () => {
  test('adds, rotates, lists and revokes keys, and the gateway that runs knows at once', async () => {
    const source = 'urn:cli:signed'
    expect(await post(source, 0, 'a')).toBe(403)
    expect(await tidemark(['source', 'add', source, '--key', addressOf(sourceKey), ...data])).toMatchObject({
      code: 0,
      stderr: '',
    })
    expect(await post(source, 0, 'a')).toBe(201)
    expect((await tidemark(['source', 'rotate', source, '--key', addressOf(otherKey), ...data])).code).toBe(0)
    expect(await post(source, 1, 'b')).toBe(403)
    expect(await post(source, 1, 'b', otherKey)).toBe(201)
    expect((await tidemark(['source', 'revoke', source, ...data])).code).toBe(0)
    expect(await post(source, 2, 'c', otherKey)).toBe(403)
    const { stdout } = await tidemark(['source', 'list', '--json', ...data])
    const time = expect.stringMatching(/^\d{4}-.*Z$/)
    expect(JSON.parse(stdout)).toEqual([
      { source, key: addressOf(sourceKey), since: time, revoked: time },
      { source, key: addressOf(otherKey), since: time, revoked: time },
      // The gateway's own, which says what runs there are.
      {
        source: expect.stringMatching(/^urn:tidemark:runs:0x/),
        key: expect.any(String),
        since: time,
        revoked: null,
      },
      {
        source: expect.stringMatching(/^urn:tidemark:watch:0x/),
        key: expect.any(String),
        since: time,
        revoked: null,
      },
    ])
    const unsigned = await tidemark(['send', '-', ...api()], { stdin: ndjson(callOf(source, 'd')) })
    expect(unsigned.code).toBe(2)
    expect(unsigned.stderr).toContain('signs its submissions or sends a token')
  })

  test('works on a folder that is not running, before its first start too', async () => {
    const own = ['--data', join(await temporaryFolder(), 'new')]
    expect((await tidemark(['source', 'list', ...own])).code).toBe(2)
    expect((await tidemark(['source', 'add', 'urn:a', '--key', addressOf(sourceKey), ...own])).code).toBe(0)
    const { stdout } = await tidemark(['source', 'list', ...own])
    expect(stdout).toContain(addressOf(sourceKey))
    const first = endAfterTest(await startUp([...own, '--port', '0', '--chain-port', '0']))
    const unsigned = await tidemark(['send', '-', '--api', first.url], {
      stdin: ndjson(callOf('urn:a', 'x')),
    })
    expect(unsigned.code).toBe(2)
    expect(await first.stop()).toBe(0)
  })

  test.each<[string, string[]]>([
    ['a key that is none', ['source', 'add', 'urn:a', '--key', '0x12']],
    ['no key', ['source', 'add', 'urn:a']],
    ['a source with a blank', ['source', 'add', 'urn a', '--key', `0x${'11'.repeat(20)}`]],
    ['a key that the source does not have', ['source', 'revoke', 'urn:none']],
    ['a token that is not there', ['token', 'revoke', 'none']],
    ['no verb', ['source']],
    ['an unknown verb', ['token', 'make']],
  ])('with %s is exit code 2', async (_, args) => {
    const withData = args.length > 2 ? [...args, ...data] : args
    expect((await tidemark(withData)).code).toBe(2)
  })
})

describe('tidemark token', () => {
  test('creates one that send uses, and revokes it', async () => {
    const created = await tidemark(['token', 'create', 'urn:cli:token', '--label', 'desk', ...data])
    const token = created.stdout.trim()
    expect(token).toMatch(/^tidemark_[\w-]{43}$/)
    const records = (id: string) => ({ stdin: ndjson(callOf('urn:cli:token', id)) })
    expect((await tidemark(['send', '-', ...api()], records('a'))).code).toBe(2)
    expect((await tidemark(['send', '-', '--token', token, ...api()], records('a'))).code).toBe(0)
    const env = { TIDEMARK_TOKEN: token }
    expect((await tidemark(['send', '-', ...api()], { ...records('b'), env })).code).toBe(0)
    const listed = await tidemark(['token', 'list', '--json', ...data])
    expect(listed.stdout).not.toContain(token)
    const [{ id, label }] = JSON.parse(listed.stdout)
    expect(label).toBe('desk')
    expect((await tidemark(['token', 'revoke', id, ...data])).code).toBe(0)
    const refused = await tidemark(['send', '-', ...api()], { ...records('c'), env })
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain('revoked')
  })
})

test('a person is told who used her data with a token of her own, and an auditor with one of his', async () => {
  const { person } = callOf('', '').data as { person: string }
  const sent = await tidemark(['send', '-', '--wait', ...api()], {
    stdin: ndjson(callOf('urn:cli:person', 'a')),
  })
  expect(sent.code, sent.stderr).toBe(0)
  const find = ['find', '--person', person, ...api()]
  expect(await tidemark(find)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('shown to auditors, and to each person'),
  })
  for (const role of [['--auditor'], ['--subject', person]]) {
    const { stdout, stderr } = await tidemark(['token', 'create', ...role, ...data])
    const token = stdout.trim()
    expect(stderr).toContain(`(${role[0]?.slice(2)})`)
    const found = await tidemark([...find, '--limit', '1', '--token', token])
    expect(JSON.parse(found.stdout)).toMatchObject({ record: { id: 'a' } })
    const prove = [
      'prove',
      'a',
      '--source',
      'urn:cli:person',
      '--disclose',
      'person',
      '--no-evidence',
      ...api(),
    ]
    const proof = await tidemark(prove, { env: { TIDEMARK_TOKEN: token } })
    expect(JSON.parse(proof.stdout).disclosures).toHaveLength(1)
    const history = await tidemark(['history', '--person', person, '--token', token, ...api()])
    expect((await tidemark(['verify', '-', '--rpc', up.rpcUrl], { stdin: history.stdout })).code).toBe(0)
  }
  for (const wrong of [['--subject', 'li'], ['--auditor', '--read'], []]) {
    expect((await tidemark(['token', 'create', ...wrong, ...data])).code).toBe(2)
  }
})

test('tidemark up on an address that others reach takes registered sources only, unless it is told otherwise', async () => {
  for (const [more, status] of [
    [[], 403],
    [['--submissions', 'open'], 201],
  ] as const) {
    const own = await makeFolder()
    onTestFinished(own.remove)
    const other = await startUp([
      '--data',
      own.path,
      '--host',
      '0.0.0.0',
      '--port',
      '0',
      '--chain-port',
      '0',
      ...more,
    ])
    onTestFinished(async () => void (await other.stop()))
    const answer = await exchange(other.url, 'POST', '/v1/submissions', {
      headers: { 'content-type': 'application/x-ndjson' },
      body: ndjson(callOf('urn:x', 'a')),
    })
    expect(answer.status).toBe(status)
  }
})

describe('tidemark verify receipt', () => {
  const verify = async (value: unknown, ...more: string[]) => {
    const path = join(await temporaryFolder(), 'receipt.json')
    await writeFile(path, typeof value === 'string' ? value : JSON.stringify(value))
    return tidemark(['verify', 'receipt', path, '--rpc', up.rpcUrl, ...api(), ...more])
  }
  /** A promise that the publisher signs, and no gateway ever took. */
  const promise = async (change: { source?: string; sequence?: bigint; anchorBy: bigint }) => {
    const domain = { chainId: 31337n, ledger: up.ledger as Hex } // the screen says it in hex
    const signed = {
      source: receipt.source ?? '',
      sequence: 999n,
      root: fromHex(receipt.root ?? ''),
      size: 2n,
      receivedAt: 1n,
      ...change,
    }
    const signature = await signReceipt(devWallet('publisher', 31337n), domain, signed)
    const texts = { source: signed.source, sequence: `${signed.sequence}`, anchorBy: `${signed.anchorBy}` }
    return { ...receipt, ...texts, receivedAt: '1', signature }
  }

  test('0: a promise that was kept, with everything pinned', async () => {
    const ended = await verify(receipt, '--ledger', up.ledger, '--publisher', receipt.publisher ?? '')
    expect(ended.code, ended.stderr).toBe(0)
    expect(ended.stdout).toMatch(/^KEPT\n +receipt +submission 0 of urn:cli:receipt, 2 records\n/)
    const json = await verify(receipt, '--json')
    expect(JSON.parse(json.stdout)).toMatchObject({ verdict: 'kept', source: 'urn:cli:receipt', records: 2 })
  })

  test('1: a forged receipt, an unexpected publisher, a broken promise: each with its reason', async () => {
    const forged = await verify({ ...receipt, anchorBy: '1' })
    expect(forged).toMatchObject({ code: 1, stdout: '' })
    expect(forged.stderr).toMatch(/REFUTED at step publisher: /)
    const pinned = await verify(receipt, '--publisher', `0x${'11'.repeat(20)}`)
    expect(pinned.code).toBe(1)
    const late = await verify(await promise({ sequence: 0n, anchorBy: 2n }), '--json')
    expect(late.code).toBe(1)
    expect(JSON.parse(late.stdout)).toMatchObject({ error: { code: 'PROMISE_BROKEN', step: 'promise' } })
    const lost = await verify(await promise({ anchorBy: 2n }))
    expect(lost.code).toBe(1)
    expect(lost.stderr).toContain('is not on the chain')
  })

  test('1: a good signature of somebody who is no publisher of the ledger', async () => {
    const domain = { chainId: 31337n, ledger: up.ledger as Hex } // the screen says it in hex
    const signed = {
      source: 'urn:x',
      sequence: 0n,
      root: new Uint8Array(32),
      size: 1n,
      receivedAt: 1n,
      anchorBy: 2n,
    }
    const signature = await signReceipt(otherKey, domain, signed)
    const impostor = {
      ...receipt,
      source: 'urn:x',
      root: `0x${'00'.repeat(32)}`,
      size: '1',
      receivedAt: '1',
      anchorBy: '2',
      publisher: addressOf(otherKey),
      signature,
    }
    const ended = await verify(impostor, '--json')
    expect(ended.code).toBe(1)
    expect(JSON.parse(ended.stdout)).toMatchObject({ error: { code: 'WRONG_PUBLISHER' } })
  })

  test.each(['', '{"format":', '{}', '{"format":"tidemark-proof/1"}', 'null'])('2: %j', async (text) => {
    const ended = await verify(text, '--json')
    expect(ended.code).toBe(2)
    expect(JSON.parse(ended.stdout)).toMatchObject({ error: { code: 'BAD_BUNDLE' } })
  })

  test('2: no file and wrong options', async () => {
    expect((await tidemark(['verify', 'receipt'])).code).toBe(2)
    expect((await tidemark(['verify', 'receipt', '/nonexistent/receipt'])).code).toBe(2)
    expect((await tidemark(['verify', 'receipt', 'x', '--publisher', 'x'])).code).toBe(2)
  })

  test.each<[string, object, RegExp]>([
    ['of another publisher', { publisher: `0x${'11'.repeat(20)}` }, /is not the gateway of publisher/],
    ['of another ledger', { ledger: `0x${'11'.repeat(20)}` }, /is not the gateway of publisher/],
    ['that has not read the whole ledger', { size: '0' }, /does not know the whole ledger/],
    ['that says nothing of sense', { size: 'many' }, /does not answer like a gateway/],
    ['that lags', { lagging: true }, /does not know the whole ledger/],
  ])('3: the word of a gateway %s, after the time', async (_, change, reason) => {
    const known = {
      chainId: '31337',
      ledger: up.ledger,
      publisher: receipt.publisher,
      size: '1000',
      lagging: false,
      ...change,
    }
    const server = createServer((request, response) => {
      const isProof = request.url?.startsWith('/v1/submissions/proof') === true
      response.writeHead(isProof ? 404 : 200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(isProof ? { code: 'NOT_ANCHORED', status: 404 } : known))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const ended = await verify(await promise({ anchorBy: 2n }), '--api', `http://127.0.0.1:${port}`)
    expect(ended.code).toBe(3)
    expect(ended.stderr).toMatch(reason)
  })

  test('3: not there yet while there is time, and nobody who could tell', async () => {
    const open = await verify(await promise({ anchorBy: BigInt(Date.now()) + 3_600_000n }), '--json')
    expect(open.code).toBe(3)
    expect(JSON.parse(open.stdout)).toMatchObject({ error: { code: 'NOT_YET' } })
    const nobody = `http://127.0.0.1:${await freePort()}`
    expect((await verify(receipt, '--rpc', nobody)).code).toBe(3)
    expect((await verify(receipt, '--api', nobody)).code).toBe(3)
    expect((await verify(receipt, '--finality', '100000')).code).toBe(3)
  })
})
