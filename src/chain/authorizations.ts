import { fromHex, type Hex } from '../bytes/hex.ts'
import { type Grant, grantWords, isAllowed, REASONS, type Reason, type Use } from '../record/index.ts'
import { malformed } from './answers.ts'
import { addressOf, type BlockReference, boolOf, contractReader, uintOf, withBytes } from './contract.ts'
import type { Rpc } from './rpc.ts'

/** What the contract knows of a grant besides its revocation. */
interface GrantState {
  /** whether the contract holds it */
  given: boolean
  paused: boolean
  /** allowed by `request` */
  calls: bigint
}

/** Typed reads of the authorisations. Every one of them throws `OperationError` when it cannot answer. */
export interface Authorizations {
  readonly address: Hex
  registry(at?: BlockReference): Promise<Hex>
  decide(use: Use, grantId: Hex, at?: BlockReference): Promise<Reason>
  /** as `decide`, of a grant that the contract need not hold */
  decideWith(use: Use, grant: Grant, signature: Hex, at?: BlockReference): Promise<Reason>
  /** seconds since 1970; 0 when it was not */
  revokedAt(grantId: Hex, at?: BlockReference): Promise<bigint>
  grantState(grantId: Hex, at?: BlockReference): Promise<GrantState>
}

const USE = 'bytes32,bytes32,bytes32'
const GRANT = '(address,bytes32,bytes32,bytes32,uint64,uint64,uint32,uint256)'

export function createAuthorizations(rpc: Rpc, address: Hex): Authorizations {
  const read = contractReader(rpc, address, 'contract of authorisations')
  return {
    address,
    registry: async (at) => addressOf((await read('registry()', [], 1, at))[0]),
    decide: async (use, grantId, at) =>
      parseReason(await read(`decide(${USE},bytes32)`, [...useWords(use), fromHex(grantId)], 2, at)),
    decideWith: async (use, grant, signature, at) => {
      const args = withBytes([...useWords(use), ...grantWords(grant)], fromHex(signature))
      return parseReason(await read(`decideWith(${USE},${GRANT},bytes)`, args, 2, at))
    },
    revokedAt: async (grantId, at) =>
      uintOf((await read('revokedAt(bytes32)', [fromHex(grantId)], 1, at))[0], 64),
    grantState: async (grantId, at) => {
      const [given, paused, calls] = await read('grantState(bytes32)', [fromHex(grantId)], 3, at)
      return { given: boolOf(given), paused: boolOf(paused), calls: uintOf(calls, 64) }
    },
  }
}

const useWords = ({ consumer, resource, purpose }: Use) =>
  [consumer, resource, purpose].map((id) => fromHex(id))

function parseReason([allowed, code]: Hex[]): Reason {
  const reason = REASONS[Number(uintOf(code, 8))]
  if (reason === undefined || isAllowed(reason) !== boolOf(allowed)) {
    throw malformed('decision', 'one of the contract')
  }
  return reason
}
