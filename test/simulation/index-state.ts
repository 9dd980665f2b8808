import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Header } from '../../src/batch/index.ts'
import { toHex } from '../../src/bytes/hex.ts'
import { InputError } from '../../src/errors.ts'
import { ALWAYS as ANY_TIME, type Place } from '../../src/indexer/search.ts'
import type { Indexing } from '../../src/indexer/service.ts'
import { ALWAYS } from '../../src/proof/index.ts'
import type { Database } from '../../src/store/database.ts'
import { FACETS } from '../../src/store/stats.ts'
import type { Question } from './history.ts'

/** All that an index answers and keeps, as lines of text. */
export type IndexState = Map<string, string[]>

/**
 * What two indexes of one chain and the same files may differ in, and does not count:
 *
 * - how often a batch was tried and when it is tried again: that is the history of the faults;
 * - when an alert was raised, its number, and alerts that are closed: they say what was so, and were true then;
 * - times of a grant after the first: which of them are kept depends on which batch was counted first;
 * - the evidence folder: it keeps what was given out falsely, though it has since been given out rightly;
 * - the evidence of anchors: the node of a simulation shows none.
 */
const TABLES: Record<string, string> = {
  entries:
    'SELECT log_index, state, reason, block_number, block_hash, transaction_hash, event_index, hex(header) FROM entries ORDER BY log_index',
  cursor: 'SELECT * FROM chain_cursor',
  submissions: 'SELECT * FROM seen_submissions ORDER BY source, sequence, log_index, first',
  'open alerts':
    'SELECT log_index, kind, subject, document FROM alerts WHERE closed_at IS NULL ORDER BY log_index, kind, subject',
  volumes: 'SELECT * FROM volumes ORDER BY facet, key, hour',
  'grant times': 'SELECT hex(id), kind, min(at) FROM grant_times GROUP BY id, kind ORDER BY id, kind',
  counted: 'SELECT * FROM counted ORDER BY log_index, part',
  uncounted: 'SELECT * FROM uncounted ORDER BY log_index',
}

/** Reads everything that can be observed of an index that has come to rest. */
export async function readIndex(
  { finder, histories, follower, entries, seen }: Indexing,
  database: Database,
  questions: readonly Question[],
): Promise<IndexState> {
  const state: IndexState = new Map()
  for (const [table, query] of Object.entries(TABLES)) {
    const statement = database.prepare(query)
    statement.setReadBigInts(true)
    state.set(table, statement.all().map(toText))
  }
  state.set('log', [toHex(follower.log.root()), toText({ ...follower.state, head: undefined })])
  state.set('sources', seen.sources(1_000))
  const found: string[] = []
  const proven: string[] = []
  // A history is read from every batch, so a few must do; it ends before the first batch that is refused.
  const [refused] = entries.inState('fraud', 1)
  const few = Math.ceil(questions.length / MOST_HISTORIES)
  for (const [i, { name, value }] of questions.entries()) {
    for (let after: Place | undefined, isFirst = true; isFirst || after !== undefined; isFirst = false) {
      const page = await finder.page({ keys: new Map([[name, value]]), ...ANY_TIME, limit: 50, after })
      for (const { item, position, entry } of page.records) {
        found.push(`${name} ${value}: ${entry.logIndex} ${position} ${toText(item)}`)
      }
      after = page.next
    }
    if (i % few > 0) continue
    proven.push(`${name} ${value}: ${await historyOf(histories, { name, value }, refused?.logIndex)}`)
  }
  state.set('records', found)
  state.set('histories', proven)
  const day = 24
  const series = FACETS.flatMap((facet) =>
    entries.stats.series({ facet, fromHour: 0, toHour: 1e6, stepHours: day, limit: 1_000 }),
  )
  state.set('series', series.map(toText))
  state.set('resources', [toText(entries.stats.resources(0, 1e6))])
  state.set('delays', entries.stats.grantDelays(0, 2e12, 1_000).map(String))
  return state
}

/** The digest of a history, or why there is none. */
async function historyOf(
  histories: Indexing['histories'],
  key: Question,
  end: bigint | undefined,
): Promise<string> {
  const hash = createHash('sha256')
  try {
    const open = histories.open({ key, period: ALWAYS, first: undefined, end, disclose: [] })
    hash.update(toText(open.head))
    for await (const batch of open.batches) hash.update(toText(batch))
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    return `${error.code} ${error.message}`
  }
  return hash.digest('hex')
}

/** The files of verified batches, and what lies about of those that are not. */
export async function readFiles(dataPath: string, headers: readonly Header[]): Promise<IndexState> {
  const lines: string[] = []
  for (const name of ['batches', 'incoming']) {
    for (const file of await filesIn(join(dataPath, name))) {
      const sha256 = createHash('sha256')
        .update(await readFile(file))
        .digest('hex')
      lines.push(`${relative(dataPath, file)} ${sha256}`)
    }
  }
  return new Map([
    ['files', lines.sort()],
    [
      'files that no header asks for',
      lines.filter((line) => !headers.some((header) => line.includes(pathOf(header)))),
    ],
  ])
}

const pathOf = ({ publisher, sequence }: Header) =>
  join('batches', publisher, String(sequence).padStart(12, '0'))

async function filesIn(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  return found.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name))
}

/** What is in one and not in the other, a line each, at most `limit` for each part. */
export function differences(found: IndexState, expected: IndexState, limit = 4): string[] {
  return [...expected].flatMap(([part, lines]) => {
    const has = new Set(found.get(part))
    const wants = new Set(lines)
    const lacking = lines.filter((line) => !has.has(line)).map((line) => `${part} lacks ${line}`)
    const extra = [...has].filter((line) => !wants.has(line)).map((line) => `${part} has ${line}`)
    const all = [...lacking, ...extra].map((line) => line.slice(0, LONGEST_LINE)).slice(0, limit)
    if (all.length > 0 || has.size !== wants.size || String(found.get(part)) === String(lines)) return all
    return [`${part} is in another order`]
  })
}

const LONGEST_LINE = 400
const MOST_HISTORIES = 20

/** JSON with whole numbers and bytes as text. */
const toText = (value: unknown): string =>
  JSON.stringify(value, (_name, one: unknown) => {
    if (typeof one === 'bigint') return String(one)
    if (one instanceof Uint8Array) return toHex(one)
    return one
  })
