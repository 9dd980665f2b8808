import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Fetcher, type PublisherAddress } from '../../src/indexer/fetcher.ts'
import { submissionOf } from '../batch/items.ts'
import { append, PUBLISHER, startUnsavedTestChain, type TestChain } from '../chain/fixture.ts'
import { temporaryFolder } from '../store/temporary.ts'
import { startPublisherServer } from './publisher-server.ts'
import { sealFor, startIndexer } from './world.ts'

let chain: TestChain
const batches = [0, 1, 2].map((i) => sealFor(i, submissionOf('urn:a', i, 30 + i)))

beforeAll(async () => {
  chain = await startUnsavedTestChain()
  await append(
    chain.rpc,
    chain.ledger,
    batches.map(({ header }) => header),
  )
})
afterAll(() => chain.close())

const QUICK = { answerMs: 400, idleMs: 400, fileMs: 1_000, leastBytesPerSecond: 1_000_000 }

async function start(address: Partial<PublisherAddress> = {}) {
  const server = await startPublisherServer(batches)
  const path = await temporaryFolder()
  const publishers = new Map([[PUBLISHER, { url: server.url, ...address }]])
  const indexer = startIndexer(path, chain.rpc, chain.ledger, {
    fetcher: (folder) =>
      new Fetcher({
        publishers,
        incomingPath: join(folder, 'incoming'),
        timeouts: QUICK,
        pausesMs: [5],
      }),
  })
  const states = () => indexer.entries.from(0n, 9).map(({ state }) => state)
  return { server, indexer, path, states }
}

const VERIFIED = ['verified', 'verified', 'verified']

