import { type JsonProof, type Trust, toJsonGrant, verifyProof } from '../src/index.ts'
import {
  AUTHORIZATIONS,
  type AuthorizedOptions,
  authorizedWorld,
  REGISTRY,
  type RightsData,
  rightsOf,
  timeOfBlock,
} from '../test/verify/authorized-world.ts'
import { type ChainData, factsOf } from '../test/verify/chain.ts'
import { add, remove, replace } from './vectors-patch.ts'
import { type Altered, toJsonAltered } from './vectors-receipt.ts'

export interface AuthorizedSubject {
  proof: JsonProof
  chain: ChainData
  rights: RightsData
  trust: Trust
}

const bytes = (size: number) => `0x${'77'.repeat(size)}`

const GOOD: readonly (readonly [name: string, options: AuthorizedOptions])[] = [
  ['signed by the subject, and never withdrawn', {}],
  ['signed by an account with code', { consent: 'account' }],
  ['given to the contract before the call', { consent: 'given' }],
  ['withdrawn since, as the proof says', { revokedAt: timeOfBlock(5) }],
  ['withdrawn after the proof was made', { revokedAt: timeOfBlock(5), claim: { revokedAt: 0, block: 4 } }],
  ['under a version that was replaced since, as the proof says', { sets: [1, 4], showNext: true }],
  ['under a version that was replaced after the proof was made', { sets: [1, 4] }],
  ['of a resource that needs no consent', { sharing: 'unconditional' }],
]

const BASE: AuthorizedOptions = { sets: [1, 4], showNext: true }

