/**
 * A gateway with its indexer and API over a chain that is elsewhere: `node victim.ts '{"dataPath": …}'`. Prints its URL
 * when it serves; ends in order on SIGTERM, with 3 when it cannot go on, and with whoever started it.
 */
import { join } from 'node:path'
import { Wallet } from 'ethers'
import { createApp } from '../../src/api/app.ts'
import { BytesInFlight } from '../../src/api/bytes-in-flight.ts'
import { listen } from '../../src/api/listen.ts'
import { MonthlyReports } from '../../src/audit/monthly-reports.ts'
import type { Hex } from '../../src/bytes/hex.ts'
import { chainFacts } from '../../src/chain/facts.ts'
import { createRpc } from '../../src/chain/rpc.ts'
import { Admission } from '../../src/gateway/admission.ts'
import { startPublishing } from '../../src/gateway/service.ts'
import { startIndexing } from '../../src/indexer/service.ts'
import { BatchFolder } from '../../src/store/batch-folder.ts'
import { openDatabase } from '../../src/store/database.ts'
import { lockFolder } from '../../src/store/folder-lock.ts'
import { Sources } from '../../src/store/sources.ts'
import type { VictimConfig } from './process.ts'

const config: VictimConfig = JSON.parse(process.argv[2] ?? '{}')
const { dataPath, batchesPath, startedAt, clockSpeed } = config
const identity = {
  chainId: BigInt(config.chainId),
  ledger: config.ledger,
  deploymentBlock: BigInt(config.deploymentBlock),
}
const POLL_MS = 20
const signalled = new Promise<undefined>((resolve) => process.once('SIGTERM', () => resolve(undefined)))
process.stdin.on('end', () => process.exit(4)).resume()

const unlock = await lockFolder(dataPath)
const server = await listen('127.0.0.1', 0)
const database = openDatabase(join(dataPath, 'catalogue.sqlite'))
const rpc = createRpc(config.rpcUrl, { timeoutMs: 2_000 })
const chain = chainFacts(rpc, { finality: { kind: 'depth', confirmations: config.confirmations } })
const onTrouble = (message: string, error?: unknown) =>
  process.stderr.write(`${message}: ${error instanceof Error ? error.message : ''}\n`)

const common = { database, batchesPath, rpc, identity, pollMs: POLL_MS, onTrouble }
const signer = new Wallet(config.key)
const indexing = startIndexing({
  ...common,
  chain,
  runsPath: join(dataPath, 'runs'),
  evidencePath: join(dataPath, 'evidence'),
  threads: 1,
  now: Date.now,
  publisher: signer.address.toLowerCase() as Hex, // an ethers address in lowercase
  mayLag: true,
})
const publishing = await startPublishing({
  ...common,
  logPath: join(dataPath, 'log'),
  signer,
  anchor: {},
  policy: { sealRecords: 40, sealAfterMs: 30, promiseMs: 86_400_000, maxWaitingRecords: 10_000 },
  stall: { afterMs: 86_400_000, failClosed: false },
  // Fees are raised after a minute: a clock that runs ahead does not let anybody wait for it.
  now: () => startedAt + clockSpeed * (Date.now() - startedAt),
})
const { gateway, sealed } = publishing
const sources = new Sources(database)
const { follower, finder, entries } = indexing
server.serve(
  createApp({
    publishing: {
      gateway,
      admission: new Admission({
        intake: publishing.intake,
        sources,
        domain: identity,
        mode: 'open',
        maxRecords: 1_000,
        lookup: (source, sequence) => gateway.lookup(source, sequence),
      }),
      limits: { bodyBytes: 1_000_000 },
      inFlight: new BytesInFlight(10_000_000),
      sources,
      batchFiles: { batches: new BatchFolder(batchesPath), mode: 'none' },
      transactionsBefore: publishing.transactionsBefore,
    },
    access: { tokens: sources, reading: 'open' },
    follower,
    finder,
    histories: indexing.histories,
    evidence: indexing.evidence,
    monthlyReports: new MonthlyReports({
      ...{ entries, follower, identity, batchesPath },
      shared: () => [],
      workPath: join(dataPath, 'figures'),
    }),
    entries,
    alerts: indexing.alerts,
    seen: indexing.seen,
    sources: (limit) => sealed.sources(limit),
    identity,
    health: () => ({ status: 'ok', problems: [...publishing.troubles(), ...indexing.troubles()] }),
    metrics: (_request, response) => void response.end(),
    events: (_request, response) => void response.end(),
    onFault: (error, requestId) => onTrouble(`request ${requestId} failed`, error),
    onRequest: () => undefined,
  }),
)
process.stdout.write(`${server.url}\n`)

const failure = await Promise.race([publishing.failed, indexing.failed, signalled]).catch(
  (error: unknown) => error,
)
if (failure !== undefined) {
  process.stderr.write(`cannot go on: ${failure instanceof Error ? failure.stack : failure}\n`)
  process.exit(3)
}
server.close()
await publishing.finish()
await server.answered(1_000)
await publishing.stop()
await indexing.stop()
database.close()
server.closeAll()
unlock()
process.exit(0)