describe('an indexer without the files', () => {
  test('fetches every batch, verifies it, and shows it', async () => {
    const { server, indexer, path, states } = await start()
    await indexer.catchUp()
    expect(states()).toEqual(VERIFIED)
    expect(server.asked).toHaveLength(15)
    expect(await indexer.finder.find('urn:a', '1-7')).toHaveLength(1)
    expect(await readdir(join(path, 'incoming'))).toEqual([])
    expect(await readdir(join(path, 'batches', PUBLISHER))).toHaveLength(3)
  })

  test('brings the token to the publisher and follows it no further than to the same origin', async () => {
    const elsewhere = await startPublisherServer(batches)
    const { server, states, indexer } = await start({ token: 'secret' })
    const tokens = new Set<unknown>()
    server.lie((request, response, { sequence, file }) => {
      tokens.add(request.headers.authorization)
      if (sequence === 2) {
        response.writeHead(302, { location: `${elsewhere.url}${request.url}` }).end()
      } else if (sequence === 1 && request.url?.startsWith('/v1')) {
        response.writeHead(307, { location: `/moved${request.url}` }).end()
      } else return false
      return file.length > 0
    })
    await indexer.catchUp()
    expect(states()).toEqual(['verified', 'verified', 'withheld'])
    expect(indexer.entries.get(2n)?.reason).toContain('it sends us to')
    expect(elsewhere.asked).toEqual([])
    expect([...tokens]).toEqual(['Bearer secret'])
  })

  const LIES: [name: string, state: 'fraud' | 'withheld', lie: Parameters<typeof batchLie>[0]][] = [
    ['A SERVER WITHOUT THE FILE', 'withheld', (response) => response.writeHead(404).end()],
    ['A SERVER THAT WANTS ANOTHER TOKEN', 'withheld', (response) => response.writeHead(401).end()],
    ['A SERVER THAT FAILS', 'withheld', (response) => response.writeHead(500).end()],
    ['A SERVER THAT NEVER ANSWERS', 'withheld', () => undefined],
    ['A SERVER THAT STOPS HALFWAY', 'withheld', (response, file) => response.write(file.subarray(0, 40))],
    [
      'A SERVER THAT BREAKS OFF',
      'withheld',
      (response, file) => {
        response.writeHead(200, { 'content-length': file.length })
        response.write(file.subarray(0, 40), () => response.destroy())
      },
    ],
    [
      'A SERVER THAT DRIPS',
      'withheld',
      (response) => {
        const drip = setInterval(() => response.write('x'), 50)
        response.once('close', () => clearInterval(drip))
      },
    ],
    [
      'A SERVER THAT NEVER ENDS',
      'withheld',
      (response) => {
        const more = () => {
          while (!response.destroyed && response.write(new Uint8Array(65_536)));
        }
        response.on('drain', more)
        more()
      },
    ],
    [
      'A SERVER THAT COMPRESSES UNASKED',
      'withheld',
      (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('x'),
    ],
    ['A SERVER WITH ANOTHER FILE', 'fraud', (response) => response.end('something else')],
    ['A SERVER WITH AN EMPTY FILE', 'fraud', (response) => response.end()],
    [
      'A SERVER WITH THE FILE OF ANOTHER BATCH',
      'fraud',
      (response) => response.end(batches[0]?.files['index.bin']),
    ],
    [
      'A SERVER THAT CHANGES A BYTE',
      'fraud',
      (response, file) => response.end(file.map((byte, i) => (i === 100 ? byte ^ 1 : byte))),
    ],
  ]

  /** About one file of the second batch. */
  function batchLie(
    tell: (response: import('node:http').ServerResponse, file: Uint8Array) => unknown,
  ): Parameters<Awaited<ReturnType<typeof startPublisherServer>>['lie']>[0] {
    return (_, response, { sequence, file }) => {
      if (sequence !== 1 || file !== 'index.bin') return false
      tell(response, batches[1]?.files[file] ?? new Uint8Array())
      return true
    }
  }

  test.each(LIES)(
    '%s is %s, holds up nothing else, and is forgiven when it gives out what it should',
    async (_, state, tell) => {
      const { server, indexer, states } = await start()
      server.lie(batchLie(tell))
      await indexer.catchUp()
      expect(states()).toEqual(['verified', state, 'verified'])
      // The missing batch leaves a hole in what its source has numbered.
      expect(indexer.open()).toEqual([
        [1, state],
        [2, 'sequence-gap', 'urn:a#2'],
      ])
      server.lie(() => false)
      await indexer.checker.step()
      expect(states(), 'not before its time').toEqual(['verified', state, 'verified'])
      indexer.pass(5_000)
      await indexer.checker.step()
      expect(states()).toEqual(VERIFIED)
      expect(indexer.open()).toEqual([])
    },
  )

  test('keeps what it was given instead, with its digest and where it came from', async () => {
    const { server, indexer } = await start()
    server.lie(batchLie((response) => response.end('something else')))
    await indexer.catchUp()
    const [alert] = indexer.told.filter(({ kind }) => kind === 'fraud')
    expect(alert).toMatchObject({
      format: 'tidemark-alert/1',
      batch: { publisher: PUBLISHER, sequence: '1' },
      anchor: { ledger: chain.ledger, ledgerIndex: '1' },
    })
    expect(alert?.files).toContainEqual({
      name: 'index.bin',
      // of "something else", by sha256sum
      sha256: '0xf41f3fa625ff120ddca7ef456bf66371ecea23c129f4e4c32367101edb516cf8',
      size: '14',
      from: `${server.url}/v1/batches/${PUBLISHER}/1/index.bin`,
    })
    const kept = join(indexer.evidencePath, PUBLISHER, '000000000001')
    expect(await readFile(join(kept, 'index.bin'), 'utf8')).toBe('something else')
    expect(await readdir(kept)).toHaveLength(5)
  })

  test('asks for a batch that its own disk has changed once more', async () => {
    const { indexer, states, server } = await start()
    await indexer.catchUp()
    await writeFile(indexer.pathOf(1, 'tree.bin'), 'rotten')
    indexer.entries.mark(1n, 'announced')
    await indexer.checker.step()
    expect(states()).toEqual(VERIFIED)
    expect(server.asked).toHaveLength(20)
  })

  test('calls the batches of a publisher withheld whose address it was not told', async () => {
    const path = await temporaryFolder()
    const indexer = startIndexer(path, chain.rpc, chain.ledger, {
      fetcher: (folder) => new Fetcher({ publishers: new Map(), incomingPath: join(folder, 'incoming') }),
    })
    await indexer.catchUp()
    expect(indexer.open()).toEqual([0, 1, 2].map((i) => [i, 'withheld']))
    expect(indexer.entries.get(0n)?.reason).toContain(`no address is known of publisher ${PUBLISHER}`)
  })
})
