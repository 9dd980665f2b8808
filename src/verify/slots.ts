import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes } from '../bytes/bytes.ts'
import { fromHex, type Hex, toHex } from '../bytes/hex.ts'
import { uintWord } from '../bytes/typed-data.ts'
import { peakHeights } from '../merkle/index.ts'
import { BREAKER_KINDS } from '../record/index.ts'

const LEDGER_SIZE = 4n
const LEDGER_FRONTIER = 5n
const REVOCATIONS = 2n
const ENTRIES = 1n

const slotAt = (place: bigint): Hex => toHex(uintWord(place))

/** Where the state of a ledger has the number of its headers (docs/format.md, "Storage", as all below). */
export const LEDGER_SIZE_SLOT: Hex = slotAt(LEDGER_SIZE)

/** Where it has the peaks of a log of `size` headers, the largest first. */
export const ledgerPeakSlots = (size: bigint): Hex[] =>
  peakHeights(size).map((height) => slotAt(LEDGER_FRONTIER + BigInt(height)))

/** Where authorisations have the time at which a grant was withdrawn. */
export const revokedAtSlot = (grantId: Hex): Hex => mapped(fromHex(grantId), uintWord(REVOCATIONS))

/** Where a registry has the version of a resource, among other things. */
export const resourceSlot = (resource: Hex): Hex =>
  mapped(
    fromHex(resource),
    fromHex(mapped(uintWord(BigInt(BREAKER_KINDS.indexOf('resource'))), uintWord(ENTRIES))),
  )

/** The version out of what is there: behind the 64 bits of the breaker. */
export const versionOf = (entry: bigint): number => Number((entry >> 64n) & 0xffff_ffffn)

/** Of a mapping: the slot of a key. */
const mapped = (key: Uint8Array, mapping: Uint8Array): Hex => toHex(keccak_256(concatBytes(key, mapping)))
