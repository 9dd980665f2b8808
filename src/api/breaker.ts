import type { RequestHandler } from 'express'
import type { Trip } from '../indexer/registry-history.ts'
import type { Rights } from '../indexer/rights.ts'
import { optionalCount } from './query.ts'

const DEFAULT_PAGE = 50
const MAX_PAGE = 500

/**
 * GET /v1/breaker?limit=: the trips that the registry has, newest first.
 *
 * @param rights absent where no registry is read
 */
export const getBreaker =
  (rights: Rights | undefined): RequestHandler =>
  (request, response) => {
    const limit = optionalCount(request, 'limit', MAX_PAGE) ?? DEFAULT_PAGE
    const number = rights?.cursor?.block.number
    response.json({
      trips: rights?.trips().slice(-limit).reverse().map(toJson(rights)) ?? [],
      block: number === undefined ? null : String(number),
    })
  }

const toJson =
  (rights: Rights) =>
  ({ target: { kind, id }, reset, ...trip }: Trip) => {
    const name = kind === 'everything' ? undefined : rights[kind](id)?.name
    return {
      ...{ kind, id },
      ...(name !== undefined && { name }),
      ...toJsonAct(trip),
      ...(reset !== undefined && { reset: toJsonAct(reset) }),
    }
  }

const toJsonAct = ({ by, reason, block }: Pick<Trip, 'by' | 'reason' | 'block'>) => ({
  ...{ by, reason },
  at: new Date(1_000 * Number(block.time)).toISOString(),
  block: String(block.number),
})
