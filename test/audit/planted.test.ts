import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseJsonHeader } from '../../src/batch/index.ts'
import { Fetcher } from '../../src/indexer/fetcher.ts'
import { append, PUBLISHER, startUnsavedTestChain, type TestChain } from '../chain/fixture.ts'
import { startPublisherServer } from '../indexer/publisher-server.ts'
import { startIndexer } from '../indexer/world.ts'
import { temporaryFolder } from '../store/temporary.ts'
import { PLANTED } from './planted.ts'
import { areFilesAsJudged, contradictionsOf, isAnchored, type Stranger, signerOf } from './stranger.ts'
import { startAudits, told } from './world.ts'

let chain: TestChain
let empty: unknown

beforeAll(async () => {
  chain = await startUnsavedTestChain()
  empty = await chain.rpc.call('evm_snapshot', [])
})
afterAll(() => chain.close())

test.each(PLANTED)(
  '$name is found by a running indexer, with evidence for a stranger, and by an audit',
  async ({ kind, entries, shows, plant }) => {
    const batches = await plant(chain.ledger)
    await chain.rpc.call('evm_revert', [empty])
    empty = await chain.rpc.call('evm_snapshot', [])
    const server = await startPublisherServer(batches)
    const publishers = new Map([[PUBLISHER, { url: server.url }]])
    const indexer = startIndexer(await temporaryFolder(), chain.rpc, chain.ledger, {
      fetcher: (path) => new Fetcher({ publishers, incomingPath: join(path, 'incoming'), pausesMs: [] }),
    })
    await append(
      chain.rpc,
      chain.ledger,
      batches.slice(0, 1).map(({ header }) => header),
    )
    await indexer.catchUp()
    expect(indexer.open()).toEqual([])
    await append(
      chain.rpc,
      chain.ledger,
      batches.slice(1).map(({ header }) => header),
    )
    await indexer.catchUp()
    expect(indexer.open().map(([entry, what]) => [entry, what])).toEqual(
      entries
        .map((entry) => [entry, kind])
        .concat(kind === 'fraud' && entries.length === 1 ? [[2, 'sequence-gap']] : []),
    )

    const alert = indexer.told.find((one) => one.kind === kind && one.anchor.ledgerIndex === '1')
    if (alert === undefined) throw new Error('there is no alert')
    const stranger: Stranger = { rpc: chain.rpc, publisherUrl: server.url, path: await temporaryFolder() }
    expect(await isAnchored(alert, stranger)).toBe(true)
    expect(await areFilesAsJudged(alert)).toBe(true)
    if (kind === 'fraud') {
      expect(alert.files).toHaveLength(5)
      expect(await contradictionsOf(alert, stranger)).toEqual(shows)
    } else {
      // The batch is as its header says; who signed is told by the files of this batch and the one before.
      expect(await contradictionsOf(alert, stranger)).toEqual([])
      const source = alert.submission?.source ?? ''
      const before = await signerOf(
        batches[0]?.header ?? parseJsonHeader(alert.batch),
        source,
        alert.anchor,
        stranger,
      )
      const now = await signerOf(parseJsonHeader(alert.batch), source, alert.anchor, stranger)
      expect(now).not.toBe(before)
      expect([alert.expected, alert.found]).toEqual([
        expect.stringContaining(String(before)),
        expect.stringContaining(String(now)),
      ])
    }

    const { run } = await startAudits(chain, batches)
    const report = await run()
    expect(report.verdict).toBe('false')
    expect(told(report).filter(([, what]) => what !== 'sequence-gap')).toEqual(
      entries.map((entry) => [entry, kind, 'false']),
    )
  },
)
