import type { Hex } from '../bytes/hex.ts'
import { type BreakerKind, nameId } from '../record/index.ts'
import { administerRegistry } from './administer-registry.ts'
import { type BreakerTarget, createRegistry } from './registry.ts'
import type { Sender } from './transact.ts'

/** A breaker's id for everything. */
const EVERYTHING: Hex = `0x${'00'.repeat(32)}`

export const breakerTarget = (kind: BreakerKind, name: string): BreakerTarget => ({
  kind,
  id: kind === 'everything' ? EVERYTHING : nameId(name),
})

/** Trips the breaker of a registry, unless it is tripped. */
export type TripBreaker = (target: BreakerTarget, reason: string) => Promise<void>

/** @param sender who is a guardian of the registry */
export function breakerOf(sender: Sender, registry: Hex): TripBreaker {
  const reader = createRegistry(sender.rpc, registry)
  const admin = administerRegistry(sender, registry)
  return async (target, reason) => {
    if ((await reader.trippedAt(target)) === 0n) await admin.trip(target, reason)
  }
}
