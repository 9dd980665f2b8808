import { partiesOf, type Rule, refOf } from './rule.ts'

/** The target of a breaker that stands for everything (docs/format.md, section 4.3). */
export const EVERYTHING = '*'

/** Nothing passes a tripped breaker. */
export const callDuringTrip: Rule = {
  name: 'call-during-trip',
  names: ['consumer', 'provider', 'resource'],
  severity: 'high',
  title: { en: 'Call during a trip of the breaker', zh: '熔断期间调用' },
  description: {
    en: 'A call was answered while the breaker of its resource, of one of its parties or of everything was tripped.',
    zh: '在资源、任一方或全局处于熔断状态时，调用仍得到了答复。',
  },
  watch(facts, { graceMs }) {
    return {
      *record(seen) {
        const { call, timeMs } = seen
        if (call?.outcome !== 'success') return
        for (const target of [call.resource, call.provider, call.consumer, EVERYTHING]) {
          const trip = facts.tripOf(target, timeMs)
          if (trip === undefined || timeMs <= trip.fromMs + graceMs) continue
          const values = { target, trippedAt: new Date(trip.fromMs).toISOString(), ...partiesOf(call) }
          yield { records: [refOf(seen)], evidence: [refOf(trip)], values }
          return
        }
      },
    }
  },
}
