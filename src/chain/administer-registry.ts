import type { Hex } from '../bytes/hex.ts'
import { BREAKER_KINDS, SHARINGS } from '../record/index.ts'
import { parseBytes } from './answers.ts'
import type { BreakerTarget, ResourceEntry } from './registry.ts'
import { registryInterface } from './rights-abi.ts'
import { type Sender, transact } from './transact.ts'

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
