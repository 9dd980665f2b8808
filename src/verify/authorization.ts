import type { Hex } from '../bytes/hex.ts'
import { OperationError, VerificationError } from '../errors.ts'
import type { Authorization, ResourceVersion } from '../proof/index.ts'
import { encodeGranted, type FlowRecord, type Grant, grantId, nameId, timeOf } from '../record/index.ts'
import { step, type Trust, type VerifiedAnchor } from './anchor.ts'
import type { Block, ChainFacts } from './chain-facts.ts'
import { eventAt, notFinal, sameEvent } from './final-receipt.ts'
import { verifyResource } from './resource.ts'
import type { Asked, RightsFacts } from './rights-facts.ts'

/** What stands behind the steps of a proof when it shows an authorised call. */
export const AUTHORIZATION_STEPS = ['grant', 'signature', 'registry', 'revocation'] as const

/** An authorisation that was in force at the time of the call; times in seconds since 1970. */
export interface VerifiedAuthorization {
  contract: Hex
  grantId: Hex
  grant: Grant
  /** how the subject agreed: its key signed, its contract says so, or the contract of authorisations holds the grant */
  consent: 'key' | 'account' | 'given'
  resource: Omit<ResourceVersion, 'set' | 'next'>
  /** when this version was registered, and the next one, where there is one by now */
  registeredAt: bigint
  replacedAt?: bigint
  /** 0 when it was not withdrawn as of `asOf`; else later than the call */
  revokedAt: bigint
  /** the final block of which that is said */
  asOf: Pick<Block, 'number' | 'hash' | 'timestamp'>
}

/**
 * Checks what authorised an anchored call (docs/format.md, "Verifying an authorised call").
 *
 * @throws {VerificationError} with the step
 * @throws {OperationError} when the chain cannot tell, or not yet
 */
export async function verifyAuthorization(
  call: FlowRecord,
  authorization: Authorization,
  { anchor, finalBlock }: VerifiedAnchor,
  chain: ChainFacts,
  rights: RightsFacts,
  trust: Trust,
): Promise<VerifiedAuthorization> {
  const { contract, grant } = authorization
  const time = BigInt(Math.floor(timeOf(call) / 1_000))
  const domain = { chainId: anchor.chainId, contract }
  const id = grantId(domain, grant)
  await step('grant', () => {
    expectContract(contract, trust)
    verifyTerms(call, time, grant, id)
  })
  const { asked, consent } = await step('signature', async () => {
    const final = await chain.blockByNumber(finalBlock)
    if (final === undefined) {
      throw new OperationError(
        'RPC_LAGS',
        `the node does not have its final block ${finalBlock}; ask another`,
      )
    }
    if (final.timestamp < time) throw notYetSaid(time, final)
    const asked: Asked = { chain, rights, final, time }
    return { asked, consent: await verifyConsent(authorization, domain, id, asked) }
  })
  const period = await step('registry', () => verifyResource(call, authorization, asked, trust))
  const revokedAt = await step('revocation', () => verifyNotRevoked(authorization, id, asked))
  const { set: _, next: __, ...resource } = authorization.resource
  const { number, hash, timestamp } = asked.final
  return {
    contract,
    grantId: id,
    grant,
    consent,
    resource,
    ...period,
    revokedAt,
    asOf: { number, hash, timestamp },
  }
}

function expectContract(contract: Hex, { authorizations }: Trust): void {
  if (authorizations === undefined || authorizations === contract) return
  throw new VerificationError(
    'WRONG_AUTHORIZATIONS',
    `the proof names authorisations ${contract}, not ${authorizations}`,
  )
}

