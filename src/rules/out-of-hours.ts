import { calendarOf } from './calendar.ts'
import { type Match, type Rule, refOf } from './rule.ts'

/** What a consumer's people did out of hours. */
interface Habit {
  /** local days on which they did, the latest last */
  days: number[]
  /** of the first days, until it is known what is usual */
  held: Match[]
}

/**
 * People work in office hours, but for those who do shift work.
 *
 * The first `baselineDays` are judged at their end. Remembers `baselineDays` day numbers a consumer, and the matches of
 * the first days for those that have not turned out to do shift work.
 */
export const outOfHours: Rule = {
  name: 'out-of-hours',
  names: ['consumer'],
  severity: 'medium',
  title: { en: 'Person at work out of hours', zh: '非工作时间人工调用' },
  description: {
    en: 'Somebody called at night, at a weekend or on a holiday, for a consumer whose people do not usually work then.',
    zh: '有人在夜间、周末或节假日发起调用，而该使用方的人员平时此时并不工作。',
  },
  watch(_facts, { office, baselineDays, shiftDays }) {
    const { dayOf, isOffice } = calendarOf(office)
    const habits = new Map<string, Habit>()
    let firstDay: number | undefined
    let isLearning = true

    function* settle(): Generator<Match> {
      isLearning = false
      for (const { days, held } of habits.values()) {
        if (days.length < shiftDays) yield* held
        held.length = 0
      }
    }

    function* pass(timeMs: number): Generator<Match> {
      if (isLearning && firstDay !== undefined && dayOf(timeMs) >= firstDay + baselineDays) yield* settle()
    }

    return {
      tick: pass,
      *record(seen) {
        const { call, timeMs } = seen
        const day = dayOf(timeMs)
        firstDay ??= day
        yield* pass(timeMs)
        if (call?.side !== 'consumer' || !call.hasAgent || isOffice(timeMs)) return

        const habit = habits.get(call.consumer) ?? { days: [], held: [] }
        habits.set(call.consumer, habit)
        const usual = habit.days.filter((known) => known < day && known >= day - baselineDays)
        habit.days = [...habit.days.filter((known) => known !== day && known >= day - baselineDays), day]
        const match = {
          records: [refOf(seen)],
          evidence: [],
          values: { consumer: call.consumer, time: seen.record.time, usualDays: usual.length },
        }
        if (!isLearning) {
          if (usual.length < shiftDays) yield match
        } else if (habit.days.length < shiftDays) habit.held.push(match)
        else habit.held.length = 0
      },
      *end() {
        if (isLearning) yield* settle()
      },
    }
  },
}
