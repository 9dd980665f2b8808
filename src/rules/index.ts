import { brokenPromise } from './broken-promise.ts'
import { callDuringTrip } from './call-during-trip.ts'
import { callWithoutGrant } from './call-without-grant.ts'
import { duplicatedRequest } from './duplicated-request.ts'
import { missingSide } from './missing-side.ts'
import { outOfHours } from './out-of-hours.ts'
import { rateAboveBaseline } from './rate-above-baseline.ts'
import type { Rule } from './rule.ts'
import { silentSource } from './silent-source.ts'

/** docs/rules.md, in its order. */
export const RULES: readonly Rule[] = [
  callWithoutGrant,
  callDuringTrip,
  outOfHours,
  rateAboveBaseline,
  duplicatedRequest,
  silentSource,
  missingSide,
  brokenPromise,
]
