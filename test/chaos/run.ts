import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Hex } from '../../src/bytes/hex.ts'
import { LOCAL_CHAIN_ID } from '../../src/chain/dev-accounts.ts'
import { createLedger } from '../../src/chain/ledger.ts'
import { exchange } from '../api/world.ts'
import { addressOf, type ChaosChain, DEEPEST_REORG, deployFresh, walletOf } from './chain.ts'
import { checkOutcome, readChain, readStore } from './outcome.ts'
import type { Plan, Step } from './plan.ts'
import { type Life, Victim } from './process.ts'
import { type RpcProxy, startProxy } from './proxy.ts'
import { Sender } from './senders.ts'

/** What was done in a step, and what came of it. */
interface TracedStep extends Step {
  struck: string[]
  /** how the life ended; undefined when it went on */
  ending: string | undefined
  rpcHits: number
  chainDid: string | undefined
  acknowledged: number
  ms: number
}

export interface Result {
  /** what did not hold, a sentence each */
  violations: string[]
  trace: TracedStep[]
  acknowledged: number
  batches: number
  ms: number
}

const SOURCES = 3
const CONFIRMATIONS = DEEPEST_REORG + 2
/** A fault that has not struck after so many acknowledgements hardly will; the time is for a loaded machine. */
const STRIKE_ACKNOWLEDGED = 60
const STRIKE_MS = 15_000
/** A fault that passes shall be followed by so many acknowledgements, or so long. */
const AFTER_ACKNOWLEDGED = 5
const AFTER_MS = 400
/** The promise is that everything arrives: only a loaded machine needs so long. */
const SETTLE_MS = 300_000
const CLOCK_SPEED = 100

interface Gateway {
  victim: Victim
  proxy: RpcProxy
  senders: Sender[]
  publisher: Hex
}

/** Does what a plan says to gateways on a ledger of their own, lets everything settle, and checks what came of it. */
export async function runPlan(plan: Plan, chain: ChaosChain): Promise<Result> {
  const started = performance.now()
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-chaos-'))
  const batchesPath = join(folder, 'batches')
  const wallets = Array.from({ length: plan.gateways }, (_, i) => walletOf(`${folder} ${i}`))
  const ledger = await deployFresh(chain, folder, wallets)
  const gateways: Gateway[] = []
  const trace: TracedStep[] = []
  const violations: string[] = []
  let batches = 0
  try {
    for (const [i, wallet] of wallets.entries()) {
      const proxy = await startProxy(chain.url)
      const victim = new Victim({
        dataPath: join(folder, `gateway-${i}`),
        batchesPath,
        rpcUrl: proxy.url,
        chainId: String(LOCAL_CHAIN_ID),
        ledger: ledger.address,
        deploymentBlock: String(ledger.deploymentBlock),
        key: wallet.privateKey as Hex,
        startedAt: Date.now(),
        clockSpeed: CLOCK_SPEED,
        confirmations: CONFIRMATIONS,
      })
      const senders = Array.from(
        { length: SOURCES },
        (_, k) => new Sender(`urn:chaos:${i}:${k}`, plan.name, () => victim.url),
      )
      gateways.push({ victim, proxy, senders, publisher: addressOf(wallet) })
    }
    for (const step of plan.steps) trace.push(await runStep(step, gateways, chain, plan.patient ?? false))
    violations.push(...(await settle(gateways, chain, ledger.address)))
    violations.push(...gateways.flatMap(({ senders }) => senders.flatMap(({ wrong }) => wrong)))
    if (violations.length === 0) {
      const found = await readChain(chain.rpc, ledger.address, batchesPath)
      batches = found.length
      const stores = await Promise.all(
        gateways.map(({ victim, publisher }) => readStore(victim.config.dataPath, batchesPath, publisher)),
      )
      const senders = gateways.flatMap((gateway) => gateway.senders)
      violations.push(
        ...checkOutcome({
          acknowledged: senders.flatMap(({ acknowledged }) => acknowledged),
          sent: Object.fromEntries(senders.map(({ source, sent }) => [source, sent])),
          chain: found,
          stores,
        }),
      )
    }
  } catch (error) {
    violations.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
  } finally {
    await Promise.all(
      gateways.map(async ({ victim, proxy, senders }) => {
        for (const sender of senders) sender.abandon()
        await victim.end('SIGKILL')
        await proxy.close()
      }),
    )
    await rm(folder, { recursive: true, force: true })
  }
  if (violations.length > 0) {
    for (const { victim } of gateways) violations.push(`it said last:\n${victim.stderr}`)
  }
  return { violations, trace, acknowledged: countAcknowledged(gateways), batches, ms: since(started) }
}

async function runStep(
  step: Step,
  gateways: readonly Gateway[],
  chain: ChaosChain,
  patient: boolean,
): Promise<TracedStep> {
  const started = performance.now()
  const chosen = gateways[step.victim]
  if (chosen === undefined) throw new Error(`there is no gateway ${step.victim}`)
  const { victim, proxy } = chosen
  const hitsBefore = proxy.hits()
  if (step.end !== undefined) await victim.end(step.end)
  proxy.arm(step.rpc)
  const befalling = step.chain && chain.befall(step.chain)
  const revived = gateways.filter((one) => !one.victim.isAlive)
  await Promise.all(revived.map((one) => one.victim.start(one === chosen ? step.faults : [])))
  const { life } = victim
  await struckOrLate(life, chosen, patient)
  // It notes the kill before it dies of it.
  if (life.struck().some((line) => line.includes('"kill"'))) await life.ended
  const chainDid = await befalling
  if (life.ending() === undefined) await followUp(life, chosen)
  return {
    ...step,
    struck: life.struck(),
    ending: life.ending(),
    rpcHits: proxy.hits() - hitsBefore,
    chainDid,
    acknowledged: countAcknowledged(gateways),
    ms: since(started),
  }
}

