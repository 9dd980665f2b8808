import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { type AuditOptions, type AuditStanding, audit, type GivenReceipt } from '../audit/audit.ts'
import { type AuditReport, MAX_FINDINGS } from '../audit/report.ts'
import { placeOf, renderPage } from '../audit/report-page.ts'
import type { Hex } from '../bytes/hex.ts'
import type { Finality } from '../chain/facts.ts'
import { createRpc } from '../chain/rpc.ts'
import { InputError, OperationError } from '../errors.ts'
import { describeStanding } from './catch-up.ts'
import { EXIT } from './exit.ts'
import { finalityOption, jsonOption, parseAddress, parseWhole, rpcOption } from './options.ts'
import { type PublisherOptions, publisherOption, publisherTokenOption, readPublishers } from './publishers.ts'
import { signalled } from './signals.ts'

interface AuditCommandOptions extends PublisherOptions {
  rpc: string
  ledger: Hex
  finality: Finality
  batches?: string
  receipts?: string
  signer: ReadonlyMap<string, ReadonlySet<Hex>>
  from: number
  to?: number
  threads: number
  state?: string
  html?: string
  json?: boolean
}

const parseIndex = parseWhole(0, Number.MAX_SAFE_INTEGER)

/** `tidemark audit`: re-verifies a whole ledger from nothing but the chain and the files. */
export const auditCommand = () =>
  new Command('audit')
    .description(
      're-verify a whole ledger from the chain and the files; exit code 0 all verified, 1 something is false, 2 unreadable, 3 could not check everything',
    )
    .addOption(rpcOption())
    .addOption(new Option('--ledger <address>', 'which ledger').argParser(parseAddress).makeOptionMandatory())
    .addOption(finalityOption())
    .addOption(new Option('--batches <folder>', 'where batch files are').conflicts('publisher'))
    .addOption(publisherOption())
    .addOption(publisherTokenOption())
    .option('--receipts <path>', 'receipts to hold against the ledger: a file, or a folder of files')
    .addOption(
      new Option('--signer <source=address>', 'a key that a source has or had; for each one')
        .argParser(collectSigner)
        .default(new Map(), 'none'),
    )
    .addOption(
      new Option('--from <index>', 'first entry of the ledger to check').argParser(parseIndex).default(0),
    )
    .addOption(new Option('--to <index>', 'last entry of the ledger to check').argParser(parseIndex))
    .addOption(
      new Option('--threads <number>', 'batches that are recomputed at a time')
        .argParser(parseWhole(1, 256))
        .default(availableParallelism()),
    )
    .option('--state <folder>', 'where what is done is kept: an audit that ended early goes on there')
    .option('--html <file>', 'write the report as a page too')
    .addOption(jsonOption())
    .action(run)

function collectSigner(
  text: string,
  before: ReadonlyMap<string, ReadonlySet<Hex>>,
): ReadonlyMap<string, ReadonlySet<Hex>> {
  const at = text.lastIndexOf('=')
  if (at < 0) throw new InvalidArgumentError('must be a source, = and an address')
  const source = text.slice(0, at)
  const known = new Set([...(before.get(source) ?? []), parseAddress(text.slice(at + 1))])
  return new Map([...before, [source, known]])
}

async function run(options: AuditCommandOptions): Promise<void> {
  const { batches, publisher, state, receipts, to } = options
  if (batches === undefined && publisher.length === 0) {
    throw new InputError('BAD_ARGUMENT', 'name where the files are: --batches, or --publisher for each one')
  }
  if (to !== undefined && to < options.from) throw new InputError('BAD_ARGUMENT', '--to is before --from')
  if (receipts !== undefined) await listReceiptFiles(receipts)
  const statePath = state ?? (await mkdtemp(join(tmpdir(), 'tidemark-audit-')))
  const ending = new AbortController()
  void signalled().then(() => ending.abort())
  try {
    const report = await auditWithProgress({
      rpc: createRpc(options.rpc),
      finality: options.finality,
      ledger: options.ledger,
      batches: batches === undefined ? { publishers: await readPublishers(options) } : { folder: batches },
      receipts: readReceipts(receipts),
      signers: options.signer,
      from: BigInt(options.from),
      ...(to !== undefined && { to: BigInt(to) }),
      statePath,
      threads: options.threads,
      now: Date.now(),
      signal: ending.signal,
    })
    if (options.html !== undefined) await writePage(options.html, renderPage(report, headlineOf(report)))
    process.stdout.write(options.json === true ? `${JSON.stringify(report)}\n` : describeReport(report))
    process.exitCode = EXIT_CODES[report.verdict]
  } finally {
    if (state === undefined) await rm(statePath, { recursive: true, force: true })
  }
}

