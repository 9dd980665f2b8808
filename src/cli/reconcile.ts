import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { Command, Option } from 'commander'
import { reconcileAll } from '../audit/reconcile-all.ts'
import type { Item } from '../batch/index.ts'
import { atLine } from '../client/send.ts'
import { xroadAccount } from '../client/xroad.ts'
import { InputError } from '../errors.ts'
import { type FlowRecord, openRecord } from '../record/index.ts'
import { accountOf, type CallAccount, type Reconciled } from '../rules/reconcile.ts'
import { table } from './catalogue.ts'
import { EXIT } from './exit.ts'
import { jsonOption } from './options.ts'
import { openBatches, readAny } from './read-any.ts'
import { readJsonLines, readXroadRows } from './read-lines.ts'

interface ReconcileOptions {
  from: 'records' | 'xroad'
  batches?: string
  json: boolean
}

/** `tidemark reconcile`: whether both sides of every call say the same of it. */
export const reconcileCommand = () =>
  new Command('reconcile')
    .description(
      'hold both sides of every call against each other; exit code 0 when all agree, 1 when one is silent, disagrees or repeats itself',
    )
    .argument('[file]', 'one JSON record a line, open or sealed; - for standard input')
    .addOption(
      new Option('--from <form>', 'what the file holds').choices(['records', 'xroad']).default('records'),
    )
    .addOption(
      new Option('--batches <folder>', 'read the batches in a folder instead, such as .tidemark/batches'),
    )
    .addOption(jsonOption())
    .action(reconcile)

async function reconcile(file: string | undefined, { from, batches, json }: ReconcileOptions): Promise<void> {
  if ((file === undefined) === (batches === undefined)) {
    throw new InputError('BAD_ARGUMENT', 'name either a file or a folder of batches with --batches')
  }
  const accounts = batches === undefined ? readAccounts(file ?? '-', from) : readBatches(batches)
  const tally = new Tally()
  for await (const result of reconcileAll(accounts, { folder: tmpdir() })) {
    tally.add(result)
    if (json && !process.stdout.write(`${JSON.stringify(result)}\n`)) await once(process.stdout, 'drain')
  }
  if (!json) process.stdout.write(tally.describe())
  if (!tally.agrees) process.exitCode = EXIT.refuted
}

async function* readAccounts(file: string, from: ReconcileOptions['from']): AsyncGenerator<CallAccount> {
  const isXroad = from === 'xroad'
  const lines = isXroad ? await readXroadRows(file, process.stdin) : readJsonLines(file, process.stdin)
  for await (const { line, value } of lines) {
    if (isXroad) yield xroadAccount(value, line)
    else yield* accountsOf(atLine(line, () => openItem(readAny(value))))
  }
}

/** One for a call; other records, refusals included, stand beside calls and are no side's account of one. */
const accountsOf = (record: FlowRecord) => (record.type === 'tidemark.call.v1' ? [accountOf(record)] : [])

const openItem = ({ record, disclosures }: Item) => openRecord(record, disclosures)

/** The calls of all batches below a folder, publisher by publisher. */
async function* readBatches(folder: string): AsyncGenerator<CallAccount> {
  for await (const { batch } of openBatches(folder)) {
    for await (const item of batch.items()) yield* accountsOf(openItem(item))
  }
}

/** How many of each, and whose. */
class Tally {
  readonly #kinds: Record<Reconciled['kind'], number> = {
    'regular pair': 0,
    'orphan pair': 0,
    orphan: 0,
    duplicate: 0,
  }
  readonly #silent = new Map<string, number>()
  readonly #disagreeing = new Map<string, number>()
  readonly #repeating = new Map<string, number>()

  get agrees(): boolean {
    const { 'regular pair': _, ...others } = this.#kinds
    return Object.values(others).every((count) => count === 0)
  }

  add({ kind, consumer, provider, silent, disagreements }: Reconciled): void {
    this.#kinds[kind]++
    const account = consumer ?? provider
    if (account === undefined) return
    if (silent !== undefined) increase(this.#silent, [account[silent], silent])
    if (kind === 'duplicate') increase(this.#repeating, [account[account.side], account.side])
    if (kind === 'orphan pair') {
      const members = disagreements.map(({ member }) => member).join(', ')
      increase(this.#disagreeing, [account.consumer, account.provider, members])
    }
  }

  describe(): string {
    const kinds = Object.entries(this.#kinds).map(([kind, count]) => `${count} ${kind}s`)
    return [
      `${kinds.join(', ')}\n`,
      ranked(['SILENT', 'AS', 'ORPHANS'], this.#silent),
      ranked(['CONSUMER', 'PROVIDER', 'DISAGREE ON', 'ORPHAN PAIRS'], this.#disagreeing),
      ranked(['REPEATED BY', 'AS', 'DUPLICATES'], this.#repeating),
    ]
      .filter((part) => part !== '')
      .join('\n')
  }
}

function increase(counts: Map<string, number>, cells: readonly string[]): void {
  const row = JSON.stringify(cells)
  counts.set(row, (counts.get(row) ?? 0) + 1)
}

/** The most frequent first; empty when there are none. */
function ranked(titles: readonly string[], counts: ReadonlyMap<string, number>): string {
  if (counts.size === 0) return ''
  const rows = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
  return table(
    titles,
    rows.map(([row, count]) => [...(JSON.parse(row) as string[]).map(printable), String(count)]),
  )
}

/** A name may hold what would steer a terminal. */
const printable = (name: string) => (name === '' ? '(unnamed)' : name.replaceAll(/\p{C}/gu, '?'))
