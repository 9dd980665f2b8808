import { equalBytes } from '../bytes/bytes.ts'
import type { Hex } from '../bytes/hex.ts'
import { toHex } from '../bytes/hex.ts'
import { chainFacts, type Finality, fetchChainId } from '../chain/facts.ts'
import { createLedger, type LedgerIdentity } from '../chain/ledger.ts'
import type { Rpc } from '../chain/rpc.ts'
import { InputError, OperationError } from '../errors.ts'
import { Checker } from '../indexer/checker.ts'
import { Fetcher, type PublisherAddress } from '../indexer/fetcher.ts'
import { Follower } from '../indexer/follower.ts'
import { RunKeeper } from '../indexer/run-keeper.ts'
import { Verdicts } from '../indexer/verdicts.ts'
import { Alerts } from '../store/alerts.ts'
import { BatchFolder } from '../store/batch-folder.ts'
import { ChainCursor } from '../store/chain-cursor.ts'
import { LedgerEntries, type LedgerEntry } from '../store/ledger-entries.ts'
import { Runs } from '../store/runs.ts'
import { SeenSubmissions } from '../store/seen-submissions.ts'
import type { Block, ChainFacts } from '../verify/index.ts'
import { Charts } from './charts.ts'
import { alertFindings, entriesOf, repeatedFindings, strangerFindings, unreadFinding } from './findings.ts'
import { ReceiptJudge } from './receipts.ts'
import { findRepeatedRecords } from './repeated-records.ts'
import { type AuditReport, Findings } from './report.ts'
import { type AuditState, openAuditState } from './state.ts'

/** How far an audit is, at one moment. */
export interface AuditStanding {
  /** blocks read since the deployment, and all that there are; 0 before that is known */
  blocks: number
  allBlocks: number
  /** batches judged, and all that are known */
  batches: number
  allBatches: number
}

/** Something that was given as a receipt, and where it was found. */
export interface GivenReceipt {
  place: string
  /** parsed JSON; undefined when it was none */
  value: unknown
}

export interface AuditOptions {
  rpc: Rpc
  finality: Finality
  ledger: Hex
  /** where the files of batches come from: a folder, or their publishers */
  batches: { folder: string } | { publishers: ReadonlyMap<Hex, PublisherAddress> }
  receipts: AsyncIterable<GivenReceipt>
  /** first entry of the ledger whose batch is checked, and the last; without one, all that there are */
  from: bigint
  to?: bigint
  /** keys that a source is known to have had: whatever it signs with one of them is its own */
  signers: ReadonlyMap<string, ReadonlySet<Hex>>
  /** see `openAuditState` */
  statePath: string
  threads: number
  /** milliseconds since 1970 */
  now: number
  /** ends it early */
  signal: AbortSignal
  /** told once the work has begun how to learn how far it is */
  onStart: (standing: () => AuditStanding) => void
}

/**
 * Re-verifies a ledger from nothing but the chain and the files: what is final, everything of it.
 *
 * The log is rebuilt from its events and held against the root that the contract has; every batch is recomputed in
 * threads by what an indexer does the same with; then all batches are looked through together, and receipts are held
 * against what was verified. Goes on where an audit with the same folder ended.
 *
 * @throws {InputError} `BAD_ARGUMENT` for a range or a state folder that does not fit
 * @throws {OperationError} when the chain or the disk cannot tell: nothing is known then
 */
export async function audit(options: AuditOptions): Promise<AuditReport> {
  const { rpc, ledger, from, to, batches } = options
  const [chainId, deploymentBlock] = [
    await fetchChainId(rpc),
    await createLedger(rpc, ledger).deploymentBlock(),
  ]
  const identity: LedgerIdentity = { chainId, ledger, deploymentBlock }
  const state = await openAuditState(options.statePath, {
    chainId: String(chainId),
    ledger,
    from: String(from),
    to: to === undefined ? 'all' : String(to),
    batches: 'folder' in batches ? batches.folder : 'from their publishers',
  })
  try {
    return await new Audit(options, identity, state).run()
  } finally {
    state.close()
  }
}

class Audit {
  readonly #options: AuditOptions
  readonly #identity: LedgerIdentity
  readonly #state: AuditState
  readonly #chain: ChainFacts
  readonly #entries: LedgerEntries
  readonly #seen: SeenSubmissions
  readonly #alerts: Alerts
  readonly #cursor: ChainCursor
  readonly #folder: BatchFolder
  readonly #follower: Follower
  readonly #checker: Checker
  readonly #runKeeper: RunKeeper

