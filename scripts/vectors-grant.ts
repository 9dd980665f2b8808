import { AbiCoder, keccak256, sha256, TypedDataEncoder, toUtf8Bytes } from 'ethers'
import { devWallet } from '../src/chain/dev-accounts.ts'
import {
  domainOf,
  GRANT_TYPES,
  type Grant,
  idOf,
  REVOKE_TYPES,
  signGrant,
  signRevoke,
} from '../test/contracts/grant.ts'
import { CHAIN_ID } from '../test/verify/chain.ts'

const AUTHORIZATIONS = `0x${'a0'.repeat(20)}`
const REVOKED_AT_SLOT = 2

const nameId = (name: string) => sha256(toUtf8Bytes(name))

/** Grants by ethers, spelt as in a record of type `tidemark.authorization.v1`. */
export async function grantVectors() {
  const wallet = devWallet('publisher', CHAIN_ID)
  const domain = domainOf(CHAIN_ID, AUTHORIZATIONS)
  const names = ['urn:example:tax', 'urn:example:civil:births', 'school enrolment', '税务']
  const usual: Grant = {
    subject: wallet.address,
    consumer: nameId('urn:example:tax'),
    resource: nameId('urn:example:civil:births'),
    purpose: nameId('school enrolment'),
    notBefore: 1_740_960_000n,
    notAfter: 1_772_496_000n,
    maxCalls: 12n,
    nonce: 1n,
  }
  const grants: Grant[] = [
    usual,
    { ...usual, nonce: 2n },
    {
      ...usual,
      notBefore: 0n,
      notAfter: 2n ** 53n - 1n,
      maxCalls: 2n ** 32n - 1n,
      nonce: 2n ** 256n - 1n,
    },
    { ...usual, notBefore: 0n, notAfter: 0n, maxCalls: 0n, nonce: 0n },
  ]
  const deadlines = [1_772_496_000n, 0n, 2n ** 64n - 1n]
  const [first] = grants.map((grant) => idOf(domain, grant))
  if (first === undefined) throw new Error('there are grants')
  return {
    about:
      'Sections 11.4, 11.5 and 18: ids of names, grants with their ids and signatures, revocations with their digests and signatures, and where the contract keeps the time of a revocation. The subject is a well-known development account.',
    names: names.map((name) => ({ name, id: nameId(name) })),
    chainId: String(CHAIN_ID),
    authorizations: AUTHORIZATIONS,
    domainSeparator: TypedDataEncoder.hashDomain(domain),
    grants: await Promise.all(
      grants.map(async (grant) => {
        const id = idOf(domain, grant)
        const word = AbiCoder.defaultAbiCoder().encode(['bytes32', 'uint256'], [id, REVOKED_AT_SLOT])
        return {
          grant: {
            ...grant,
            subject: grant.subject.toLowerCase(),
            notBefore: Number(grant.notBefore),
            notAfter: Number(grant.notAfter),
            maxCalls: Number(grant.maxCalls),
            nonce: String(grant.nonce),
          },
          structHash: TypedDataEncoder.from(GRANT_TYPES).hash(grant),
          id,
          signature: await signGrant(wallet, domain, grant),
          revokedAtSlot: keccak256(word),
        }
      }),
    ),
    revocations: await Promise.all(
      deadlines.map(async (deadline) => ({
        grant: first,
        deadline: String(deadline),
        digest: TypedDataEncoder.hash(domain, REVOKE_TYPES, { grant: first, deadline }),
        signature: await signRevoke(wallet, domain, first, deadline),
      })),
    ),
  }
}
