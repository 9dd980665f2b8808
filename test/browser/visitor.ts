/** What runs within the bare realm: all it knows is the package entry and what a browser has. */
import {
  openRecord,
  parseRecord,
  parseSealedRecord,
  sealRecord,
  verifyAny,
  verifyProof,
} from '../../src/index.ts'
import { type ChainData, factsOf } from '../verify/chain.ts'

/** Proofs to verify: good or altered, each against its own chain. */
export interface Visit {
  subjects: { proof: unknown; chain: ChainData; trust: { ledger?: `0x${string}` } }[]
  /** bundles with evidence: good or altered, each with the blocks that are trusted */
  offline: { offline: unknown; trustedBlocks: `0x${string}`[]; trust: { ledger?: `0x${string}` } }[]
  /** an open record */
  record: unknown
}

interface Outcome {
  verified?: unknown
  name?: string
  step?: string
  code?: string
}

/** What came of it, in the order of the subjects. */
export interface Report {
  outcomes: Outcome[]
  offline: Outcome[]
  sealed: unknown
  opened: unknown
  /** two sealings of one record, which random salts must tell apart */
  digests: [string[] | undefined, string[] | undefined]
  globals: string[]
  /** whether code can be made of text, and of bytes */
  canEvaluate: boolean
  canCompile: boolean
}

/**
 * @param visit JSON of a `Visit`, so that its objects are of this realm
 * @returns JSON of a `Report`
 * @public realm.ts finds it by its name
 */
export async function run(visit: string): Promise<string> {
  const { subjects, offline, record } = JSON.parse(visit) as Visit
  const outcomes: Outcome[] = []
  for (const { proof, chain, trust } of subjects) {
    outcomes.push(
      await outcomeOf(async () => {
        const { record: verified, closedMembers } = await verifyProof(proof, factsOf(chain), trust)
        return { record: verified, closedMembers }
      }),
    )
  }
  const offlineOutcomes: Outcome[] = []
  for (const { offline: wrapper, trustedBlocks, trust } of offline) {
    offlineOutcomes.push(
      await outcomeOf(async () => (await verifyAny(wrapper, { trustedBlocks, trust })).kind),
    )
  }
  const open = parseRecord(record)
  const { record: sealed, disclosures, vault } = sealRecord(open)
  const report: Report = {
    outcomes,
    offline: offlineOutcomes,
    sealed: parseSealedRecord(sealed),
    opened: openRecord(sealed, [...disclosures, ...vault]),
    digests: [sealed.data._sd, sealRecord(open).record.data._sd],
    globals: Object.getOwnPropertyNames(globalThis),
    canEvaluate: succeeds(() => Function('return 1')()),
    canCompile: succeeds(compileNothing),
  }
  return JSON.stringify(report)
}

async function outcomeOf(verify: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { verified: await verify() }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    const { name, code, step } = error as Error & { code: string; step?: string }
    // A step that could not be made is named too, but no vector says which.
    return { name, code, ...(step === undefined || name !== 'VerificationError' ? {} : { step }) }
  }
}

function compileNothing(): void {
  const { Module } = Reflect.get(globalThis, 'WebAssembly') as { Module: new (bytes: Uint8Array) => unknown }
  new Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))
}

function succeeds(attempt: () => unknown): boolean {
  try {
    attempt()
    return true
  } catch {
    return false
  }
}
