import { Agent } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { parseEther, toQuantity, Wallet } from 'ethers'
import { type Hex, toHex } from '../../src/bytes/hex.ts'
import { administerGrants } from '../../src/chain/administer-grants.ts'
import { createRpc, type Rpc } from '../../src/chain/rpc.ts'
import { Chance } from '../../src/client/sample-chance.ts'
import { OperationError } from '../../src/errors.ts'
import { nameId, REASONS } from '../../src/record/index.ts'
import { exchange, NDJSON, startTestSystem } from '../api/world.ts'
import {
  addressOf,
  administer,
  deployAccount,
  EVERYTHING,
  FAR_FUTURE,
  grantRecord,
} from '../indexer/rights-world.ts'
import { askContract } from './contract.ts'
import {
  DEPARTMENTS,
  type PlannedCall,
  type PlannedGrant,
  type PlannedResource,
  planCall,
  planGrants,
  planResources,
} from './plan.ts'

export interface JudgedRun {
  seed: string
  resources: number
  grants: number
  calls: number
  /** before each something is tripped or reset, revoked, paused and requested, and again while calls are asked about */
  phases: number
  onProgress: (message: string) => void
}

export interface Verdict {
  /** by reason, and the reasons that no decision had */
  counts: Map<string, number>
  missing: string[]
  /** the first of them, said for people */
  mismatches: string[]
  mismatchCount: number
  /** calls that the node was asked about once more */
  askedAgain: number
  decisions: number
  /** that decisions spoke for */
  blocks: Set<Hex>
  /** of single questions, milliseconds; ascending */
  latenciesMs: number[]
  /** of single questions and of lists, in the time that the API alone took */
  perSecond: number
}

const RECORDS_AT_ONCE = 1_000
/** Half of the calls are asked about in lists. */
const LIST = 100
const ASKED_AT_ONCE = 4
const MOST_TOLD = 10
const MOST_TRIES = 10
/** For so long something is tripped while calls are asked about. */
const CHANGE_MS = 200
const ACCOUNTS = 3

interface Answer {
  allowed: boolean
  reason: string
  block: { hash: Hex }
}

interface World {
  url: string
  rpcUrl: string
  rpc: Rpc
  chance: Chance
  people: ReturnType<typeof administer>
  contract: Hex
  agent: Agent
  resources: PlannedResource[]
  grants: PlannedGrant[]
}

/** Holds every decision of the API of a running system against the contract's at the block that the decision names. */
export async function judge(run: JudgedRun): Promise<Verdict> {
  const { system, close, troubles } = await startTestSystem({
    pollMs: 50,
    limits: { bodyBytes: 32 * 1024 * 1024, submissionRecords: 65_536, inFlightBytes: 64 * 1024 * 1024 },
  })
  const agent = new Agent({ keepAlive: true, maxSockets: ASKED_AT_ONCE })
  try {
    const { rights } = system
    if (rights === undefined) throw new Error('the embedded chain has no authorisations')
    const rpc = patient(createRpc(system.rpcUrl))
    const chance = new Chance(run.seed)
    const people = administer(rpc, rights)
    const resources = planResources(run.resources)
    const accounts = await deployAccounts(rpc, chance)
    const now = BigInt(Math.floor(Date.now() / 1_000))
    run.onProgress(`signing ${run.grants} grants`)
    const grants = await planGrants({
      chance,
      domain: people.domain,
      resources,
      count: run.grants,
      now,
      accounts,
    })
    const world: World = {
      url: system.url,
      rpcUrl: system.rpcUrl,
      rpc,
      chance,
      people,
      contract: rights.authorizations,
      agent,
      resources,
      grants,
    }
    await register(world)
    run.onProgress('handing over the grants that travel as records')
    await handOver(world)
    run.onProgress('putting grants on the chain, pausing, revoking and exhausting them')
    for (const grant of grants) await fulfil(world, grant)
    const verdict = await askAll(world, run)
    if (troubles.length > 0) throw new Error(`the system had troubles: ${troubles[0]}`)
    return verdict
  } finally {
    agent.destroy()
    await close()
  }
}

/** A node that is busy may close a connection just when it is used again, and the next one too. */
const patient = (rpc: Rpc): Rpc => ({
  url: rpc.url,
  async call(method, params) {
    for (let tries = 1; ; tries++) {
      try {
        return await rpc.call(method, params)
      } catch (error) {
        const isAway = error instanceof OperationError && error.code === 'RPC_UNREACHABLE'
        if (!isAway || tries === MOST_TRIES) throw error
      }
    }
  },
})