/** Every one of them is the first proof below, of a call in the second that begins with block 3. */
const altered = (id: string): Altered => {
  const member = (name: string) => `/proof/authorization/${name}`
  const revoked = (at: number) =>
    add('/rights/revocations/0', { authorizations: AUTHORIZATIONS, grant: id, revokedAt: String(at) })
  return [
    ['InputError', 'BAD_BUNDLE', 'an unknown format', replace('/proof/format', 'tidemark-proof/3')],
    [
      'read',
      'MALFORMED_BUNDLE',
      'the format without an authorisation',
      replace('/proof/format', 'tidemark-proof/1'),
    ],
    ['read', 'MALFORMED_BUNDLE', 'no authorisation', remove('/proof/authorization')],
    ['read', 'MALFORMED_BUNDLE', 'neither signature nor event', remove(member('signature'))],
    ['read', 'MALFORMED_BUNDLE', 'an empty signature', replace(member('signature'), '0x')],
    ['read', 'MALFORMED_BUNDLE', 'a number for a uint64', replace(member('grant/notAfter'), 1790086400)],
    ['read', 'MALFORMED_BUNDLE', 'a nonce of 257 bits', replace(member('grant/nonce'), String(2n ** 256n))],
    ['read', 'MALFORMED_BUNDLE', 'a level above 255', replace(member('resource/level'), 256)],
    ['read', 'MALFORMED_BUNDLE', 'an unknown way of sharing', replace(member('resource/sharing'), 'none')],
    ['record', 'BAD_DISCLOSURE', 'a foreign disclosure', add('/proof/disclosures/0', 'WyJ4Il0')],
    ['batch', 'ROOT_MISMATCH', 'another call', replace('/proof/record/data/rows', 2)],
    ['batch', 'ROOT_MISMATCH', 'another inclusion path', replace('/proof/inclusion/path/0', bytes(32))],
    ['anchor', 'HEADER_MISMATCH', 'another header', replace('/proof/batch/indexRoot', bytes(32))],
    ['anchor', 'NOT_ANCHORED', 'another anchor', replace('/proof/anchor/logIndex', 99)],
    ['log', 'HEADER_MISMATCH', 'another size of the log', replace('/proof/log/size', '2')],
    [
      'grant',
      'WRONG_AUTHORIZATIONS',
      'a verifier who trusts another contract',
      add('/trust/authorizations', bytes(20)),
    ],
    ['grant', 'WRONG_GRANT', 'another contract', replace(member('contract'), bytes(20))],
    ['grant', 'WRONG_GRANT', 'other terms', replace(member('grant/maxCalls'), 0)],
    ['grant', 'WRONG_GRANT', 'another subject', replace(member('grant/subject'), bytes(20))],
    ['signature', 'BAD_SIGNATURE', 'another signature', replace(member('signature'), bytes(65))],
    ['registry', 'WRONG_REGISTRY', 'another registry', replace(member('resource/registry'), bytes(20))],
    [
      'registry',
      'WRONG_REGISTRY',
      'a contract of another registry',
      replace('/rights/registries/0/registry', bytes(20)),
    ],
    ['registry', 'RESOURCE_MISMATCH', 'another level', replace(member('resource/level'), 4)],
    ['registry', 'RESOURCE_MISMATCH', 'another owner', replace(member('resource/owner'), bytes(32))],
    ['registry', 'RESOURCE_MISMATCH', 'another digest', replace(member('resource/digest'), bytes(32))],
    ['registry', 'RESOURCE_MISMATCH', 'another version', replace(member('resource/version'), 2)],
    [
      'registry',
      'RESOURCE_MISMATCH',
      'another way of sharing',
      replace(member('resource/sharing'), 'prohibited'),
    ],
    [
      'registry',
      'RESOURCE_MISMATCH',
      'another event of the registry',
      replace(member('resource/set/logIndex'), 0),
    ],
    ['registry', 'NOT_ANCHORED', 'an event that is not there', replace(member('resource/set/logIndex'), 99)],
    [
      'registry',
      'NOT_CANONICAL',
      'another block of the event',
      replace(member('resource/set/blockHash'), bytes(32)),
    ],
    [
      'registry',
      'NOT_ANCHORED',
      'an event of another contract',
      replace('/chain/receipts/1/logs/1/address', bytes(20)),
    ],
    [
      'registry',
      'NOT_IN_FORCE',
      'a version that was replaced before the call',
      replace('/chain/blocks/4/timestamp', String(timeOfBlock(3))),
    ],
    [
      'registry',
      'NOT_IN_FORCE',
      'a version that was registered after the call',
      replace('/chain/blocks/1/timestamp', String(timeOfBlock(3) + 1)),
    ],
    [
      'revocation',
      'FALSE_REVOCATION',
      'a withdrawal that never was',
      replace(member('revocation/revokedAt'), String(timeOfBlock(4))),
    ],
    ['revocation', 'FALSE_REVOCATION', 'a withdrawal that the proof denies', revoked(timeOfBlock(4))],
    ['revocation', 'NOT_CANONICAL', 'a block of nowhere', replace(member('revocation/blockHash'), bytes(32))],
    [
      'revocation',
      'REVOKED',
      'a withdrawal in the second of the call',
      revoked(timeOfBlock(3)),
      replace(member('revocation/revokedAt'), String(timeOfBlock(3))),
    ],
    [
      'OperationError',
      'NOT_FINAL',
      'a chain whose final block is older than what the proof says',
      replace('/chain/finalBlock', '5'),
    ],
    ['OperationError', 'CHAIN_FAILED', 'a chain without the contract', replace('/rights/registries', [])],
    [
      'OperationError',
      'RPC_MALFORMED',
      'a registry that has fewer versions than its events',
      remove(member('resource/next')),
      replace('/rights/resources/0/version', 0),
    ],
  ]
}

const toJson = (value: unknown) =>
  JSON.parse(JSON.stringify(value, (_, member) => (typeof member === 'bigint' ? String(member) : member)))

export async function authorizedVectors() {
  const good = await Promise.all(
    GOOD.map(async ([name, options]) => {
      const { proof, chain, rights } = await authorizedWorld(options)
      const { authorization } = await verifyProof(proof(), factsOf(chain), {}, rightsOf(rights, chain))
      if (authorization === undefined) throw new Error('the proof shows it')
      const { grant, ...shown } = authorization
      return {
        name,
        proof: proof(),
        chain,
        rights,
        verified: toJson({ grant: toJsonGrant(grant), ...shown }),
      }
    }),
  )
  const { proof, chain, rights, id } = await authorizedWorld(BASE)
  return {
    about:
      'Sections 12.4 and 13.5: proofs of authorised calls, all that a verifier may ask of the chain, and of the contracts at its final block, where accounts lists what accounts with code say they signed. Each of the altered ones applies its patches (RFC 6902) to { proof, chain, rights, trust }, and must be refused at the step and with the code. The subject is a well-known development account.',
    registry: REGISTRY,
    authorizations: AUTHORIZATIONS,
    good,
    proof: proof(),
    chain,
    rights,
    trust: {},
    altered: toJsonAltered(altered(id)),
  }
}
