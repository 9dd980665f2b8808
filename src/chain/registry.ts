import { id } from 'ethers'
import type { Hex } from '../bytes/hex.ts'
import { BREAKER_KINDS, type BreakerKind, SHARINGS, type Sharing } from '../record/index.ts'
import { malformed, parseBytes } from './answers.ts'
import { type BlockReference, contractReader } from './contract.ts'
import { registryInterface } from './rights-abi.ts'
import type { Rpc } from './rpc.ts'
import { type Sender, transact } from './transact.ts'

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

const GUARDIAN_ROLE = id('GUARDIAN_ROLE')

export function createRegistry(rpc: Rpc, address: Hex): Registry {
  const read = contractReader(rpc, registryInterface, address, 'registry')
  return {
    address,
    deploymentBlock: async () => integer((await read('deploymentBlock', []))[0]),
    isSource: async (source, at) => (await read('isSource', [source], at))[0] === true,
    keyPeriod: async (source, key, at) => {
      const [from, until] = await read('keyPeriod', [source, key], at)
      return { from: integer(from), until: integer(until) }
    },
    resource: async (resource, at) => parseResourceEntry(await read('resource', [resource], at)),
    isGuardian: async (account) => (await read('hasRole', [GUARDIAN_ROLE, account]))[0] === true,
    trippedAt: async (target, at) => integer((await read('trippedAt', [targetArgument(target)], at))[0]),
  }
}

function parseResourceEntry([version, owner, sharing, level, digest]: unknown[]): ResourceEntry {
  const word = SHARINGS[Number(sharing)]
  if (word === undefined) throw malformed('answer to resource()', "a registry's")
  return {
    version: Number(integer(version)),
    owner: parseBytes(owner, "resource's owner", 32),
    sharing: word,
    level: Number(integer(level)),
    digest: parseBytes(digest, "resource's digest", 32),
  }
}

function integer(value: unknown): bigint {
  if (typeof value === 'bigint') return value
  throw malformed('answer of the registry', 'an integer')
}

/** What a registrar or a guardian does to a registry; every one waits until it is in a block, and answers which. */
export interface RegistryAdmin {
  addSource(uri: string): Promise<bigint>
  /** @param until seconds since 1970 */
  addKey(source: Hex, key: Hex, until: bigint): Promise<bigint>
  endKey(source: Hex, key: Hex): Promise<bigint>
  setResource(name: string, entry: Omit<ResourceEntry, 'version'>): Promise<bigint>
  trip(target: BreakerTarget, reason: string): Promise<bigint>
  reset(target: BreakerTarget, reason: string): Promise<bigint>
}

const encode = (name: string, args: unknown[]): Hex =>
  parseBytes(registryInterface.encodeFunctionData(name, args), 'calldata')

const targetArgument = ({ kind, id }: BreakerTarget) => [BREAKER_KINDS.indexOf(kind), id]

/** The calldata of each change, with the parameters of `RegistryAdmin`. */
export const registryCalls = {
  addSource: (uri) => encode('addSource', [uri]),
  addKey: (source, key, until) => encode('addKey', [source, key, until]),
  endKey: (source, key) => encode('endKey', [source, key]),
  setResource: (name, { owner, sharing, level, digest }) =>
    encode('setResource', [name, owner, SHARINGS.indexOf(sharing), level, digest]),
  trip: (breaker, reason) => encode('trip', [targetArgument(breaker), reason]),
  reset: (breaker, reason) => encode('reset', [targetArgument(breaker), reason]),
} satisfies { [Name in keyof RegistryAdmin]: (...args: Parameters<RegistryAdmin[Name]>) => Hex }

/** @throws {OperationError} from every function, with the contract's own reason when it refuses (see `transact`) */
export function administerRegistry(sender: Sender, registry: Hex): RegistryAdmin {
  const send = async (data: Hex) => (await transact(sender, { to: registry, data })).receipt.blockNumber
  return {
    addSource: (...args) => send(registryCalls.addSource(...args)),
    addKey: (...args) => send(registryCalls.addKey(...args)),
    endKey: (...args) => send(registryCalls.endKey(...args)),
    setResource: (...args) => send(registryCalls.setResource(...args)),
    trip: (...args) => send(registryCalls.trip(...args)),
    reset: (...args) => send(registryCalls.reset(...args)),
  }
}
