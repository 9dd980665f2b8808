import { authorizationSource } from '../chain/authorization-source.ts'
import { createAuthorizations } from '../chain/authorizations.ts'
import type { RightsIdentity } from '../chain/deploy.ts'
import type { Rpc } from '../chain/rpc.ts'
import type { FlowRecord } from '../record/index.ts'
import type { Database } from '../store/database.ts'
import type { ChainFacts } from '../verify/index.ts'
import { type FoundAuthorization, findAuthorization } from './authorize.ts'
import { Decisions } from './decisions.ts'
import type { Loops } from './loops.ts'
import type { Rights } from './rights.ts'
import { RightsFollower } from './rights-follower.ts'

interface Parts {
  database: Database
  rights: Rights
  identity: RightsIdentity & { chainId: bigint }
  rpc: Rpc
  chain: ChainFacts
  finalBlock: () => bigint
  /** see `Follower` */
  mayLag: boolean
  /** it is a trouble when what the contracts say was not known up to the chain's head for so long */
  staleMs: number
  loops: Loops
  now: () => number
}

/** The registry and the authorisations are followed, and decided by. */
export interface RightsAtWork {
  rights: Rights
  decisions: Decisions
  /** what authorised a call */
  authorize: (call: FlowRecord) => Promise<FoundAuthorization>
  /** whether they cannot be followed now */
  isBehind(): boolean
  /** what goes wrong now, a sentence each */
  troubles(): string[]
}

const WHAT = 'following the registry and the authorisations'

export function startRights(parts: Parts): RightsAtWork {
  const { database, rights, identity, rpc, chain, staleMs, loops, now } = parts
  const follower = new RightsFollower(parts)
  loops.start({ what: WHAT, step: () => follower.step() })
  const source = authorizationSource(rpc, chain, identity)
  const contract = createAuthorizations(rpc, rights.authorizations)
  return {
    rights,
    decisions: new Decisions({ database, rights, contract, now }),
    authorize: (call) => findAuthorization(call, rights.grants, source),
    isBehind: () => loops.isTroubled(WHAT),
    troubles() {
      const behindMs = now() - follower.currentAt
      if (behindMs <= staleMs) return []
      const block = rights.cursor?.block.number ?? 'none'
      return [
        `decisions rest on block ${block}, and nothing newer was known for ${Math.round(behindMs / 1_000)} s`,
      ]
    },
  }
}
