import type { Header } from '../batch/index.ts'
import { InputError } from '../errors.ts'
import { type IndexName, recordValue } from '../lookup/index.ts'
import { sealedKind } from '../record/index.ts'
import { BatchCache } from '../store/batch-cache.ts'
import type { BatchFolder } from '../store/batch-folder.ts'
import type { Database } from '../store/database.ts'
import { type ErasedMember, Erasures } from '../store/erasures.ts'
import { LedgerEntries } from '../store/ledger-entries.ts'
import { type DisclosureParts, disclosuresOf, vaultOf } from './disclosures.ts'
import { ALWAYS, type FoundRecord, Search } from './search.ts'

/** What somebody wants erased: members of one record, or of all that is about a person. */
export interface Wanted {
  of: { source: string; id: string } | { person: string }
  /** every private member when it is left out */
  members: readonly string[] | undefined
}

/** What can be erased of one vault. */
export interface Erasable {
  header: Header
  members: ErasedMember[]
}

const MOST_OPEN = 4
const PAGE = 256
const PAGE_BUDGET = 8_192

/**
 * Looks through the verified batches for what vaults hold of it, every copy of a record included.
 *
 * @throws {InputError} `BAD_ARGUMENT` for a member that is not private; `NOT_FOUND` where there is no such record, or of
 *   one record a member is not in the vault, and why
 */
export async function findErasable(
  database: Database,
  folder: BatchFolder,
  { of, members }: Wanted,
): Promise<Erasable[]> {
  const entries = new LedgerEntries(database)
  const batches = new BatchCache(folder, MOST_OPEN)
  const search = new Search({ entries, batches, folder, sketchBytes: 0, budget: PAGE_BUDGET })
  const parts = { batches, erasures: new Erasures(database) }
  const [name, value]: [IndexName, string] =
    'person' in of ? ['person', of.person] : ['record', recordValue(of.source, of.id)]
  const vaults = new Map<string, Erasable>()
  const found: FoundRecord[] = []
  try {
    for await (const one of allUnder(search, entries, name, value)) {
      found.push(one)
      const { header } = one.entry
      const held = [...((await vaultOf(parts, one)) ?? new Map()).keys()]
      const wanted = members === undefined ? held : held.filter((member) => members.includes(member))
      if (wanted.length === 0) continue
      const path = folder.pathOf(header.publisher, header.sequence)
      const vault = vaults.get(path) ?? { header, members: [] }
      vaults.set(path, vault)
      vault.members.push(...wanted.map((member) => ({ position: one.position, member })))
    }
    const erasable = [...vaults.values()]
    if (!('person' in of)) await expectAll(parts, found, erasable, members ?? [])
  } finally {
    await search.stop()
    await batches.close()
  }
  if (vaults.size === 0)
    throw new InputError('NOT_FOUND', 'no vault of this folder holds a private member of it')
  return [...vaults.values()]
}

async function* allUnder(
  search: Search,
  entries: LedgerEntries,
  name: IndexName,
  value: string,
): AsyncGenerator<FoundRecord> {
  const [newest] = entries.before(MAX_INDEX, 1)
  let after = newest && { logIndex: newest.logIndex + 1n, position: 0 }
  while (after !== undefined) {
    const page = await search.page({ keys: new Map([[name, value]]), ...ALWAYS, limit: PAGE, after })
    yield* page.records
    after = page.next
  }
}

/** What the catalogue's signed integers can hold. */
const MAX_INDEX = 2n ** 63n - 1n

async function expectAll(
  parts: DisclosureParts,
  found: readonly FoundRecord[],
  erasable: readonly Erasable[],
  members: readonly string[],
): Promise<void> {
  const [first] = found
  if (first === undefined) {
    throw new InputError('NOT_FOUND', 'no verified batch of this folder holds such a record')
  }
  const { type } = first.item.record
  for (const name of members) {
    if (sealedKind(type, name) === 'pseudonym') {
      throw new InputError(
        'BAD_ARGUMENT',
        `${name} is a pseudonym: the index is computed from it, so it stays`,
      )
    }
    const isHeld = erasable.some((vault) => vault.members.some(({ member }) => member === name))
    // It says why it cannot be opened.
    if (!isHeld) await disclosuresOf(parts, first, [name])
  }
}
