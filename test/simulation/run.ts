import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Header } from '../../src/batch/index.ts'
import type { Hex } from '../../src/bytes/hex.ts'
import { LOCAL_CHAIN_ID } from '../../src/chain/dev-accounts.ts'
import type { Finality } from '../../src/chain/facts.ts'
import { Chance } from '../../src/client/sample-chance.ts'
import { INDEX_NAMES } from '../../src/lookup/index.ts'
import type { LedgerEntry } from '../../src/store/ledger-entries.ts'
import { SimulatedChain } from './chain.ts'
import { type History, makeHistory, type Question, type Sealed } from './history.ts'
import { differences, type IndexState, readFiles, readIndex } from './index-state.ts'
import { type Life, type LifeParts, startLife } from './life.ts'
import { type SimulatedNode, startNode } from './node.ts'
import type { Plan, Step } from './plan.ts'
import { type SimulatedPublisher, startPublisher } from './publisher.ts'
import type { Tally } from './tally.ts'

export interface Result {
  /** what differs from a quiet run, or what went wrong, a line each */
  violations: string[]
  batches: number
  records: number
  ms: number
}

/** Everything is synced again and again; no fault here takes away what was not synced, so memory serves as a disk. */
const FOLDER = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
const LEDGER: Hex = `0x${'1e'.repeat(20)}`
const DEPLOYMENT_BLOCK = 0
/** What a fault has to meet, before it is given up for this step. */
const STEP_MS = 150
/** Until nearly all is verified, before something is taken back; faults may keep it from being so. */
const REST_MS = 2_000
const MOST_REFUSED = 3
/** Only a loaded machine needs so long. */
const SETTLE_MS = 120_000
/** How much of its own time passes for the indexer while ours passes a little. */
const CLOCK_STEP_MS = 20 * 60_000
const TICK_MS = 3
const MOST_QUESTIONS = 60

/** Runs an indexer through everything that a plan has for it, and holds it against a quiet one. */
export async function runPlan(plan: Plan, tally: Tally): Promise<Result> {
  const started = performance.now()
  const folder = await mkdtemp(join(FOLDER, 'tidemark-simulation-'))
  const world = await World.open(plan, tally, folder)
  const result: Result = { violations: [], batches: 0, records: 0, ms: 0 }
  try {
    for (const step of plan.steps) await world.befall(step)
    result.violations = await world.judge()
    Object.assign(result, world.sizes())
  } catch (error) {
    result.violations.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
  } finally {
    await world.close()
    await rm(folder, { recursive: true, force: true })
  }
  return { ...result, ms: Math.round(performance.now() - started) }
}

/** A chain, its publishers, and an indexer among them. */
class World {
  readonly #chance: Chance
  /** of what depends on how fast the machine is, so that nothing else does */
  readonly #idle: Chance
  readonly #plan: Plan
  readonly #tally: Tally
  readonly #folder: string
  readonly #history: History
  readonly #chain = new SimulatedChain()
  /** the version of each batch that is on the chain, or was last */
  readonly #chosen = new Map<string, Sealed>()
  readonly #next = new Map<Hex, number>()
  #node!: SimulatedNode // set by `open`
  #publisher!: SimulatedPublisher
  #life!: Life
  #lives = 0
  #clock = Date.UTC(2026, 3, 1)

  private constructor(plan: Plan, tally: Tally, folder: string, history: History) {
    this.#chance = new Chance(`tidemark simulation ${plan.seed}, the way of it`)
    this.#idle = new Chance(`tidemark simulation ${plan.seed}, between`)
    this.#plan = plan
    this.#tally = tally
    this.#folder = folder
    this.#history = history
  }