async function register({ people, resources }: World): Promise<void> {
  for (const department of DEPARTMENTS) {
    await people.registrar.addSource(department)
    await people.registrar.addKey(nameId(department), people.consumerKey, FAR_FUTURE)
  }
  for (const { name, owner, sharing } of resources) {
    await people.registrar.setResource(name, {
      owner: nameId(owner),
      sharing,
      level: 1,
      digest: nameId(`entry of ${name}`),
    })
  }
}

async function handOver({ url, agent, grants }: World): Promise<void> {
  const travelling = grants.filter(({ isOnChain }) => !isOnChain)
  for (let first = 0; first < travelling.length; first += RECORDS_AT_ONCE) {
    const some = travelling.slice(first, first + RECORDS_AT_ONCE)
    const lines = some.map((one, i) => JSON.stringify(grantRecord('urn:people', `grant-${first + i}`, one)))
    const body = `${lines.join('\n')}\n`
    const { status, text } = await exchange(url, 'POST', '/v1/submissions', { headers: NDJSON, body, agent })
    if (status !== 201) throw new Error(`the grants were refused: ${text}`)
  }
  for (const { consumer, resource, purpose, id } of travelling.slice(-1)) {
    for (;;) {
      const [answer] = await askApi(url, agent, [{ consumer, resource, purpose, authorization: id }])
      if (answer?.reason !== 'NoGrant' && answer?.reason !== 'UnknownResource') return
    }
  }
}

/** Does on the chain what the fate of a grant needs. */
async function fulfil({ rpc, people, contract }: World, planned: PlannedGrant): Promise<void> {
  const { fate, grant, signature, isOnChain, subject, id } = planned
  if (isOnChain) await people.byConsumer.grant(grant, signature)
  if (fate === 'exhausted') {
    for (let i = 0; i < grant.maxCalls; i++) await people.byConsumer.request(grant, id)
  }
  if (fate !== 'paused' && fate !== 'revoked') return
  const own = await administerOwn(rpc, contract, subject)
  if (fate === 'paused') await own.pause(grant)
  else await own.revoke(grant)
}

async function administerOwn(rpc: Rpc, contract: Hex, subject: Wallet) {
  await rpc.call('anvil_setBalance', [addressOf(subject), toQuantity(parseEther('10'))])
  return administerGrants({ rpc, signer: subject }, contract)
}

async function askAll(world: World, run: JudgedRun): Promise<Verdict> {
  const { chance, grants, resources } = world
  const verdict: Verdict = {
    counts: new Map(),
    missing: [],
    mismatches: [],
    mismatchCount: 0,
    askedAgain: 0,
    decisions: 0,
    blocks: new Set(),
    latenciesMs: [],
    perSecond: 0,
  }
  let apiMs = 0
  const perPhase = Math.ceil(run.calls / run.phases)
  for (let phase = 0; phase < run.phases; phase++) {
    run.onProgress(`asking, part ${phase + 1} of ${run.phases}`)
    const mend = await change(world)
    const count = Math.min(perPhase, run.calls - phase * perPhase)
    const calls = Array.from({ length: count }, () => planCall(chance, grants, resources))
    const waiting = questionsOf(calls)
    const changing = keepChanging(world, () => waiting.length > 0)
    const asking = Array.from({ length: ASKED_AT_ONCE }, async () => {
      try {
        let unjudged: Judged[] = []
        for (let asked = waiting.pop(); asked !== undefined; asked = waiting.pop()) {
          const started = performance.now()
          const answers = await askApi(world.url, world.agent, asked)
          const tookMs = performance.now() - started
          apiMs += tookMs / ASKED_AT_ONCE
          if (asked.length === 1) verdict.latenciesMs.push(tookMs)
          for (const [i, call] of asked.entries()) unjudged.push({ call, answer: answers[i] as Answer }) // one each
          if (unjudged.length < LIST && waiting.length > 0) continue
          await compare(world, unjudged, verdict)
          unjudged = []
        }
        await compare(world, unjudged, verdict)
      } finally {
        waiting.length = 0
      }
    })
    // The system must not end while anything is under way, or another error would hide the one that counts.
    for (const ended of await Promise.allSettled([...asking, changing])) {
      if (ended.status === 'rejected') throw ended.reason
    }
    await mend()
  }
  verdict.latenciesMs.sort((a, b) => a - b)
  verdict.missing = REASONS.filter((reason) => !verdict.counts.has(reason))
  verdict.perSecond = Math.round((1_000 * verdict.decisions) / apiMs)
  return verdict
}

async function keepChanging(world: World, goesOn: () => boolean): Promise<void> {
  while (goesOn()) {
    const mend = await change(world)
    await delay(CHANGE_MS)
    await mend()
  }
}

