import { SAMPLE_MONTH, type SampleMonthItem, sampleMonth } from '../../src/client/sample-month.ts'
import { findAll } from '../../src/rules/find.ts'
import { RULES } from '../../src/rules/index.ts'
import type { Finding, Seen, SeenSubmission } from '../../src/rules/rule.ts'
import { parseSeenSubmission, seenOf } from '../../src/rules/seen.ts'
import { DEFAULT_SETTINGS, type Settings } from '../../src/rules/settings.ts'

/** A made-up month as the rules see it, and what is labelled in it. */
export interface LabelledMonth {
  records: Seen[]
  submissions: SeenSubmission[]
  /** `rule source id` */
  labels: Set<string>
}

export function labelledMonth(seed: number | string, percent: number): LabelledMonth {
  const month: LabelledMonth = { records: [], submissions: [], labels: new Set() }
  for (const item of sampleMonth({ ...SAMPLE_MONTH, seed, percent })) add(month, item)
  return month
}

function add({ records, submissions, labels }: LabelledMonth, item: SampleMonthItem): void {
  if (item.kind === 'record') records.push(seenOf(item.record))
  else if (item.kind === 'submission') submissions.push(parseSeenSubmission(item.submission))
  else labels.add(`${item.label.rule} ${item.label.source} ${item.label.id}`)
}

/** The rules know the public holidays, as whoever runs them would say, and nothing else of how the month is made. */
const MONTH_SETTINGS: Settings = {
  ...DEFAULT_SETTINGS,
  office: {
    ...DEFAULT_SETTINGS.office,
    holidays: SAMPLE_MONTH.holidays,
    workdays: SAMPLE_MONTH.workdays,
  },
}

/** Counts of records. */
export interface Score {
  labelled: number
  reported: number
  right: number
}

export function scores(findings: Iterable<Finding>, labels: ReadonlySet<string>): Map<string, Score> {
  const reported = new Set<string>()
  for (const { rule, records } of findings) {
    for (const { source, id } of records) reported.add(`${rule} ${source} ${id}`)
  }
  return new Map(
    RULES.map(({ name }) => {
      const ofRule = (keys: ReadonlySet<string>) => [...keys].filter((key) => key.startsWith(`${name} `))
      const mine = ofRule(reported)
      const right = mine.filter((key) => labels.has(key)).length
      return [name, { labelled: ofRule(labels).length, reported: mine.length, right }]
    }),
  )
}

export const findInMonth = (month: LabelledMonth): Finding[] => [...findAll(month, RULES, MONTH_SETTINGS)]
