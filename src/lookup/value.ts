import type { FlowRecord } from '../record/index.ts'
import { type IndexName, recordValue } from './keys.ts'

/**
 * The value under which an opened record is found by a name; undefined when it is not.
 *
 * @param record with its pseudonyms put back; one that stays closed is not found
 */
export function indexValue(record: FlowRecord, name: IndexName): string | undefined {
  if (name === 'record') return recordValue(record.source, record.id)
  if (name === 'resource') return record.subject
  const value = record.data[name === 'request' ? 'requestId' : name]
  return typeof value === 'string' ? value : undefined
}
