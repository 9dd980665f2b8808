import type { RequestHandler } from 'express'
import { isHex } from '../bytes/hex.ts'
import { InputError, OperationError } from '../errors.ts'
import type { Rights } from '../indexer/rights.ts'

/**
 * GET /v1/grants/ID: what the chain says of a grant, and the calls that are counted against it.
 *
 * @param rights absent where no contract decides on calls
 */
export const getGrant =
  (rights: Rights | undefined): RequestHandler =>
  (request, response) => {
    const { id } = request.params
    if (!isHex(id, 32)) throw new InputError('BAD_ARGUMENT', 'a grant has an id of 64 hex digits after 0x')
    if (rights === undefined) {
      throw new InputError(
        'NO_RIGHTS',
        'no registry and no authorisations are followed here: --authorizations',
      )
    }
    const block = rights.cursor?.block
    if (block === undefined) throw new OperationError('STARTING', 'the registry has not been read yet')
    const state = rights.grants.state(id)
    const revokedAt = state?.revokedAt ?? 0n
    response.json({
      authorization: id,
      given: state?.terms !== undefined,
      revokedAt: revokedAt === 0n ? null : String(revokedAt),
      paused: state?.paused ?? false,
      calls: String((state?.calls ?? 0n) + rights.grants.uses(id)),
      block: { number: String(block.number), hash: block.hash, time: String(block.time) },
    })
  }
