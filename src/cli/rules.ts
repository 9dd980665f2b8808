import { once } from 'node:events'
import { Command, Option } from 'commander'
import type { Item } from '../batch/index.ts'
import { atLine } from '../client/send.ts'
import { InputError } from '../errors.ts'
import { findAll, type Looked } from '../rules/find.ts'
import { RULES } from '../rules/index.ts'
import type { Finding, Language, Rule, Seen, SeenSubmission } from '../rules/rule.ts'
import { parseSeenSubmission, seenOf } from '../rules/seen.ts'
import { DEFAULT_SETTINGS, parseSettings } from '../rules/settings.ts'
import { BatchFolder } from '../store/batch-folder.ts'
import { table } from './catalogue.ts'
import { EXIT } from './exit.ts'
import { jsonOption } from './options.ts'
import { openBatches, readAny } from './read-any.ts'
import { readBundle, readJsonLines } from './read-lines.ts'

interface RulesOptions {
  input?: string
  batches?: string
  submissions?: string
  settings?: string
  rule?: string[]
  list: boolean
  lang: Language
  json: boolean
}

/** `tidemark rules`: what breaks the rules of audit. */
export const rulesCommand = () =>
  new Command('rules')
    .description(
      'look for misuse: calls without a grant, during a trip, out of hours, …; exit code 0 when nothing is found, 1 when something is',
    )
    .addOption(
      new Option('--input <file>', 'one JSON record a line, open or sealed; - for standard input').conflicts(
        'batches',
      ),
    )
    .addOption(new Option('--batches <folder>', 'the batches in a folder, such as .tidemark/batches'))
    .addOption(
      new Option(
        '--submissions <file>',
        'submissions and their promises, one a line (docs/rules.md)',
      ).conflicts('batches'),
    )
    .addOption(new Option('--settings <file>', 'thresholds, holidays and hours as JSON (docs/rules.md)'))
    .addOption(new Option('--rule <name...>', 'by these rules alone').choices(RULES.map(({ name }) => name)))
    .addOption(new Option('--list', 'say what the rules are').default(false))
    .addOption(new Option('--lang <language>', 'of the rules').choices(['en', 'zh']).default('en'))
    .addOption(jsonOption())
    .action(rules)

async function rules(options: RulesOptions): Promise<void> {
  const { rule: names, list, lang, json, settings } = options
  const chosen = RULES.filter(({ name }) => names?.includes(name) ?? true)
  if (list) return printRules(chosen, lang, json)
  const thresholds = settings === undefined ? DEFAULT_SETTINGS : parseSettings(await readBundle(settings))
  const looked = await look(options)
  const counts = new Map(chosen.map((rule) => [rule.name, { rule, findings: 0, records: 0 }]))
  for (const finding of findAll(looked, chosen, thresholds)) {
    const count = counts.get(finding.rule)
    if (count === undefined) continue
    count.findings++
    count.records += finding.records.length
    const line = json ? JSON.stringify(finding) : describe(finding, count.rule.title[lang])
    if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain')
  }
  const found = [...counts.values()].filter(({ findings }) => findings > 0)
  if (!json) process.stdout.write(summary(found, lang))
  if (found.length > 0) process.exitCode = EXIT.refuted
}

/** Everything at once, because records come in no order of time: memory grows with them. */
async function look({ input, batches, submissions }: RulesOptions): Promise<Required<Looked>> {
  const looked = batches === undefined ? await lookAtFile(input, submissions) : await lookAtBatches(batches)
  looked.records.sort((a, b) => a.timeMs - b.timeMs)
  looked.submissions.sort((a, b) => (a.sequence < b.sequence ? -1 : a.sequence > b.sequence ? 1 : 0))
  return looked
}

async function lookAtFile(input: string | undefined, submissions: string | undefined) {
  if (input === undefined) {
    throw new InputError(
      'BAD_ARGUMENT',
      'name either a file with --input or a folder of batches with --batches',
    )
  }
  const looked = emptyLook()
  for await (const { line, value } of readJsonLines(input, process.stdin)) {
    looked.records.push(atLine(line, () => seenOfItem(readAny(value))))
  }
  if (submissions === undefined) return looked
  for await (const { line, value } of readJsonLines(submissions, process.stdin)) {
    looked.submissions.push(atLine(line, () => parseSeenSubmission(value)))
  }
  return looked
}

/** Of submissions, batches tell the numbers; what became of receipts, only the chain does. */
async function lookAtBatches(root: string) {
  const looked = emptyLook()
  const folder = new BatchFolder(root)
  for await (const { publisher, sequence, batch } of openBatches(root)) {
    const ids: string[] = []
    for await (const item of batch.items()) {
      ids.push(item.record.id)
      looked.records.push(seenOfItem(item))
    }
    const header = await folder.loadHeader(publisher, sequence)
    for (const { source, sequence: number, first } of await folder.loadSubmissions(header)) {
      const id = ids[first]
      if (id !== undefined) looked.submissions.push({ source, sequence: number, first: id })
    }
  }
  return looked
}

const seenOfItem = ({ record, disclosures }: Item) => seenOf(record, disclosures)

const emptyLook = () => ({ records: [] as Seen[], submissions: [] as SeenSubmission[] })

function printRules(chosen: readonly Rule[], lang: Language, json: boolean): void {
  const lines = chosen.map(({ name, severity, title, description }) =>
    json
      ? JSON.stringify({ name, severity, title, description })
      : `${name} (${severity}): ${title[lang]}\n  ${description[lang]}`,
  )
  process.stdout.write(`${lines.join('\n')}\n`)
}

function describe({ severity, records, values }: Finding, title: string): string {
  const [first] = records
  const more = records.length > 1 ? ` and ${records.length - 1} more` : ''
  const why = Object.entries(values).map(([name, value]) => `${name} ${value}`)
  return printable(`${severity}  ${title}: ${first?.id} of ${first?.source}${more}; ${why.join(', ')}`)
}

function summary(
  found: readonly { rule: Rule; findings: number; records: number }[],
  lang: Language,
): string {
  if (found.length === 0) return 'nothing found\n'
  const rows = found.map(({ rule, findings, records }) => [
    rule.name,
    rule.severity,
    String(findings),
    String(records),
    rule.title[lang],
  ])
  return `\n${table(['RULE', 'SEVERITY', 'FINDINGS', 'RECORDS', ''], rows)}`
}

/** A name may hold what would steer a terminal. */
const printable = (text: string) => text.replaceAll(/\p{C}/gu, '?')
