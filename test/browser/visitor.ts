/** What runs within the bare realm: all it knows is the package entry and what a browser has. */
import { openRecord, parseRecord, parseSealedRecord, sealRecord, verifyProof } from '../../src/index.ts'
import { type ChainData, factsOf } from '../verify/chain.ts'

/** Proofs to verify: good or altered, each against its own chain. */
export interface Visit {
  subjects: { proof: unknown; chain: ChainData; trust: { ledger?: `0x${string}` } }[]
  /** an open record */
  record: unknown
}

/** What came of it, in the order of the subjects. */
export interface Report {
  outcomes: { verified?: unknown; name?: string; step?: string; code?: string }[]
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
  const { subjects, record } = JSON.parse(visit) as Visit
  const outcomes: Report['outcomes'] = []
  for (const { proof, chain, trust } of subjects) {
    try {
      const { record: verified, closedMembers } = await verifyProof(proof, factsOf(chain), trust)
      outcomes.push({ verified: { record: verified, closedMembers } })
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error
      const { name, code, step } = error as Error & { code: string; step?: string }
      outcomes.push({ name, code, ...(step === undefined ? {} : { step }) })
    }
  }
  const open = parseRecord(record)
  const { record: sealed, disclosures, vault } = sealRecord(open)
  const report: Report = {
    outcomes,
    sealed: parseSealedRecord(sealed),
    opened: openRecord(sealed, [...disclosures, ...vault]),
    digests: [sealed.data._sd, sealRecord(open).record.data._sd],
    globals: Object.getOwnPropertyNames(globalThis),
    canEvaluate: succeeds(() => Function('return 1')()),
    canCompile: succeeds(compileNothing),
  }
  return JSON.stringify(report)
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
