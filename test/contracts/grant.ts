import { type TypedDataDomain, TypedDataEncoder, type Wallet } from 'ethers'

/** The tuple that IAuthorizations.Grant is. */
export type Grant = {
  subject: string
  consumer: string
  resource: string
  purpose: string
  notBefore: bigint
  notAfter: bigint
  maxCalls: bigint
  nonce: bigint
}

export const GRANT_TYPES = {
  Grant: [
    { name: 'subject', type: 'address' },
    { name: 'consumer', type: 'bytes32' },
    { name: 'resource', type: 'bytes32' },
    { name: 'purpose', type: 'bytes32' },
    { name: 'notBefore', type: 'uint64' },
    { name: 'notAfter', type: 'uint64' },
    { name: 'maxCalls', type: 'uint32' },
    { name: 'nonce', type: 'uint256' },
  ],
}

export const REVOKE_TYPES = {
  Revoke: [
    { name: 'grant', type: 'bytes32' },
    { name: 'deadline', type: 'uint64' },
  ],
}

export const domainOf = (chainId: bigint, verifyingContract: string): TypedDataDomain => ({
  name: 'Tidemark',
  version: '1',
  chainId,
  verifyingContract,
})

type Signer = Pick<Wallet, 'signTypedData'>

/** A grant's id, by ethers. */
export const idOf = (domain: TypedDataDomain, grant: Grant): string =>
  TypedDataEncoder.hash(domain, GRANT_TYPES, grant)

export const signGrant = (who: Signer, domain: TypedDataDomain, grant: Grant): Promise<string> =>
  who.signTypedData(domain, GRANT_TYPES, grant)

export const signRevoke = (
  who: Signer,
  domain: TypedDataDomain,
  grant: string,
  deadline: bigint,
): Promise<string> => who.signTypedData(domain, REVOKE_TYPES, { grant, deadline })
