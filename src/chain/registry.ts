import { keccak_256 } from '@noble/hashes/sha3.js'
import { utf8 } from '../bytes/bytes.ts'
import { fromHex, type Hex } from '../bytes/hex.ts'
import { addressWord, uintWord } from '../bytes/typed-data.ts'
import { BREAKER_KINDS, type BreakerKind, SHARINGS, type Sharing } from '../record/index.ts'
import { malformed, parseBytes } from './answers.ts'
import { type BlockReference, boolOf, contractReader, uintOf } from './contract.ts'
import type { Rpc } from './rpc.ts'

/** What a breaker stops: 32 zero bytes for everything, else the id of a source's or a resource's name. */
export interface BreakerTarget {
  kind: BreakerKind
  id: Hex
}

/** What is registered of a resource; `version` is 0 and `sharing` none while there is nothing. */
export interface ResourceEntry {
  version: number
  /** the owning source's id */
  owner: Hex
  sharing: Sharing
  level: number
  /** SHA-256 of its entry in the catalogue, 32 bytes */
  digest: Hex
}

/** Typed reads of a registry. Every one of them throws `OperationError` when it cannot answer. Times in seconds. */
export interface Registry {
  readonly address: Hex
  deploymentBlock(): Promise<bigint>
  isSource(source: Hex, at?: BlockReference): Promise<boolean>
  /** at times `from <= t < until`; both 0: never */
  keyPeriod(source: Hex, key: Hex, at?: BlockReference): Promise<{ from: bigint; until: bigint }>
  resource(id: Hex, at?: BlockReference): Promise<ResourceEntry>
  isGuardian(account: Hex): Promise<boolean>
  /** 0 when it is not tripped */
  trippedAt(target: BreakerTarget, at?: BlockReference): Promise<bigint>
}

const GUARDIAN_ROLE = keccak_256(utf8('GUARDIAN_ROLE'))

export function createRegistry(rpc: Rpc, address: Hex): Registry {
  const read = contractReader(rpc, address, 'registry')
  return {
    address,
    deploymentBlock: async () => uintOf((await read('deploymentBlock()', [], 1))[0], 64),
    isSource: async (source, at) => boolOf((await read('isSource(bytes32)', [fromHex(source)], 1, at))[0]),
    keyPeriod: async (source, key, at) => {
      const args = [fromHex(source), addressWord(key)]
      const [from, until] = await read('keyPeriod(bytes32,address)', args, 2, at)
      return { from: uintOf(from, 64), until: uintOf(until, 64) }
    },
    resource: async (resource, at) =>
      parseResourceEntry(await read('resource(bytes32)', [fromHex(resource)], 5, at)),
    isGuardian: async (account) =>
      boolOf((await read('hasRole(bytes32,address)', [GUARDIAN_ROLE, addressWord(account)], 1))[0]),
    trippedAt: async ({ kind, id }, at) => {
      const target = [uintWord(BigInt(BREAKER_KINDS.indexOf(kind))), fromHex(id)]
      return uintOf((await read('trippedAt((uint8,bytes32))', target, 1, at))[0], 64)
    },
  }
}

function parseResourceEntry([version, owner, sharing, level, digest]: Hex[]): ResourceEntry {
  const word = SHARINGS[Number(uintOf(sharing, 8))]
  if (word === undefined) throw malformed('answer to resource()', "a registry's")
  return {
    version: Number(uintOf(version, 32)),
    owner: parseBytes(owner, "resource's owner", 32),
    sharing: word,
    level: Number(uintOf(level, 8)),
    digest: parseBytes(digest, "resource's digest", 32),
  }
}
