import { setTimeout as delay } from 'node:timers/promises'
import { Command, Option } from 'commander'
import { createGatewayApi, type GatewayApi } from '../client/gateway-api.ts'
import { type SourceLine, type SubmissionAnswer, sendRecords } from '../client/send.ts'
import { OperationError } from '../errors.ts'
import { apiOption, jsonOption, parseWhole, tokenOption } from './options.ts'
import { createProgress } from './progress.ts'
import { readRecordLines, readXroadLines } from './read-lines.ts'

interface SendCommandOptions {
  api: string
  token?: string
  from: 'records' | 'xroad'
  size: number
  wait: boolean
  waitTimeout: number
  json: boolean
}

const RETRY_PAUSES_MS = [100, 200, 400, 800, 1_600, 3_200]
const POLL_MS = 100

/** `tidemark send`: submits the records of a file, each source's in its own submissions. */
export const sendCommand = () =>
  new Command('send')
    .description('submit the records of a file')
    .argument('<file>', 'one JSON record a line; - for standard input')
    .addOption(
      new Option('--from <form>', 'what the file holds').choices(['records', 'xroad']).default('records'),
    )
    .addOption(
      new Option('--size <count>', 'records in a submission').argParser(parseWhole(1, 10_000)).default(1_000),
    )
    .addOption(new Option('--wait', 'return when everything is final on the chain'))
    .addOption(new Option('--wait-timeout <seconds>').argParser(parseWhole(1, 86_400)).default(120))
    .addOption(apiOption())
    .addOption(tokenOption('of the source'))
    .addOption(jsonOption())
    .action(send)

async function send(file: string, options: SendCommandOptions): Promise<void> {
  const api = createGatewayApi(options.api, { token: options.token })
  const { lines, total } = await openLines(file, options.from)
  const progress = createProgress(process.stderr, 'sending', 'records')
  const last = new Map<string, string>()
  const answers: SubmissionAnswer[] = []
  let records = 0
  try {
    await sendRecords(lines, {
      api,
      size: options.size,
      retryPausesMs: RETRY_PAUSES_MS,
      onAcknowledged(answer, count) {
        records += count
        last.set(answer.receipt.source, answer.receipt.sequence)
        answers.push(answer)
        progress.update(records, total)
      },
    })
  } finally {
    progress.end()
    // Also when a later part failed: these are accepted all the same.
    if (answers.length > 0) printSent(answers, records, last.size, options.json)
  }
  if (answers.length === 0) printSent(answers, records, last.size, options.json)
  if (options.wait === true) {
    await waitUntilFinal(api, last, options.waitTimeout)
    if (!options.json) process.stdout.write('all are final on the chain\n')
  }
}

/** A file is read through once before anything of it is sent, so that a bad line stops it while nothing has happened. */
async function openLines(file: string, from: 'records' | 'xroad') {
  if (from === 'xroad') {
    const lines = await readXroadLines(file, process.stdin)
    return { lines, total: lines.length }
  }
  if (file === '-') return { lines: readRecordLines(file, process.stdin), total: undefined }
  let total = 0
  for await (const _ of readRecordLines(file, process.stdin)) total++
  return { lines: readRecordLines(file, process.stdin) as AsyncIterable<SourceLine>, total }
}

async function waitUntilFinal(
  api: GatewayApi,
  last: ReadonlyMap<string, string>,
  seconds: number,
): Promise<void> {
  const deadline = AbortSignal.timeout(1_000 * seconds)
  for (const [source, sequence] of last) {
    while ((await api.submissionState(source, sequence)) !== 'final') {
      if (deadline.aborted) {
        throw new OperationError(
          'NOT_FINAL',
          `accepted, but after ${seconds} s not everything is final on the chain`,
        )
      }
      await delay(POLL_MS)
    }
  }
}

function printSent(answers: SubmissionAnswer[], records: number, sources: number, json: boolean): void {
  if (json) {
    const receipts = answers.map(({ receipt }) => receipt)
    process.stdout.write(`${JSON.stringify({ records, submissions: answers.length, receipts })}\n`)
  } else {
    process.stdout.write(
      `${records} records of ${sources} sources accepted in ${answers.length} submissions; all are on disk\n`,
    )
  }
}
