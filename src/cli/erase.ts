import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Command, Option } from 'commander'
import { toHex } from '../bytes/hex.ts'
import { InputError, OperationError } from '../errors.ts'
import { type Erasable, findErasable, type Wanted } from '../indexer/erasable.ts'
import { parseRecord } from '../record/index.ts'
import { BatchFolder } from '../store/batch-folder.ts'
import { carryOutErasures } from '../store/erase.ts'
import { type Erasure, Erasures } from '../store/erasures.ts'
import { lockFolder } from '../store/folder-lock.ts'
import { watchSource } from '../store/own-records.ts'
import { answer } from './answer.ts'
import { dataOption, withCatalogue } from './catalogue.ts'
import { jsonOption, parseNames, parseSource, parseTag } from './options.ts'

interface EraseOptions {
  data: string
  source?: string
  person?: string
  members?: string[]
  approver: string
  executor: string
  witness?: string
  reason: string
  json?: boolean
}

/** `tidemark erase`: removes private members from vaults. */
export const eraseCommand = () =>
  new Command('erase')
    .description(
      'remove private members of a record, or of all records about a person, from the vault, and record that; also while "tidemark up" runs',
    )
    .argument('[id]', 'of the record')
    .addOption(new Option('--source <uri>', 'its source').argParser(parseSource))
    .addOption(
      new Option('--person <tag>', 'instead of a record: whom the records are about').argParser(parseTag),
    )
    .addOption(
      new Option('--members <names>', 'such as agent,note (default: all that vaults hold)').argParser(
        parseNames,
      ),
    )
    .requiredOption('--approver <name>', 'who decided it; sealed in the record of it')
    .requiredOption('--executor <name>', 'who does it; sealed too')
    .option('--witness <name>', 'who sees it; sealed too')
    .requiredOption('--reason <word>', 'what made it necessary, such as request, retention or court-order')
    .addOption(dataOption())
    .addOption(jsonOption())
    .action(erase)

async function erase(id: string | undefined, options: EraseOptions): Promise<void> {
  const { data, members } = options
  const wanted: Wanted = { of: whatOf(id, options), members }
  await withCatalogue(data, 'existing', async (database) => {
    const batches = new BatchFolder(join(data, 'batches'))
    const erasures = new Erasures(database)
    const found = await findErasable(database, batches, wanted)
    const orders = found.map((erasable) => destructionOf(erasable, options))
    erasures.order(orders)
    const isRunning = await carryOut({ data, batches, erasures }, orders)
    const count = orders.reduce((sum, order) => sum + order.members.length, 0)
    const destructions = orders.map(({ publisher, id }) => ({ source: watchSource(publisher), id }))
    answer(
      options,
      { erased: count, destructions },
      `erased ${count} private members from ${orders.length} vaults; ${isRunning ? 'recorded' : 'the next "tidemark up" records it'} as\n` +
        destructions.map(({ source, id }) => `  ${id} of ${source}\n`).join(''),
    )
  })
}

function whatOf(id: string | undefined, { source, person }: EraseOptions): Wanted['of'] {
  if (person === undefined && id !== undefined && source !== undefined) return { source, id }
  if (person !== undefined && id === undefined && source === undefined) return { person }
  throw new InputError('BAD_ARGUMENT', 'name a record by its id and --source, or a person by --person')
}

const MOST_NOTE = 4_096

/** It names the vault to everybody, and the records to whoever may open its note: together they may be one person's. */
function destructionOf({ header, members }: Erasable, options: EraseOptions): Erasure {
  const { publisher, sequence } = header
  const { approver, executor, witness, reason } = options
  const id = `erasure-${toHex(randomBytes(16)).slice(2)}`
  const note = members.map(({ position, member }) => `${member} of record ${position}`).join(', ')
  const record = {
    specversion: '1.0',
    id,
    source: watchSource(publisher),
    type: 'tidemark.destruction.v1',
    subject: 'tidemark/vault',
    data: {
      copy: `${publisher}/${sequence}/vault.ndjson.zst`,
      method: 'rewritten',
      trigger: reason,
      rows: members.length,
      executor,
      approver,
      ...(witness !== undefined && { witness }),
      note: note.length > MOST_NOTE ? `${note.slice(0, MOST_NOTE - 1)}…` : note,
    },
  }
  // What cannot be recorded must not be ordered either; its time comes when it is done.
  parseRecord({ ...record, time: new Date(0).toISOString() })
  return { id, publisher, sequence, members, document: JSON.stringify(record) }
}

/** How long a running `up` is waited for. */
const WAIT_MS = 60_000
const POLL_MS = 50

interface Place {
  data: string
  batches: BatchFolder
  erasures: Erasures
}

/**
 * Has it carried out: by the process that works in the folder, or here when there is none.
 *
 * @returns whether there is one
 * @throws {OperationError} `STORE_FAILED` when it was not; it is ordered all the same
 */
async function carryOut({ data, batches, erasures }: Place, orders: readonly Erasure[]): Promise<boolean> {
  const isWaiting = () => {
    const waiting = new Set(erasures.waiting().map(({ id }) => id))
    return orders.some(({ id }) => waiting.has(id))
  }
  const free = await lockFolder(data).catch((error: unknown) => {
    if (error instanceof OperationError) return undefined
    throw error
  })
  if (free !== undefined) {
    try {
      await carryOutErasures({
        erasures,
        batches,
        logPath: join(data, 'log'),
        publisher: undefined,
        now: Date.now,
      })
    } finally {
      free()
    }
  }
  const late = AbortSignal.timeout(WAIT_MS)
  while (free === undefined && isWaiting() && !late.aborted) await delay(POLL_MS)
  if (!isWaiting()) return free === undefined
  throw new OperationError(
    'STORE_FAILED',
    `it is ordered, and not carried out yet: ${free === undefined ? 'see what "tidemark up" says of it' : 'the log still holds the batch, start "tidemark up"'}`,
  )
}