const EXIT_CODES = { verified: EXIT.ok, false: EXIT.refuted, unchecked: EXIT.couldNotCheck } as const

async function* readReceipts(path: string | undefined): AsyncGenerator<GivenReceipt> {
  if (path === undefined) return
  for (const place of await listReceiptFiles(path)) {
    const text = await readFile(place, 'utf8').catch((cause: Error) => {
      throw new OperationError('STORE_FAILED', `could not read ${place}: ${cause.message}`, { cause })
    })
    const whole = parseJson(text)
    if (whole !== undefined) {
      // What `tidemark send --json` prints has them in a member.
      const { receipts = whole } = Object(whole) as { receipts?: unknown }
      for (const value of Array.isArray(receipts) ? receipts : [receipts]) yield { place, value }
      continue
    }
    for (const [i, line] of text.split('\n').entries()) {
      if (line.trim() !== '') yield { place: `${place}, line ${i + 1}`, value: parseJson(line) }
    }
  }
}

/** @throws {InputError} `BAD_ARGUMENT` */
async function listReceiptFiles(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path]
    const found = await readdir(path, { withFileTypes: true })
    return found.flatMap((entry) => (entry.isFile() ? join(path, entry.name) : [])).sort()
  } catch (cause) {
    throw new InputError('BAD_ARGUMENT', `--receipts: ${(cause as Error).message}`, {}, { cause })
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const PROGRESS_MS = 500
const PLAIN_PROGRESS_MS = 10_000

/** One line on a terminal, anywhere else a line now and then. */
async function auditWithProgress(options: Omit<AuditOptions, 'onStart'>): Promise<AuditReport> {
  const { stderr } = process
  let timer: NodeJS.Timeout | undefined
  const onStart = (standing: () => AuditStanding) => {
    const [startedAt, first] = [performance.now(), standing()]
    timer = setInterval(
      () => {
        const line = describeStanding(first, standing(), performance.now() - startedAt, 'auditing')
        stderr.write(stderr.isTTY ? `\r\u001b[K${line}` : `${line}\n`)
      },
      stderr.isTTY ? PROGRESS_MS : PLAIN_PROGRESS_MS,
    )
  }
  try {
    return await audit({ ...options, onStart })
  } finally {
    clearInterval(timer)
    if (stderr.isTTY) stderr.write('\r\u001b[K')
  }
}

async function writePage(path: string, page: string): Promise<void> {
  await writeFile(path, page).catch((cause: Error) => {
    throw new OperationError('STORE_FAILED', `could not write ${path}: ${cause.message}`, { cause })
  })
}

const HEADLINES = {
  verified: 'VERIFIED: all of it',
  false: 'REFUTED: something is false',
  unchecked: 'NOT ALL CHECKED: nothing was found false, but something could not be checked',
} as const

const headlineOf = ({ verdict }: AuditReport): string => HEADLINES[verdict]

function describeReport(report: AuditReport): string {
  const { batches, receipts, block, findings, counts } = report
  const total = counts.reduce((sum, { count }) => sum + count, 0)
  const lines = [
    headlineOf(report),
    `  ledger    ${report.ledger} on chain ${report.chainId}, up to block ${block.number} of ${block.time}`,
    `  headers   ${report.size}; root ${report.root}`,
    `  batches   entries ${report.range.first} to before ${report.range.end}: ${batches.verified} verified, ${batches.fraud} false, ${batches.withheld} withheld, ${batches.unread} unread`,
    `  records   ${report.records} verified, of ${report.sources} sources`,
    `  receipts  ${receipts.kept} kept, ${receipts.broken} broken, ${receipts.bad} bad, ${receipts.open} open`,
    ...findings.map(
      (finding) =>
        `${finding.verdict === 'false' ? 'FALSE    ' : 'UNCHECKED'} ${finding.kind}: ${[placeOf(finding), `expected ${finding.expected}`, `found ${finding.found}`].filter((part) => part !== '').join('; ')}`,
    ),
    ...(total > findings.length ? [`the first ${MAX_FINDINGS} of ${total} findings`] : []),
  ]
  return `${lines.map(toLine).join('\n')}\n`
}

/** Sources name themselves: what would move a terminal's cursor or end the line is shown as a mark. */
const toLine = (text: string): string => text.replace(/\p{C}/gu, '\ufffd')