/** Until every fault has struck or hardly will any more, or the process has ended. */
async function struckOrLate(life: Life, gateway: Gateway, patient: boolean): Promise<void> {
  const enough = patient ? Infinity : countAcknowledged([gateway]) + STRIKE_ACKNOWLEDGED
  const late = performance.now() + (patient ? SETTLE_MS : STRIKE_MS)
  let quietSince = performance.now()
  for (let known = 0; life.ending() === undefined && performance.now() < late; await delay(10)) {
    const struck = life.struck().length
    if (life.faults.length > 0 ? struck >= life.faults.length : gateway.proxy.isSpent()) return
    const acknowledged = countAcknowledged([gateway])
    if (acknowledged >= enough) return
    if (acknowledged !== known) quietSince = performance.now()
    known = acknowledged
    // What has broken may take nothing more, and wait to be started again.
    if (struck > 0 && performance.now() - quietSince > AFTER_MS) return
  }
}

/** Lets it live a little on, so that it deals with what befell it. */
async function followUp(life: Life, gateway: Gateway): Promise<void> {
  const enough = countAcknowledged([gateway]) + AFTER_ACKNOWLEDGED
  const late = performance.now() + AFTER_MS
  while (life.ending() === undefined && performance.now() < late && countAcknowledged([gateway]) < enough) {
    await delay(10)
  }
}

/**
 * Ends all faults, starts every gateway again, and waits until everything acknowledged is final and every indexer has
 * the whole ledger; then ends them in order.
 */
async function settle(gateways: readonly Gateway[], chain: ChaosChain, ledger: Hex): Promise<string[]> {
  const late = performance.now() + SETTLE_MS
  const wrong = await Promise.all(
    gateways.map(async ({ victim, proxy, senders }) => {
      proxy.arm(undefined)
      // A life that was planned without a fault of its own must get over the world's by itself.
      if (!victim.isAlive || victim.life.faults.length > 0) {
        await victim.end('SIGKILL')
        await victim.start([])
      }
      const { ended, ending } = victim.life
      const finished = Promise.all(senders.map((sender) => sender.finish()))
      await Promise.race([finished, ended, delay(SETTLE_MS, undefined, { ref: false })])
      for (const { acknowledged, source } of senders) {
        for (const { sequence } of acknowledged.toReversed()) {
          for (
            let state = 'unknown';
            state !== 'final';
            state = await stateOf(victim.url, source, sequence)
          ) {
            if (ending() !== undefined) return [`a life without faults ended with ${ending()}`]
            if (performance.now() > late) return [`${source} #${sequence} is ${state} after ${SETTLE_MS} ms`]
            if (state === 'anchored') await chain.mine(CONFIRMATIONS)
            await delay(state === 'unknown' ? 0 : 20)
          }
        }
      }
      return []
    }),
  )
  if (wrong.flat().length > 0) return wrong.flat()
  const last = (await createLedger(chain.rpc, ledger).size()) - 1n
  for (const { victim } of gateways) {
    while (!(await hasVerified(victim.url, last))) {
      if (performance.now() > late) return [`an indexer has not verified ledger entry ${last}`]
      await delay(20)
    }
  }
  const endings = await Promise.all(gateways.map(({ victim }) => victim.end('SIGTERM')))
  return endings.flatMap((ending) => (ending === '0' ? [] : [`it ended in order with ${ending}`]))
}

/** Whether an indexer has checked every entry of the ledger up to the last; those of one publisher may be behind. */
async function hasVerified(url: string | undefined, last: bigint): Promise<boolean> {
  if (last < 0n) return true
  if (url === undefined) return false
  for (let next: string | undefined = String(last + 1n); next !== undefined; ) {
    const answer = await exchange(url, 'GET', `/v1/batches?limit=500&before=${next}`).catch(() => undefined)
    if (answer?.status !== 200) return false
    const page: { batches: { state: string; anchor: { ledgerIndex: string } }[]; next?: string } = JSON.parse(
      answer.text,
    )
    if (page.batches[0]?.anchor.ledgerIndex !== String(BigInt(next) - 1n)) return false
    if (page.batches.some(({ state }) => state === 'announced')) return false
    next = page.next
  }
  return true
}

async function stateOf(url: string | undefined, source: string, sequence: number): Promise<string> {
  if (url === undefined) return 'away'
  const query = new URLSearchParams({ source, sequence: String(sequence) })
  const answer = await exchange(url, 'GET', `/v1/submissions?${query}`).catch(() => undefined)
  return answer?.status === 200 ? String(JSON.parse(answer.text).state) : `HTTP ${answer?.status}`
}

const countAcknowledged = (gateways: readonly Gateway[]) =>
  gateways.flatMap(({ senders }) => senders).reduce((sum, { acknowledged }) => sum + acknowledged.length, 0)

const since = (started: number) => Math.round(performance.now() - started)
