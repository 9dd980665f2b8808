import { concatBytes, utf8 } from '../bytes/bytes.ts'
import { fromHex, type Hex, toHex } from '../bytes/hex.ts'
import { sha256 } from '../bytes/sha256.ts'
import { addressWord, type TypedDomain, typedDigest, uintWord } from '../bytes/typed-data.ts'
import type { FlowRecord } from './parse.ts'

/** What a person concerned allows (docs/format.md, "Grant"); times in seconds since 1970, both included. */
export interface Grant {
  /** whoever signs, 20 bytes */
  subject: Hex
  /** names by `nameId` */
  consumer: Hex
  resource: Hex
  purpose: Hex
  notBefore: bigint
  notAfter: bigint
  /** 0: any number */
  maxCalls: number
  nonce: bigint
}

export const GRANT_TYPE =
  'Grant(address subject,bytes32 consumer,bytes32 resource,bytes32 purpose,uint64 notBefore,uint64 notAfter,uint32 maxCalls,uint256 nonce)'

/** A grant's id: its EIP-712 digest, on the chain and off it. */
export const grantId = (domain: TypedDomain, grant: Grant): Hex =>
  toHex(typedDigest(domain, GRANT_TYPE, grantWords(grant)))

/** The words of a grant, as `encodeData` of EIP-712 has them after the type's hash. */
export const grantWords = (grant: Grant): Uint8Array[] => [
  addressWord(grant.subject),
  fromHex(grant.consumer),
  fromHex(grant.resource),
  fromHex(grant.purpose),
  uintWord(grant.notBefore),
  uintWord(grant.notAfter),
  uintWord(BigInt(grant.maxCalls)),
  uintWord(grant.nonce),
]

const WORD = 32

/** The eight words of a grant together, 256 bytes, as the contract's ABI has them. */
export const encodeGrant = (grant: Grant): Uint8Array => concatBytes(...grantWords(grant))

/** @param bytes of `encodeGrant` */
export function decodeGrant(bytes: Uint8Array): Grant {
  const hex = (word: number, skip = 0): Hex => toHex(bytes.subarray(word * WORD + skip, (word + 1) * WORD))
  return {
    subject: hex(0, 12),
    consumer: hex(1),
    resource: hex(2),
    purpose: hex(3),
    notBefore: BigInt(hex(4)),
    notAfter: BigInt(hex(5)),
    maxCalls: Number(hex(6)),
    nonce: BigInt(hex(7)),
  }
}

/** How grants and the registry spell the name of a consumer, a resource or a purpose. */
export const nameId = (name: string): Hex => toHex(sha256(utf8(name)))

/** A grant as it travels, and the id and signature that came with it, of which nothing is checked. */
export interface GivenGrant {
  id: Hex
  grant: Grant
  signature: Hex
}

/** @param record of type `tidemark.authorization.v1`, parsed */
export function givenGrant({ data }: FlowRecord): GivenGrant {
  // The schema of the type has checked it.
  const { authorization, grant, signature } = data as unknown as {
    authorization: Hex
    grant: Omit<Grant, 'notBefore' | 'notAfter' | 'nonce'> & {
      notBefore: number
      notAfter: number
      nonce: string
    }
    signature: Hex
  }
  return {
    id: authorization,
    grant: {
      ...grant,
      notBefore: BigInt(grant.notBefore),
      notAfter: BigInt(grant.notAfter),
      nonce: BigInt(grant.nonce),
    },
    signature,
  }
}
