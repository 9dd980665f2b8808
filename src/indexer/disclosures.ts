import { InputError, OperationError } from '../errors.ts'
import { parseDisclosure, sealedKind } from '../record/index.ts'
import type { BatchCache } from '../store/batch-cache.ts'
import { isMissing } from '../store/durable.ts'
import type { Erasures } from '../store/erasures.ts'
import { watchSource } from '../store/own-records.ts'
import type { FoundRecord } from './search.ts'

export interface DisclosureParts {
  batches: BatchCache
  erasures: Erasures
}

/**
 * What opens members of a record: pseudonyms beside it, private members out of the vault.
 *
 * @throws {InputError} `NOT_FOUND` naming the first that cannot be opened, and why
 */
export async function disclosuresOf(
  parts: DisclosureParts,
  found: FoundRecord,
  names: readonly string[],
): Promise<string[]> {
  const { item } = found
  const known = byName(item.disclosures)
  const isPrivate = (name: string) => sealedKind(item.record.type, name) === 'private'
  const vault = names.some(isPrivate) ? await vaultOf(parts, found) : undefined
  return names.map((name) => {
    const disclosure = (isPrivate(name) ? vault : known)?.get(name)
    if (disclosure !== undefined) return disclosure
    const reason = isPrivate(name) ? whyClosed(parts, found, name, vault) : 'was never there'
    const { source, id } = item.record
    throw new InputError('NOT_FOUND', `${name} of record ${id} of ${source} ${reason}`)
  })
}

/** The private disclosures of a record by their members, without what is erased; undefined where no vault is kept. */
export async function vaultOf(
  { batches, erasures }: DisclosureParts,
  { position, entry: { header } }: FoundRecord,
): Promise<Map<string, string> | undefined> {
  const { publisher, sequence } = header
  const found = await batches
    .use(publisher, sequence, (batch) => batch.vaultFrom(position, 1))
    .catch((error: unknown) => {
      if (error instanceof OperationError && isMissing(error.cause)) return undefined
      throw error
    })
  if (found === undefined) return undefined
  const vault = byName(found.flat())
  // From the order on, and not only once it was carried out.
  for (const member of [...vault.keys()]) {
    if (erasures.find(publisher, sequence, { position, member }) !== undefined) vault.delete(member)
  }
  return vault
}

/** Why a private member cannot be opened, as the end of a sentence. */
function whyClosed(
  { erasures }: DisclosureParts,
  { item, position, entry: { header } }: FoundRecord,
  member: string,
  vault: ReadonlyMap<string, string> | undefined,
): string {
  const { publisher, sequence } = header
  const destruction = erasures.find(publisher, sequence, { position, member })
  if (destruction !== undefined) return `is erased: see record ${destruction} of ${watchSource(publisher)}`
  if (vault === undefined) return `is sealed: only ${publisher} keeps the vault of its batch`
  const { _sd: digests = [], _sd_pseudonyms: pseudonyms = [] } = item.record.data
  const erased = erasures.of(publisher, sequence).filter((one) => one.position === position).length
  const isAllKnown = digests.length === pseudonyms.length + vault.size + erased
  return isAllKnown
    ? 'was never there'
    : 'is not in the vault: the source kept it to itself, or it was never there'
}

const byName = (disclosures: readonly string[]) =>
  new Map(disclosures.map((text) => [parseDisclosure(text).name, text] as const))
