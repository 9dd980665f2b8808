/**
 * Holds the rules of audit against made-up months whose misuse is labelled: precision, recall and speed.
 *
 *   npm run bench:rules -- [--seeds 6,7,8,9,10] [--percent 100]
 *
 * Counted are records: precision is the part of those reported that are labelled for the rule, recall the part of
 * those labelled that are reported. The rules know the public holidays of the month and nothing else of how it is made.
 */
import { parseArgs } from 'node:util'
import { RULES } from '../src/rules/index.ts'
import { findInMonth, labelledMonth, type Score, scores } from '../test/rules/month.ts'

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '6,7,8,9,10' }, percent: { type: 'string', default: '100' } },
})

const total = new Map(RULES.map(({ name }) => [name, none()]))
let records = 0
let milliseconds = 0
for (const seed of values.seeds.split(',')) {
  const month = labelledMonth(seed, Number(values.percent))
  const startedAt = performance.now()
  const findings = findInMonth(month)
  milliseconds += performance.now() - startedAt
  records += month.records.length
  for (const [rule, score] of scores(findings, month.labels)) add(total.get(rule), score)
  process.stderr.write(
    `seed ${seed}: ${month.records.length} records, ${month.submissions.length} submissions\n`,
  )
}

const overall = none()
for (const score of total.values()) add(overall, score)
process.stdout.write(row(['rule', 'labelled', 'reported', 'precision', 'recall']))
for (const [rule, score] of [...total, ['overall', overall] as const]) {
  const { labelled, reported, right } = score
  process.stdout.write(row([rule, labelled, reported, part(right, reported), part(right, labelled)]))
}
const rate = Math.round((1_000 * records) / milliseconds).toLocaleString('en')
process.stdout.write(`${rate} records a second through all ${RULES.length} rules\n`)

function none(): Score {
  return { labelled: 0, reported: 0, right: 0 }
}

function add(sum: Score | undefined, { labelled, reported, right }: Score): void {
  if (sum === undefined) return
  sum.labelled += labelled
  sum.reported += reported
  sum.right += right
}

function part(some: number, all: number): string {
  return all === 0 ? '-' : (some / all).toFixed(4)
}

function row([first, ...others]: readonly (string | number)[]): string {
  return `${String(first).padEnd(20)}${others.map((cell) => String(cell).padStart(10)).join('')}\n`
}
