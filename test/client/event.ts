import type { RecordInput } from '../../src/client/index.ts'
import { exampleOf } from '../record/examples.ts'

/** A call as a service tells it, every sealable member in it. */
export function eventOf(id: string): RecordInput {
  const { data, subject } = exampleOf('tidemark.call.v1')
  return { type: 'tidemark.call.v1', id, subject: String(subject), data }
}
