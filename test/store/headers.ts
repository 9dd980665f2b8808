import type { Header } from '../../src/batch/index.ts'
import { PUBLISHER } from '../batch/items.ts'

export { PUBLISHER }

/** A plausible header; each sequence has its own roots. */
export const headerOf = (sequence: number): Header => ({
  publisher: PUBLISHER,
  sequence: BigInt(sequence),
  recordsRoot: new Uint8Array(32).fill(1 + sequence),
  recordCount: 1 + sequence,
  indexRoot: new Uint8Array(32).fill(101 + sequence),
  indexSize: 1,
  firstTime: 1_790_000_000_000n,
  lastTime: 1_790_000_060_000n,
})