  constructor(options: AuditOptions, identity: LedgerIdentity, state: AuditState) {
    const { rpc, finality, batches, threads, now } = options
    const { database, keysPath, evidencePath } = state
    this.#options = options
    this.#identity = identity
    this.#state = state
    this.#chain = chainFacts(rpc, { finality })
    this.#entries = new LedgerEntries(database)
    this.#seen = new SeenSubmissions(database)
    this.#alerts = new Alerts(database)
    this.#cursor = new ChainCursor(database)
    const batchesPath = 'folder' in batches ? batches.folder : state.fetchedPath
    this.#folder = new BatchFolder(batchesPath)
    const [entries, seen, alerts] = [this.#entries, this.#seen, this.#alerts]
    const runs = new Runs(database)
    const verdicts = new Verdicts({
      database,
      entries,
      alerts,
      seen,
      runs,
      identity,
      now: () => now,
      onAlert: () => undefined,
    })
    this.#follower = new Follower({
      rpc,
      // What is not final may be taken back: it is nothing to be certain of.
      chain: {
        ...this.#chain,
        headBlock: () => this.#chain.finalBlock(),
        finalBlock: async (head) => head ?? this.#chain.finalBlock(),
      },
      ...identity,
      entries,
      cursor: this.#cursor,
      takeBack: (logIndex) => verdicts.takeBack(logIndex),
      mayLag: true,
    })
    this.#checker = new Checker({
      batchesPath,
      evidencePath,
      keysPath,
      counting: false,
      entries,
      verdicts,
      domain: identity,
      ...('publishers' in batches && {
        fetcher: new Fetcher({ publishers: batches.publishers, incomingPath: state.incomingPath }),
      }),
      threads,
      // The clock stands still: what was refused is due again in the next run, and not in this one.
      now: () => now,
      retryMs: 1,
    })
    this.#runKeeper = new RunKeeper({
      runs,
      entries,
      verdicts,
      batchesPath,
      runsPath: undefined,
      finalBlock: () => this.#follower.state.finalBlock,
    })
  }

  async run(): Promise<AuditReport> {
    const { signal, onStart } = this.#options
    onStart(() => this.#standing())
    const stop = () => void this.#checker.stop()
    signal.addEventListener('abort', stop, { once: true })
    try {
      const head = await this.#follow()
      const range = this.#rangeOf()
      this.#entries.postponeOutside(range.first, range.end)
      const unread = await this.#check()
      this.#expectRunning()
      while (await this.#runKeeper.step()) this.#expectRunning()
      return await this.#judge(head, range, unread)
    } finally {
      signal.removeEventListener('abort', stop)
      await this.#checker.stop()
      await this.#runKeeper.stop()
    }
  }

  /** Rebuilds the log up to the last final block, and holds it against the contract. */
  async #follow(): Promise<Block> {
    const { rpc, ledger } = this.#options
    await this.#follower.step()
    this.#expectRunning()
    const scanned = this.#cursor.load()?.block
    const head = scanned && (await this.#chain.blockByNumber(scanned.number))
    if (this.#follower.state.lagging || scanned === undefined || head?.hash !== scanned.hash) {
      throw new OperationError('RPC_LAGS', 'the node does not have the blocks that were final before')
    }
    const contract = createLedger(rpc, ledger)
    const at = { blockHash: head.hash }
    const [size, root] = [await contract.size(at), await contract.root(at)]
    if (size !== BigInt(this.#follower.log.size) || !equalBytes(root, this.#follower.log.root())) {
      throw new OperationError(
        'RPC_MALFORMED',
        `the node's events do not give the log that the contract has at block ${head.number}: one of the two is false`,
      )
    }
    return head
  }

  #rangeOf(): { first: bigint; end: bigint } {
    const { from, to } = this.#options
    const size = BigInt(this.#follower.log.size)
    if (from > size || (to !== undefined && to >= size)) {
      throw new InputError('BAD_ARGUMENT', `the ledger has ${size} entries, the first of them 0`)
    }
    return { first: from, end: to === undefined ? size : to + 1n }
  }

  /** @returns why some batches could not be read, if so */
  async #check(): Promise<string | undefined> {
    for (let left = Number.POSITIVE_INFINITY; ; ) {
      try {
        await this.#checker.step()
        return undefined
      } catch (error) {
        if (!(error instanceof OperationError)) throw error
        // A lane ends with what cannot be read; the rest of it is due all the same.
        const now = this.#entries.countInState('announced')
        if (now >= left || this.#options.signal.aborted) return error.message
        left = now
      }
    }
  }

  async #judge(
    head: Block,
    range: { first: bigint; end: bigint },
    unread: string | undefined,
  ): Promise<AuditReport> {
    const { signers, receipts } = this.#options
    const [entries, folder] = [this.#entries, this.#folder]
    const walk = () => entriesOf(entries, range)
    const isAll = range.first === 0n && range.end === BigInt(this.#follower.log.size)
    const counts = { verified: 0, fraud: 0, withheld: 0, unread: 0 }
    const findings = new Findings()
    const charts = new Charts()
    for (const entry of walk()) {
      counts[entry.state === 'announced' ? 'unread' : entry.state]++
      if (entry.state === 'verified') charts.add(entry.header)
      else if (entry.state === 'announced') findings.add(unreadFinding(entry, unread))
    }
    const isWhole = isAll && counts.verified === this.#follower.log.size
    const context = { isAll, isWhole, signers, seen: this.#seen }
    for (const finding of alertFindings(this.#alerts, context)) findings.add(finding)
    for (const finding of strangerFindings(signers, entries, this.#seen)) findings.add(finding)

    const verified = function* (): Generator<LedgerEntry> {
      for (const entry of walk()) if (entry.state === 'verified') yield entry
    }
    const repeated = await findRepeatedRecords(this.#state.keysPath, verified)
    for await (const finding of repeatedFindings(repeated, entries, folder)) findings.add(finding)
    this.#expectRunning()

    const outcomes = await this.#judgeReceipts(receipts, head, isAll, findings)
    const { chainId, ledger } = this.#identity
    return {
      format: 'tidemark-audit/1',
      verdict: findings.has('false') ? 'false' : findings.has('unchecked') ? 'unchecked' : 'verified',
      chainId: String(chainId),
      ledger,
      block: {
        number: String(head.number),
        hash: head.hash,
        time: new Date(1_000 * Number(head.timestamp)).toISOString(),
      },
      size: String(this.#follower.log.size),
      root: toHex(this.#follower.log.root()),
      range: { first: String(range.first), end: String(range.end) },
      batches: counts,
      records: charts.records,
      sources: this.#seen.sources(Number.MAX_SAFE_INTEGER).length,
      receipts: outcomes,
      counts: findings.counts,
      findings: findings.kept,
      charts: charts.finish(),
    }
  }

  async #judgeReceipts(
    receipts: AsyncIterable<GivenReceipt>,
    head: Block,
    isAll: boolean,
    findings: Findings,
  ): Promise<AuditReport['receipts']> {
    const entries = this.#entries
    const judge = new ReceiptJudge({
      rpc: this.#options.rpc,
      chain: this.#chain,
      identity: this.#identity,
      entries,
      seen: this.#seen,
      folder: this.#folder,
      head,
      isWhole: (publisher) =>
        isAll &&
        (['announced', 'fraud', 'withheld'] as const).every(
          (one) => entries.countInState(one, publisher) === 0,
        ),
    })
    const outcomes = { kept: 0, broken: 0, bad: 0, open: 0 }
    for await (const { place, value } of receipts) {
      this.#expectRunning()
      const verdict = await judge.judge(value)
      if (verdict === 'kept') {
        outcomes.kept++
        continue
      }
      outcomes[OUTCOMES[verdict.kind as keyof typeof OUTCOMES]]++
      findings.add({ ...verdict, found: `${place}: ${verdict.found}` })
    }
    return outcomes
  }

  #standing(): AuditStanding {
    const { head, scannedBlock } = this.#follower.state
    const { first, end } = this.#bounds()
    const { deploymentBlock } = this.#identity
    const left = this.#entries.countInState('announced') - (this.#follower.log.size - Number(end - first))
    return {
      blocks: Math.max(Number(scannedBlock - deploymentBlock) + 1, 0),
      allBlocks: Math.max(Number(head - deploymentBlock) + 1, 0),
      batches: Number(end - first) - Math.max(left, 0),
      allBatches: Number(end - first),
    }
  }

  /** As much of the wanted range as is known. */
  #bounds(): { first: bigint; end: bigint } {
    const { from, to } = this.#options
    const size = BigInt(this.#follower.log.size)
    const end = to === undefined || to >= size ? size : to + 1n
    return { first: from < end ? from : end, end }
  }

  #expectRunning(): void {
    if (!this.#options.signal.aborted) return
    throw new OperationError('SHUTTING_DOWN', 'the audit was ended early; with the same --state it goes on')
  }
}

const OUTCOMES = { 'broken-receipt': 'broken', 'bad-receipt': 'bad', 'open-receipt': 'open' } as const
