import { type Hex, isHex } from '../bytes/hex.ts'
import { readUint64 } from '../bytes/integer.ts'
import type { TypedDomain } from '../bytes/typed-data.ts'
import { InputError } from '../errors.ts'
import { type GivenGrant, givenGrant, grantId } from '../record/index.ts'
import { readAny } from './read-any.ts'
import { readBundle } from './read-lines.ts'

/**
 * The grant in a record of type `tidemark.authorization.v1`; its signature is not checked.
 *
 * @param path `-` for standard input
 * @throws {InputError} `BAD_ARGUMENT` when it is another grant than it says, or one for another contract
 */
export async function readGrant(path: string, domain: TypedDomain): Promise<GivenGrant> {
  const { record } = readAny(await readBundle(path))
  if (record.type !== 'tidemark.authorization.v1') {
    throw new InputError('BAD_ARGUMENT', `${path} holds no grant, but a record of type ${record.type}`)
  }
  const given = givenGrant(record)
  if (grantId(domain, given.grant) === given.id) return given
  throw new InputError(
    'BAD_ARGUMENT',
    `${path} was changed, or its grant is for another contract than ${domain.contract} on chain ${domain.chainId}`,
  )
}

/** A subject's leave for anybody to revoke its grant. */
export interface SignedRevocation {
  /** the grant's id */
  authorization: Hex
  /** the last second of block time at which the signature is good */
  deadline: bigint
  signature: Hex
}

export const writeRevocation = ({ deadline, ...rest }: SignedRevocation): string =>
  `${JSON.stringify({ ...rest, deadline: String(deadline) })}\n`

/** @throws {InputError} `BAD_ARGUMENT` when the file is none, or of another grant */
export async function readRevocation(path: string, id: Hex): Promise<SignedRevocation> {
  const { authorization, deadline, signature } = Object(await readBundle(path)) as Record<string, unknown>
  const seconds = readUint64(deadline)
  if (!isHex(authorization, 32) || !isHex(signature) || seconds === undefined) {
    throw new InputError(
      'BAD_ARGUMENT',
      `${path} is no signed revocation: "tidemark grant sign-revocation" makes one`,
    )
  }
  if (authorization !== id) {
    throw new InputError('BAD_ARGUMENT', `${path} revokes grant ${authorization}, not ${id}`)
  }
  return { authorization, deadline: seconds, signature }
}
