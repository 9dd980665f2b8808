import { Command, Option } from 'commander'
import type { ReadingMode } from '../api/access.ts'
import type { Hex } from '../bytes/hex.ts'
import type { Finality } from '../chain/facts.ts'
import { InputError } from '../errors.ts'
import { createCatchUp } from './catch-up.ts'
import { type IndexerSystem, startIndexerSystem } from './indexer-system.ts'
import { createLog, LOG_FORMATS, LOG_LEVELS, type LogFormat, type LogLevel } from './log.ts'
import {
  authorizationsOption,
  finalityOption,
  jsonOption,
  parseAddress,
  portOption,
  readingOption,
  rpcOption,
} from './options.ts'
import { type PublisherOptions, publisherOption, publisherTokenOption, readPublishers } from './publishers.ts'
import { noRulesOption, readRules, rulesOption } from './rule-policy.ts'
import { signalled } from './signals.ts'

interface IndexerOptions extends PublisherOptions {
  rpc: string
  ledger: Hex
  authorizations?: Hex
  finality: Finality
  data: string
  batches?: string
  host: string
  port: number
  reading: ReadingMode
  rules?: string | boolean
  log: LogFormat
  logLevel: LogLevel
  json?: boolean
}

const DEFAULT_INDEXER_PORT = 7310
const POLL_MS = 1_000

/** `tidemark indexer`: follows a ledger without its operator, believes nobody, and answers questions. */
export const indexerCommand = () =>
  new Command('indexer')
    .description('follow a ledger, re-verify every batch of it, and answer questions; needs no operator')
    .addOption(rpcOption())
    .addOption(new Option('--ledger <address>', 'which ledger').argParser(parseAddress).makeOptionMandatory())
    .addOption(authorizationsOption())
    .addOption(finalityOption())
    .addOption(
      new Option('--data <folder>', 'where what was found is kept')
        .default('.tidemark-indexer')
        .env('TIDEMARK_INDEXER_DATA'),
    )
    .addOption(
      new Option('--batches <folder>', 'read batch files here instead of fetching them').conflicts(
        'publisher',
      ),
    )
    .addOption(publisherOption())
    .addOption(publisherTokenOption())
    .addOption(portOption('--port <number>', 'of the API').default(DEFAULT_INDEXER_PORT))
    .addOption(new Option('--host <address>', 'to listen on').default('127.0.0.1'))
    .addOption(new Option('--log <format>', 'of what goes to stderr').choices(LOG_FORMATS).default('auto'))
    .addOption(new Option('--log-level <level>', 'least that is logged').choices(LOG_LEVELS).default('info'))
    .addOption(readingOption())
    .addOption(rulesOption())
    .addOption(noRulesOption())
    .addOption(jsonOption())
    .action(indexer)

async function indexer(options: IndexerOptions): Promise<void> {
  const log = createLog(process.stderr, options.log, options.logLevel)
  const rules = await readRules(options.rules)
  if (rules !== undefined && rules.trip.size > 0) {
    throw new InputError('BAD_CONFIG', 'an indexer trips no breaker: take "trip" out of the rules file')
  }
  const system = await startIndexerSystem({
    rpcUrl: options.rpc,
    ledger: options.ledger,
    ...(options.authorizations !== undefined && { authorizations: options.authorizations }),
    finality: options.finality,
    dataPath: options.data,
    batches:
      options.batches === undefined
        ? { publishers: await readPublishers(options) }
        : { folder: options.batches },
    host: options.host,
    port: options.port,
    reading: options.reading,
    pollMs: POLL_MS,
    ...(rules !== undefined && { rules }),
    onTrouble: log.trouble,
    onRequest: log.request,
  })
  process.stdout.write(
    options.json === true ? `${JSON.stringify(toJson(system))}\n` : screen(system, options),
  )
  const catchUp = createCatchUp(process.stderr, system, log.progress)
  try {
    await Promise.race([system.failed, signalled()])
  } finally {
    catchUp.stop()
    await system.stop()
  }
}

const toJson = ({ url, identity }: IndexerSystem) => ({
  api: url,
  chainId: String(identity.chainId),
  ledger: identity.ledger,
  deploymentBlock: String(identity.deploymentBlock),
})

const screen = ({ url, identity }: IndexerSystem, { data }: IndexerOptions): string => `
  Tidemark follows the ledger.

  console  ${url}/
  API      ${url}
  ledger   ${identity.ledger}  (chain id ${identity.chainId}, since block ${identity.deploymentBlock})
  data     ${data}

  What is wrong:  curl '${url}/v1/alerts'

  Ctrl-C ends it; it goes on where it was.
`