  static async open(plan: Plan, tally: Tally, folder: string): Promise<World> {
    const chance = new Chance(`tidemark simulation ${plan.seed}, the batches`)
    const history = await makeHistory(chance, { chainId: LOCAL_CHAIN_ID, ledger: LEDGER })
    const world = new World(plan, tally, folder, history)
    const onFault = (kind: string) => tally.add(kind)
    world.#node = await startNode({
      chain: world.#chain,
      chainId: Number(LOCAL_CHAIN_ID),
      ledger: LEDGER,
      deploymentBlock: DEPLOYMENT_BLOCK,
      confirmations: plan.confirmations,
      onFault,
    })
    world.#publisher = await startPublisher({
      batchOf: (publisher, sequence) => world.#chosen.get(nameOf(publisher, sequence))?.batch,
      batches: world.#versions().map(({ batch }) => batch),
      onFault,
    })
    world.#life = await world.#start('life-0')
    return world
  }

  #start(name: string): Promise<Life> {
    const { finality, confirmations } = this.#plan
    const address = { url: this.#publisher.url }
    const parts: LifeParts = {
      rpcUrl: this.#node.url,
      finality: (finality === 'tag' ? { kind: 'tag' } : { kind: 'depth', confirmations }) satisfies Finality,
      identity: { chainId: LOCAL_CHAIN_ID, ledger: LEDGER, deploymentBlock: BigInt(DEPLOYMENT_BLOCK) },
      publishers: new Map([...this.#history.keys()].map((publisher) => [publisher, address])),
      now: () => this.#clock,
    }
    return startLife(join(this.#folder, name), parts)
  }

  /** Everything of one step, one thing after the other, while the indexer works. */
  async befall({ blocks, calls, reorg, node, publisher, restart }: Step): Promise<void> {
    for (const fault of node) this.#node.arm(fault)
    for (const fault of publisher) this.#publisher.arm(fault)
    for (const transactions of blocks) {
      this.#mine(transactions)
      await this.#pass(() => this.#node.calls(), calls)
    }
    if (reorg !== undefined) await this.#reorg(reorg)
    if (restart !== undefined) {
      await this.#pass(() => this.#node.calls() + this.#publisher.asked(), restart.afterCalls)
      const name = `life-${++this.#lives}`
      if (restart.kind === 'ended without a word') {
        await this.#life.abandon(join(this.#folder, name))
        this.#life = await this.#start(name)
      } else {
        const { dataPath } = this.#life
        await this.#life.stop()
        this.#life = await this.#start(dataPath.slice(this.#folder.length + 1))
      }
      this.#tally.add(restart.kind)
    }
    await this.#wait(() => this.#node.isSpent() && this.#publisher.isSpent(), STEP_MS)
  }

  /** Lets so many calls come, or gives it up. */
  async #pass(counter: () => number, count: number): Promise<void> {
    const enough = counter() + count
    await this.#wait(() => counter() >= enough, STEP_MS)
  }

  /** Lets time pass until something is so, or for so long; answers whether it is. */
  async #wait(holds: () => boolean, limitMs: number): Promise<boolean> {
    const late = performance.now() + limitMs
    for (; !holds(); await delay(TICK_MS)) {
      if (performance.now() > late) return false
      this.#clock += CLOCK_STEP_MS
      if (this.#idle.happens(10)) await this.#ask()
    }
    return true
  }

  /** Somebody always asks for something. */
  async #ask(): Promise<void> {
    const { finder, histories } = this.#life.indexing
    const value = this.#idle.pick(['population', 'vehicles', 'nothing'] as const)
    const key = { name: 'resource', value } as const
    try {
      await finder.page({ keys: new Map([[key.name, value]]), fromMs: 0, toMs: 2e12, limit: 20 })
      const period = { from: 0n, to: 2n ** 64n - 1n }
      const open = histories.open({ key, period, first: undefined, end: undefined, disclose: [] })
      for await (const _ of open.batches);
    } catch {
      // Nothing is there yet, or what was there is being taken back.
    }
  }

  /** Makes a block of so many batches for each transaction, as far as there are any. */
  #mine(transactions: readonly number[]): void {
    const mined: Header[][] = []
    for (const count of transactions) {
      const headers = Array.from({ length: count }, () => this.#nextHeader()).filter(
        (one) => one !== undefined,
      )
      if (headers.length > 0) mined.push(headers)
    }
    this.#chain.mine(mined)
  }

  /** The next batch of any publisher, in any of its versions. */
  #nextHeader(): Header | undefined {
    const ready = [...this.#history].filter(
      ([publisher, own]) => (this.#next.get(publisher) ?? 0) < own.length,
    )
    const chosen = ready[this.#chance.below(Math.max(1, ready.length))]
    if (chosen === undefined) return undefined
    const [publisher, own] = chosen
    const sequence = this.#next.get(publisher) ?? 0
    const version = this.#chance.pick(own[sequence] as [Sealed, ...Sealed[]]) // it is below their number
    this.#next.set(publisher, sequence + 1)
    this.#chosen.set(nameOf(publisher, sequence), version)
    return version.header
  }

  /** Replaces the newest blocks that nobody has ever called final. */
  async #reorg({ kind, depth, rested }: NonNullable<Step['reorg']>): Promise<void> {
    // The first block is final from the beginning.
    const firstUnfinal = Math.max(1, this.#chain.highest - this.#plan.confirmations + 2)
    const blocks = Math.min(depth, this.#chain.head - firstUnfinal + 1)
    if (blocks <= 0) return
    if (rested) {
      const { entries, follower } = this.#life.indexing
      const size = this.#chain.branch.at(-1)?.size
      await this.#wait(
        () => follower.log.size === size && entries.countInState('verified') >= size - MOST_REFUSED,
        REST_MS,
      )
    }
    const before = this.#chain.head
    const gone = this.#chain.takeBack(blocks)
    for (const { publisher, sequence } of gone) {
      this.#next.set(publisher, Math.min(this.#next.get(publisher) ?? 0, Number(sequence)))
    }
    this.#tally.add(kind)
    if (kind === 'reorg to a shorter chain') await this.#pass(() => this.#node.calls(), 3)
    while (this.#chain.head <= before) this.#mine([this.#chance.below(4), this.#chance.below(3)])
  }

  /** Ends all faults, lets the rest of the batches onto the chain, waits until all is done, and compares. */
  async judge(): Promise<string[]> {
    this.#node.heal()
    this.#publisher.heal()
    const refused = this.#refusals(this.#life)
    while (this.#left() > 0) this.#mine([4])
    const above = this.#chain.highest + 1
    while (this.#chain.head < above) this.#mine([])
    const questions = this.#questions()
    const quiet = await this.#start('quiet')
    try {
      const expected = await this.#settled(quiet, questions, [])
      const found = await this.#settled(this.#life, questions, refused)
      const wrong = differences(found, expected)
      return wrong.length === 0
        ? []
        : [...wrong, ...this.#life.said.slice(-5).map((line) => `it said: ${line}`)]
    } finally {
      await quiet.stop().catch(() => undefined)
    }
  }

  #left(): number {
    return [...this.#history].reduce(
      (sum, [publisher, own]) => sum + own.length - (this.#next.get(publisher) ?? 0),
      0,
    )
  }

  /** What is refused now, and how often it was. */
  #refusals({ indexing }: Life): LedgerEntry[] {
    return (['fraud', 'withheld'] as const).flatMap((state) => indexing.entries.inState(state, 1_000))
  }

  /**
   * What the index holds once nothing is under way.
   *
   * @param refused while there were faults: whatever is still refused has to be tried again
   */
  async #settled(
    life: Life,
    questions: readonly Question[],
    refused: readonly LedgerEntry[],
  ): Promise<IndexState> {
    const { entries, follower, failed } = life.indexing
    let failure: unknown
    failed.catch((error: unknown) => {
      failure = error
    })
    const size = BigInt(this.#chosen.size)
    const lies = [...this.#chosen.values()].filter(({ header, batch }) => header !== batch.header).length
    const isDone = () =>
      failure !== undefined ||
      (follower.state.size === size &&
        follower.state.scannedBlock === BigInt(this.#chain.head) &&
        follower.state.head === BigInt(this.#chain.head) &&
        entries.countInState('verified') === this.#chosen.size - lies &&
        entries.countInState('fraud') === lies &&
        refused.every(({ logIndex, attempts, blockHash }) => {
          const now = entries.get(logIndex)
          // One may have been under way when the faults ended.
          return now?.state !== 'fraud' || now.blockHash !== blockHash || now.attempts >= attempts + 2
        }) &&
        entries.uncounted(1).length === 0)
    const isSettled = await this.#wait(isDone, SETTLE_MS)
    if (failure !== undefined) throw failure
    if (!isSettled) {
      const states = ['announced', 'verified', 'fraud', 'withheld'] as const
      const counts = states.map((state) => `${entries.countInState(state)} ${state}`).join(', ')
      throw new Error(
        `it does not come to rest: head ${this.#chain.head} and ${size} headers (${lies} of them lies), the indexer has ${counts} and ${JSON.stringify(follower.state, (_, value) => (typeof value === 'bigint' ? String(value) : value))}; it said ${life.said.slice(-3).join('; ')}`,
      )
    }
    // Time stands still now, so that nothing is tried again.
    const calls = this.#node.calls()
    while (this.#node.calls() < calls + 10) await delay(TICK_MS)
    const state = await readIndex(life.indexing, life.database, questions)
    await life.indexing.stop()
    const headers = [...this.#chosen.values()].map(({ header }) => header)
    return new Map([...state, ...(await readFiles(life.dataPath, headers))])
  }

  /** Questions whose answers are compared: some that records answer, some that only lost versions of them would. */
  #questions(): Question[] {
    const all = new Map<string, Question>()
    for (const { keys } of this.#versions()) {
      for (const key of keys) all.set(`${key.name} ${key.value}`, key)
    }
    const common = [...all.values()].filter(({ name }) => name !== 'record' && name !== 'request')
    const rare = [...all.values()].filter(({ name }) => name === 'record' || name === 'request')
    while (rare.length > MOST_QUESTIONS) rare.splice(this.#chance.below(rare.length), 1)
    return [...common, ...rare, ...INDEX_NAMES.map((name) => ({ name, value: 'of nobody' }))]
  }

  #versions(): Sealed[] {
    return [...this.#history.values()].flat(2)
  }

  sizes(): Pick<Result, 'batches' | 'records'> {
    const records = [...this.#chosen.values()].reduce((sum, { batch }) => sum + batch.header.recordCount, 0)
    return { batches: this.#chosen.size, records }
  }

  async close(): Promise<void> {
    await this.#life.stop().catch(() => undefined)
    await this.#node.close()
    await this.#publisher.close()
  }
}

const nameOf = (publisher: string, sequence: number | bigint) => `${publisher}/${sequence}`
