import type { RequestHandler } from 'express'
import { InputError } from '../errors.ts'
import type { Finder } from '../indexer/finder.ts'
import type { Follower } from '../indexer/follower.ts'
import { PROOF_MEDIA_TYPE } from '../proof/index.ts'
import { toJsonAnchor } from './json.ts'
import { optionalText, requiredText } from './query.ts'

/** GET /v1/records?source=&id=: the sealed record, and where it is. */
export const getRecords =
  (finder: Finder, follower: Follower): RequestHandler =>
  async (request, response) => {
    const source = requiredText(request, 'source')
    const id = requiredText(request, 'id')
    const found = await finder.find(source, id)
    if (found.length === 0) {
      throw new InputError('NOT_FOUND', `no verified batch of the ledger holds record ${id} of ${source}`)
    }
    response.json({
      records: found.map(({ item, position, entry }) => ({
        record: item.record,
        batch: { publisher: entry.header.publisher, sequence: String(entry.header.sequence), position },
        anchor: toJsonAnchor(entry),
        final: follower.isFinal(entry),
      })),
    })
  }

/** How many sources are searched for an id that comes without one. */
const MAX_SOURCES = 1_000

/** GET /v1/proofs?id=[&source=][&disclose=person]: the bundle that convinces a stranger. */
export const getProof =
  (finder: Finder, known: (limit: number) => string[]): RequestHandler =>
  async (request, response) => {
    const source = optionalText(request, 'source')
    const id = requiredText(request, 'id')
    const disclose = optionalText(request, 'disclose')?.split(',') ?? []
    const sources = source === undefined ? known(MAX_SOURCES + 1) : [source]
    if (sources.length > MAX_SOURCES)
      throw new InputError('BAD_ARGUMENT', 'source is needed: there are too many to search')
    const proof = await finder.prove(sources, id, disclose)
    response.type(PROOF_MEDIA_TYPE).send(JSON.stringify(proof))
  }
