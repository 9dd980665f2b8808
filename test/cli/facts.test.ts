import { join } from 'node:path'
import { expect, test } from 'vitest'
import { chainFacts } from '../../src/chain/facts.ts'
import type { Rpc } from '../../src/chain/rpc.ts'
import { gatherFacts } from '../../src/cli/facts.ts'
import { startIndexing } from '../../src/indexer/service.ts'
import { openDatabase } from '../../src/store/database.ts'
import { append, makeHeaders, startUnsavedTestChain } from '../chain/fixture.ts'
import { eventually, temporaryFolder } from '../store/temporary.ts'

test('nothing is shown of what the follower has read and does not yet believe', async () => {
  const { rpc, ledger, close } = await startUnsavedTestChain()
  const path = await temporaryFolder()
  const database = openDatabase(join(path, 'catalogue.sqlite'))
  const seen: (number | undefined)[] = []
  const heads: { size: bigint; stored: number; peaks: number }[] = []
  const factsNow = () => gatherFacts({ indexing, problems: 0, now: () => 0 })
  // Between any two answers of the node somebody may ask.
  const watched: Rpc = {
    ...rpc,
    call: async (method, parameters) => {
      const answer = await rpc.call(method, parameters)
      seen.push(factsNow().batches.verified)
      const { size, peaks } = indexing.follower.state
      heads.push({ size, stored: indexing.entries.size(), peaks: peaks.length })
      return answer
    },
  }
  await append(rpc, ledger, makeHeaders(0, 5))
  const indexing = startIndexing({
    database,
    batchesPath: join(path, 'batches'),
    runsPath: join(path, 'runs'),
    evidencePath: join(path, 'evidence'),
    rpc: watched,
    chain: chainFacts(watched, { finality: { kind: 'depth', confirmations: 1 } }),
    identity: { chainId: 31337n, ledger, deploymentBlock: 0n },
    mayLag: true,
    threads: 1,
    pollMs: 10,
    now: () => 0,
    onTrouble: () => undefined,
  })
  try {
    await eventually(async () => (factsNow().batches.withheld === 5 ? true : undefined))
    expect(new Set(seen)).toEqual(new Set([0]))
    // Five headers have two peaks.
    for (const { size, stored, peaks } of heads) {
      expect([size, peaks]).toEqual([BigInt(stored), stored === 0 ? 0 : 2])
    }
    expect(heads.at(-1)?.stored).toBe(5)
  } finally {
    await indexing.stop()
    database.close()
    await close()
  }
})