/** The call cites this grant, is a use that it allows, and was made while it holds. */
function verifyTerms({ type, data, subject = '' }: FlowRecord, time: bigint, grant: Grant, id: Hex): void {
  if (type !== 'tidemark.call.v1') throw new VerificationError('WRONG_GRANT', 'the record is no call')
  if (data.authorization !== id) {
    throw new VerificationError(
      'WRONG_GRANT',
      `the call cites ${data.authorization === undefined ? 'no grant' : `grant ${data.authorization}`}; the terms shown are those of ${id}`,
    )
  }
  const names = { consumer: data.consumer, resource: subject, purpose: data.purpose ?? '' }
  for (const member of ['consumer', 'resource', 'purpose'] as const) {
    if (nameId(String(names[member])) !== grant[member]) {
      throw new VerificationError(
        'NOT_GRANTED',
        `the grant is for another ${member} than ${JSON.stringify(names[member])}`,
      )
    }
  }
  if (time < grant.notBefore || time > grant.notAfter) {
    throw new VerificationError(
      'NOT_IN_FORCE',
      `the call is of second ${time}, the grant holds from ${grant.notBefore} to ${grant.notAfter}`,
    )
  }
}

async function verifyConsent(
  { contract, grant, consent }: Authorization,
  domain: { chainId: bigint; contract: Hex },
  id: Hex,
  { chain, rights, final, time }: Asked,
): Promise<VerifiedAuthorization['consent']> {
  if ('given' in consent) {
    const { log, block } = await eventAt(consent.given, contract, chain, final)
    const expected = encodeGranted(id, grant)
    if (!sameEvent(log, expected)) {
      throw new VerificationError('WRONG_GRANT', 'the event of the authorisations is not of this grant')
    }
    if (block.timestamp <= time) return 'given'
    throw new VerificationError(
      'NOT_IN_FORCE',
      `the grant was given at second ${block.timestamp}, after the call`,
    )
  }
  const { signature } = consent
  if (rights.grantSigner(domain, grant, signature) === grant.subject) return 'key'
  if (await rights.isValidSignature(grant.subject, id, signature, final.hash)) return 'account'
  throw new VerificationError('BAD_SIGNATURE', `the grant is not signed by its subject ${grant.subject}`)
}

/** Not withdrawn before the call, and nothing else claimed than the chain says. */
async function verifyNotRevoked(
  { contract, revocation }: Authorization,
  id: Hex,
  { chain, rights, final, time }: Asked,
): Promise<bigint> {
  const { revokedAt: claimed, blockNumber, blockHash } = revocation
  const then = await claimedBlock(blockNumber, blockHash, chain, final)
  const revokedAt = await rights.revokedAt(contract, id, final.hash)
  // It is written once: what was true then is so still, and what is written since is of a later block.
  const wasRevoked = revokedAt !== 0n && (revokedAt < then.timestamp || blockNumber === final.number)
  if (claimed === 0n ? wasRevoked : claimed !== revokedAt || revokedAt > then.timestamp) {
    throw new VerificationError(
      'FALSE_REVOCATION',
      `the proof says of block ${blockNumber} that ${withdrawal(claimed)}; the chain says that ${withdrawal(revokedAt)}`,
    )
  }
  if (revokedAt === 0n || revokedAt > time) return revokedAt
  throw new VerificationError(
    'REVOKED',
    `the call is of second ${time}; the grant was withdrawn at ${revokedAt}`,
  )
}

/** The block of which the proof says whether the grant was withdrawn. */
async function claimedBlock(number: bigint, hash: Hex, chain: ChainFacts, final: Block): Promise<Block> {
  const other = new VerificationError(
    'NOT_CANONICAL',
    `block ${number} of the chain is another than the proof names`,
  )
  if (number > final.number) {
    const named = await chain.blockByHash(hash)
    throw named === undefined || named.number === number ? notFinal(number, final.number) : other
  }
  const block = await chain.blockByNumber(number)
  if (block === undefined) {
    throw new OperationError('RPC_REFUSED', `the node does not have block ${number}; ask another`)
  }
  if (block.hash !== hash) throw other
  return block
}

/** A time ahead of the chain is its source's mistake or its trick: what comes before it may be still to come. */
const notYetSaid = (time: bigint, { number, timestamp }: Block) =>
  new OperationError(
    'NOT_FINAL',
    `the call is of second ${time}, and final block ${number} of second ${timestamp}: nobody can tell yet whether the grant will have been withdrawn by then`,
  )

const withdrawal = (at: bigint) =>
  at === 0n ? 'the grant was not withdrawn' : `the grant was withdrawn at second ${at}`
