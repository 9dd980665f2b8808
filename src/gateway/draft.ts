import { encodeItem, type Item, isSealedItem, MAX_LINE_BYTES, parseItem } from '../batch/index.ts'
import { utf8 } from '../bytes/bytes.ts'
import { InputError, VerificationError } from '../errors.ts'
import { hashLeaves, treeRoot } from '../merkle/index.ts'
import {
  canonicalBytes,
  canonicalText,
  disclosureDigest,
  openPseudonyms,
  openRecord,
  parseDisclosure,
  parseRecord,
  sealedKind,
  sealRecord,
} from '../record/index.ts'

/** A submission read and sealed, but not yet accepted. */
export interface Draft {
  source: string
  items: Item[]
  /** private disclosures of each item */
  vault: string[][]
}

/** A record as it came, with the line that it stood on. */
export interface Incoming {
  line: number
  value: unknown
}

/**
 * Reads and seals the records of one submission: all of one source, no id twice.
 *
 * @param form `sealed` when nothing may be normalised or sealed here, because its source has signed it as it is
 * @throws {InputError} `BAD_RECORD`, `BAD_DISCLOSURE`, `MIXED_SOURCES`, `DUPLICATE_ID`, `TOO_LARGE` or
 *   `EMPTY_SUBMISSION`, with the line and the pointer
 */
export function readDraft(
  records: Iterable<Incoming>,
  maxRecords: number,
  form: 'any' | 'sealed' = 'any',
): Draft {
  const draft: Draft = { source: '', items: [], vault: [] }
  const lines = new Map<string, number>()
  for (const { line, value } of records) {
    const { item, vault } = atLine(line, () => readItem(value, form))
    const { source, id } = item.record
    if (draft.items.length === 0) draft.source = source
    if (source !== draft.source) {
      throw new InputError('MIXED_SOURCES', `a submission has one source: ${draft.source}, not ${source}`, {
        line,
        pointer: '/source',
      })
    }
    const earlier = lines.get(id)
    if (earlier !== undefined) {
      throw new InputError('DUPLICATE_ID', `id ${id} stands on line ${earlier} already`, {
        line,
        pointer: '/id',
      })
    }
    lines.set(id, line)
    if (utf8(encodeItem(item)).length >= MAX_LINE_BYTES) {
      throw new InputError('TOO_LARGE', `a record has at most ${MAX_LINE_BYTES - 1} bytes`, { line })
    }
    if (draft.items.length === maxRecords) {
      throw new InputError('TOO_LARGE', `a submission has at most ${maxRecords} records`, { line })
    }
    if (utf8(JSON.stringify(vault)).length >= MAX_LINE_BYTES - 64) {
      throw new InputError('TOO_LARGE', 'the private members of the record are too long', { line })
    }
    draft.items.push(item)
    draft.vault.push(vault)
  }
  if (draft.items.length === 0)
    throw new InputError('EMPTY_SUBMISSION', 'there is no record in the submission')
  return draft
}

/** The root over the leaves of a draft: 32 bytes. */
export const rootOf = (draft: Draft): Uint8Array =>
  treeRoot(hashLeaves(draft.items.map(({ record }) => canonicalBytes(record))))

/** Whether two drafts say the same: sealing takes fresh salts each time, so what they open to is compared. */
export function isSameDraft(a: Draft, b: Draft): boolean {
  return a.items.length === b.items.length && a.items.every((_, i) => openText(a, i) === openText(b, i))
}

function openText({ items, vault }: Draft, i: number): string {
  const item = items[i]
  if (item === undefined) return ''
  const disclosures = [...item.disclosures, ...(vault[i] ?? [])]
  const opened = new Set(disclosures.map(disclosureDigest))
  const closed = item.record.data._sd?.filter((digest) => !opened.has(digest)) ?? []
  return canonicalText({ record: openRecord(item.record, disclosures), closed })
}

function readItem(value: unknown, form: 'any' | 'sealed'): { item: Item; vault: string[] } {
  if (form === 'any' && !isSealedItem(value) && !hasDigests(value)) {
    const { record, disclosures, vault } = sealRecord(parseRecord(value))
    return { item: { record, disclosures }, vault }
  }
  const { record, disclosures } = parseItem(value)
  openRecord(record, disclosures)
  const isPrivate = (disclosure: string) =>
    sealedKind(record.type, parseDisclosure(disclosure).name) === 'private'
  const item = { record, disclosures: disclosures.filter((text) => !isPrivate(text)) }
  openPseudonyms(record, item.disclosures)
  return { item, vault: disclosures.filter(isPrivate) }
}

/** Whether a bare record was sealed by its source, which keeps the disclosures. */
function hasDigests(value: unknown): boolean {
  const { data } = Object(value) as { data?: unknown }
  return typeof data === 'object' && data !== null && '_sd' in data
}

function atLine<T>(line: number, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (cause instanceof InputError) {
      throw new InputError(cause.code, cause.message, { ...cause.place, line }, { cause })
    }
    if (cause instanceof VerificationError) {
      throw new InputError('BAD_DISCLOSURE', cause.message, { line, pointer: '/disclosures' }, { cause })
    }
    throw cause
  }
}
