import { Command, Option } from 'commander'
import type { ReadingMode } from '../api/access.ts'
import { BATCH_FILE_MODES, type BatchFileMode } from '../api/batch-files.ts'
import type { Hex } from '../bytes/hex.ts'
import type { Finality } from '../chain/facts.ts'
import { InputError } from '../errors.ts'
import type { SubmissionMode } from '../gateway/admission.ts'
import type { AttachChain } from './attached-chain.ts'
import { embeddedChain } from './embedded-chain.ts'
import { externalChain } from './external-chain.ts'
import { openKeystore } from './keystore-file.ts'
import { createLog, LOG_FORMATS, LOG_LEVELS, type Log, type LogFormat, type LogLevel } from './log.ts'
import {
  authorizationsOption,
  chainRpcOption,
  DEFAULT_API,
  DEFAULT_CHAIN_PORT,
  DEFAULT_PORT,
  DEFAULT_RPC,
  jsonOption,
  keystoreOption,
  ledgerOption,
  maxFeeOption,
  PROMISE_MS,
  parseFinality,
  parseWhole,
  passwordOption,
  portOption,
  readingOption,
} from './options.ts'
import { passwordOf, readPassword } from './password.ts'
import { noRulesOption, readRules, rulesOption } from './rule-policy.ts'
import { abandoned, signalled } from './signals.ts'
import { type System, startSystem } from './system.ts'

interface UpOptions {
  port: number
  chainPort: number
  host: string
  data: string
  sealAfter: number
  sealRecords: number
  stalledAfter: number
  failClosed: boolean
  log: LogFormat
  logLevel: LogLevel
  submissions?: SubmissionMode
  pollEvery?: number
  batchFiles?: BatchFileMode
  reading: ReadingMode
  runHours: number
  rules?: string | boolean
  staleAfter: number
  json: boolean
  rpc?: string
  ledger?: Hex
  authorizations?: Hex
  keystore?: string
  guardianKeystore?: string
  passwordFile?: string
  finality?: Finality
  maxFeeGwei?: bigint
}

/** The most records that a batch holds, and a submission with it. */
const MAX_BATCH_RECORDS = 65_536
const MAX_BODY_BYTES = 32 * 1024 * 1024
/** Parsed and sealed, a body takes several times its bytes. */
const MAX_BYTES_IN_FLIGHT = 2 * MAX_BODY_BYTES
const STALLED_AFTER_MS = 10 * 60_000
const POLL_MS = 200
/** Others have to be asked less often: a question to their node may cost money. */
const EXTERNAL_POLL_MS = 2_000

/** A call that `tidemark sample` prints when nothing else is asked of it. */
const SAMPLE_CALL = 'sample-6b86b273-20'

/** `tidemark up`: the whole system in one process, until it is told to end. */
export const upCommand = () =>
  new Command('up')
    .description('run gateway, chain, indexer and API in one process')
    .addOption(portOption('--port <number>', 'of the API').default(DEFAULT_PORT).env('TIDEMARK_PORT'))
    .addOption(
      portOption('--chain-port <number>', 'of the chain')
        .default(DEFAULT_CHAIN_PORT)
        .env('TIDEMARK_CHAIN_PORT'),
    )
    .addOption(new Option('--host <address>', 'to listen on').default('127.0.0.1').env('TIDEMARK_HOST'))
    .addOption(
      new Option('--data <folder>', 'where everything is kept').default('.tidemark').env('TIDEMARK_DATA'),
    )
    .addOption(
      new Option('--seal-after <ms>', 'seal a batch when its first record has waited so long')
        .argParser(parseWhole(1, 3_600_000))
        .default(2_000),
    )
    .addOption(
      new Option('--seal-records <count>', 'seal a batch when it has so many records')
        .argParser(parseWhole(1, MAX_BATCH_RECORDS))
        .default(MAX_BATCH_RECORDS),
    )
    .addOption(
      new Option(
        '--stalled-after <ms>',
        'the chain has stalled when a sealed batch has not reached it for so long',
      )
        .argParser(parseWhole(1, 86_400_000))
        .default(STALLED_AFTER_MS),
    )
    .addOption(new Option('--fail-closed', 'accept nothing new while the chain has stalled').default(false))
    .addOption(new Option('--log <format>', 'of what goes to stderr').choices(LOG_FORMATS).default('auto'))
    .addOption(new Option('--log-level <level>', 'least that is logged').choices(LOG_LEVELS).default('info'))
    .addOption(
      new Option(
        '--submissions <from>',
        'who may submit for a source without key and token: open is anybody, registered nobody (default: open on a loopback address)',
      ).choices(['open', 'registered']),
    )
    .addOption(
      new Option(
        '--poll-every <ms>',
        'how often the chain is asked (default: 200, with --rpc 2000)',
      ).argParser(parseWhole(10, 3_600_000)),
    )
    .addOption(
      new Option(
        '--batch-files <for>',
        'who may fetch batch files: anybody, whoever has a token of "tidemark token create --read" or "--auditor", or nobody (default: public on a loopback address with --reading open, otherwise token)',
      ).choices(BATCH_FILE_MODES),
    )
    .addOption(readingOption())
    .addOption(
      new Option('--run-hours <hours>', 'how long a stretch of the ledger a run covers; 0 to make none')
        .argParser(parseWhole(0, 8_760))
        .default(24),
    )
    .addOption(rulesOption())
    .addOption(noRulesOption())
    .addOption(
      new Option(
        '--stale-after <ms>',
        'decisions on calls are stale when the chain could not be followed to its head for so long',
      )
        .argParser(parseWhole(1, 86_400_000))
        .default(60_000),
    )
    .addOption(jsonOption())
    .optionsGroup('On a chain of your own, instead of the embedded one:')
    .addOption(chainRpcOption().conflicts('chainPort'))
    .addOption(ledgerOption())
    .addOption(authorizationsOption())
    .addOption(keystoreOption())
    .addOption(new Option('--guardian-keystore <file>', 'the encrypted key that trips the breaker'))
    .addOption(passwordOption())
    .addOption(
      new Option(
        '--finality <rule>',
        '"finalized", or a number of confirmations (default: "finalized")',
      ).argParser(parseFinality),
    )
    .addOption(maxFeeOption())
    .action(up)