/** Half of them one by one. */
function questionsOf(calls: readonly PlannedCall[]): PlannedCall[][] {
  const half = Math.ceil(calls.length / 2)
  const questions = calls.slice(0, half).map((call) => [call])
  for (let first = half; first < calls.length; first += LIST) {
    questions.splice((first * 7) % questions.length, 0, calls.slice(first, first + LIST))
  }
  return questions
}

async function askApi(url: string, agent: Agent, calls: readonly PlannedCall[]): Promise<Answer[]> {
  const questions = calls.map(({ grant: _, ...question }) => question)
  const isOne = questions.length === 1
  const body = JSON.stringify(isOne ? questions[0] : { decisions: questions })
  const { status, text } = await exchange(url, 'POST', '/v1/decisions', {
    headers: { 'content-type': 'application/json' },
    body,
    agent,
  })
  if (status !== 200) throw new Error(`no decision: ${text}`)
  return isOne ? [JSON.parse(text)] : JSON.parse(text).decisions
}

/** An answer, and what it was asked about. */
interface Judged {
  call: PlannedCall
  answer: Answer
}

async function compare(
  { rpcUrl, contract }: World,
  judged: readonly Judged[],
  verdict: Verdict,
): Promise<void> {
  if (judged.length === 0) return
  for (const { answer } of judged) {
    const { reason, block } = answer
    verdict.decisions++
    verdict.blocks.add(block.hash)
    verdict.counts.set(reason, (verdict.counts.get(reason) ?? 0) + 1)
  }
  let differing = await findDiffering(rpcUrl, contract, judged)
  // While anvil makes a block, it answers for the one before with the state of the next: what it says then is no oracle.
  for (let tries = 0; differing.length > 0 && tries < MOST_TRIES; tries++) {
    await delay(CHANGE_MS)
    verdict.askedAgain += differing.length
    differing = await findDiffering(rpcUrl, contract, differing)
  }
  verdict.mismatchCount += differing.length
  for (const { call, answer, expected } of differing) {
    if (verdict.mismatches.length === MOST_TOLD) return
    const { grant, ...question } = call
    verdict.mismatches.push(
      `${answer.reason}, and the contract says ${expected} at block ${answer.block.hash}: ${JSON.stringify(question)} (${grant?.fate})`,
    )
  }
}

/** Those that the contract decides otherwise, and how. */
async function findDiffering(rpcUrl: string, contract: Hex, judged: readonly Judged[]) {
  const asked = judged.map(({ call, answer }) => ({ call, blockHash: answer.block.hash }))
  const reasons = await askContract(rpcUrl, contract, asked)
  return judged
    .map((one, i) => ({ ...one, expected: reasons[i] }))
    .filter(({ answer, expected }) => `${Number(answer.allowed)} ${answer.reason}` !== expected)
}

/** Trips something, revokes, pauses and uses a few grants. Answers how to reset what was tripped. */
async function change(world: World): Promise<() => Promise<unknown>> {
  const { chance, people, resources, grants, rpc, contract } = world
  const kind = chance.below(20)
  const resource = resources[chance.below(resources.length)]?.name ?? ''
  const target =
    kind === 0
      ? EVERYTHING
      : kind < 4
        ? ({ kind: 'source', id: nameId(chance.pick(DEPARTMENTS)) } as const)
        : ({ kind: 'resource', id: nameId(resource) } as const)
  const isTripped = await people.guardian.trip(target, 'a leak').then(
    () => true,
    // The other change of this part may have tripped it.
    () => false,
  )
  for (const fate of ['revoke', 'pause', 'request'] as const) {
    const planned = grants[chance.below(grants.length)] as PlannedGrant // one of them
    if (planned.fate !== 'in force' && planned.fate !== 'limited') continue
    if (fate === 'request') {
      if (planned.isOnChain) await people.byConsumer.request(planned.grant, planned.id)
      continue
    }
    const own = await administerOwn(rpc, contract, planned.subject)
    // It may be revoked or paused already.
    await own[fate](planned.grant).catch(() => undefined)
  }
  return async () => isTripped && (await people.registrar.reset(target, 'mended'))
}

/** Accounts with code, each with an owner who signs for it. */
async function deployAccounts(rpc: Rpc, chance: Chance): Promise<{ address: Hex; owner: Wallet }[]> {
  const found: { address: Hex; owner: Wallet }[] = []
  for (let i = 0; i < ACCOUNTS; i++) {
    const owner = new Wallet(toHex(chance.bytes(32)))
    found.push({ address: await deployAccount(rpc, addressOf(owner)), owner })
  }
  return found
}
