import type { Hex } from '../bytes/hex.ts'
import type { TypedDomain } from '../bytes/typed-data.ts'
import type { Place } from '../proof/index.ts'
import type { Grant } from '../record/index.ts'
import type { Block, ChainFacts } from './chain-facts.ts'

/**
 * What the verifier of an authorised call asks besides `ChainFacts`; `at` is the hash of a block.
 *
 * Every function that asks the chain MUST throw `OperationError` when it cannot answer.
 */
export interface RightsFacts {
  /** Whose key signed the grant; undefined when the signature is none of a key. Asks nobody. */
  grantSigner(domain: TypedDomain, grant: Grant, signature: Hex): Hex | undefined
  /** Whether the account says by ERC-1271 that it signed; false when it has no code or refuses. */
  isValidSignature(account: Hex, digest: Hex, signature: Hex, at: Hex): Promise<boolean>
  /** The registry that the authorisations rest on. */
  registryOf(authorizations: Hex, at: Hex): Promise<Hex>
  /** 0 when the registry has no such resource. */
  resourceVersion(registry: Hex, resource: Hex, at: Hex): Promise<number>
  /** Where the event of this version is, up to a block; it is there. */
  findResourceSet(registry: Hex, resource: Hex, version: number, upToBlock: bigint): Promise<Place>
  /** When the grant was withdrawn, in seconds since 1970; 0 when it was not. */
  revokedAt(authorizations: Hex, grantId: Hex, at: Hex): Promise<bigint>
}

/** What the steps of an authorised call have in common. */
export interface Asked {
  chain: ChainFacts
  rights: RightsFacts
  /** the highest final block */
  final: Block
  /** of the call: its source's word, rounded down to seconds */
  time: bigint
}