/** Whether only this machine reaches the address. */
const isLoopback = (host: string) => /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/.test(host)

async function up(options: UpOptions): Promise<void> {
  const left = abandoned()
  const log = createLog(process.stderr, options.log, options.logLevel)
  const attachChain = await chooseChain(options, log)
  const rules = await readRules(options.rules)
  const system = await startSystem({
    dataPath: options.data,
    host: options.host,
    port: options.port,
    attachChain,
    ...(options.maxFeeGwei !== undefined && { anchor: { maxFeePerGas: options.maxFeeGwei } }),
    policy: {
      sealRecords: options.sealRecords,
      sealAfterMs: options.sealAfter,
      promiseMs: PROMISE_MS,
      maxWaitingRecords: 8 * MAX_BATCH_RECORDS,
    },
    stall: { afterMs: options.stalledAfter, failClosed: options.failClosed },
    submissions: options.submissions ?? (isLoopback(options.host) ? 'open' : 'registered'),
    // They hold whom records are about.
    batchFiles:
      options.batchFiles ?? (isLoopback(options.host) && options.reading === 'open' ? 'public' : 'token'),
    reading: options.reading,
    runHours: options.runHours,
    ...(rules !== undefined && { rules }),
    rightsStaleMs: options.staleAfter,
    pollMs: options.pollEvery ?? (options.rpc === undefined ? POLL_MS : EXTERNAL_POLL_MS),
    limits: {
      inFlightBytes: MAX_BYTES_IN_FLIGHT,
      bodyBytes: MAX_BODY_BYTES,
      submissionRecords: Math.min(options.sealRecords, MAX_BATCH_RECORDS),
    },
    onProgress: log.progress,
    onTrouble: log.trouble,
    onRequest: log.request,
  })
  process.stdout.write(options.json ? `${JSON.stringify(toJson(system))}\n` : screen(system, options.data))
  await untilEnded(system, left, log)
}

/** @throws {InputError} `BAD_ARGUMENT`, or `BAD_CONFIG` when the keystore cannot be opened */
async function chooseChain(options: UpOptions, log: Log): Promise<AttachChain> {
  const {
    rpc: url,
    ledger,
    authorizations,
    keystore,
    guardianKeystore,
    passwordFile,
    finality,
    maxFeeGwei,
  } = options
  if (url === undefined) {
    const without = { ledger, authorizations, keystore, guardianKeystore, passwordFile, finality, maxFeeGwei }
    if (Object.values(without).every((value) => value === undefined)) return embeddedChain(options.chainPort)
    throw new InputError('BAD_ARGUMENT', 'the options for a chain of your own need --rpc')
  }
  if (ledger === undefined || keystore === undefined) {
    throw new InputError('BAD_ARGUMENT', '--rpc needs --ledger and --keystore')
  }
  const password = await readPassword(passwordOf(passwordFile), 'known')
  const signer = await openKeystore(keystore, password, log.trouble)
  return externalChain({
    url,
    ledger,
    signer,
    finality: finality ?? { kind: 'tag' },
    ...(authorizations !== undefined && { authorizations }),
    ...(guardianKeystore !== undefined && {
      guardian: await openKeystore(guardianKeystore, password, log.trouble),
    }),
  })
}

/** Runs until a signal, or until a part fails for good; then everything taken is finished first. */
async function untilEnded(system: System, left: Promise<undefined>, log: Log): Promise<void> {
  const failure = await Promise.race([system.failed, signalled(), left])
  if (failure === undefined) log.progress('finishing what was accepted')
  else log.trouble('the system cannot go on', failure)
  await system.stop()
  if (failure !== undefined) throw failure
}

const toJson = ({ url, rpcUrl, identity, rights, publisher }: System) => ({
  api: url,
  rpc: rpcUrl,
  chainId: String(identity.chainId),
  ledger: identity.ledger,
  ...(rights !== undefined && { registry: rights.registry, authorizations: rights.authorizations }),
  publisher,
})

function screen({ url, rpcUrl, chainNote, identity, publisher }: System, data: string): string {
  const api = url === DEFAULT_API ? '' : ` --api ${url}`
  const rpc = rpcUrl === DEFAULT_RPC ? '' : ` --rpc ${rpcUrl}`
  return `
  Tidemark is running.

  console    ${url}/
  API        ${url}
  chain      ${rpcUrl}  (${chainNote})
  ledger     ${identity.ledger}
  publisher  ${publisher}
  data       ${data}

  Try next, in another terminal:
    npx tidemark sample --count 1000 | npx tidemark send - --wait${api}
    npx tidemark prove ${SAMPLE_CALL} --out proof.json${api}
    npx tidemark verify proof.json --ledger ${identity.ledger}${rpc}
    curl '${url}/v1/batches?limit=1'

  Ctrl-C ends it; what was accepted is finished first.
`
}
