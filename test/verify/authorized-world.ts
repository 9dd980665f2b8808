import type { Hex } from '../../src/bytes/hex.ts'
import { devWallet } from '../../src/chain/dev-accounts.ts'
import { recoverGrantSigner, signGrant } from '../../src/chain/signing.ts'
import { OperationError, VerificationError } from '../../src/errors.ts'
import { inclusionPath } from '../../src/merkle/index.ts'
import { type Authorization, type JsonProof, type Place, toJsonProof } from '../../src/proof/index.ts'
import {
  encodeGranted,
  encodeResourceSet,
  type Grant,
  grantId,
  leafHash,
  nameId,
  parseRecord,
  sealRecord,
} from '../../src/record/index.ts'
import type { RightsFacts } from '../../src/verify/index.ts'
import { batchOf } from '../batch/items.ts'
import { exampleOf, type Json } from '../record/examples.ts'
import { CHAIN_ID, type ChainData, LEDGER, mine } from './chain.ts'

export const AUTHORIZATIONS: Hex = `0x${'a0'.repeat(20)}`
export const REGISTRY: Hex = `0x${'4e'.repeat(20)}`
const ACCOUNT: Hex = `0x${'ac'.repeat(20)}`

/** What the two contracts and accounts with code answer at the final block. Also the form of the vectors. */
export interface RightsData {
  registries: { authorizations: Hex; registry: Hex }[]
  resources: { registry: Hex; resource: Hex; version: number; sets: JsonPlaceOf[] }[]
  revocations: { authorizations: Hex; grant: Hex; revokedAt: string }[]
  accounts: { account: Hex; digest: Hex; signature: Hex }[]
}
type JsonPlaceOf = Omit<Place, 'blockNumber'> & { version: number; blockNumber: string }

/** Answers out of data, about the final block alone. */
export function rightsOf(data: RightsData, chain: ChainData): RightsFacts {
  const final = chain.blocks.find(({ number }) => number === chain.finalBlock)?.hash
  const expectFinal = (at: Hex) => {
    if (at !== final) throw new OperationError('RPC_REFUSED', `the state at ${at} is gone`)
  }
  return {
    grantSigner(domain, grant, signature) {
      try {
        return recoverGrantSigner(domain, grant, signature)
      } catch (error) {
        if (error instanceof VerificationError) return undefined
        throw error
      }
    },
    async isValidSignature(account, digest, signature, at) {
      expectFinal(at)
      return data.accounts.some(
        (known) => known.account === account && known.digest === digest && known.signature === signature,
      )
    },
    async registryOf(authorizations, at) {
      expectFinal(at)
      const found = data.registries.find((known) => known.authorizations === authorizations)
      if (found !== undefined) return found.registry
      throw new OperationError('CHAIN_FAILED', `there is no contract at ${authorizations}`)
    },
    async resourceVersion(registry, resource, at) {
      expectFinal(at)
      return resourceOf(registry, resource)?.version ?? 0
    },
    async findResourceSet(registry, resource, version) {
      const found = resourceOf(registry, resource)?.sets.find((set) => set.version === version)
      if (found === undefined) throw new OperationError('RPC_MALFORMED', 'the node has no such event')
      const { version: _, ...place } = found
      return { ...place, blockNumber: BigInt(place.blockNumber) }
    },
    async revokedAt(authorizations, grant, at) {
      expectFinal(at)
      const found = data.revocations.find(
        (known) => known.authorizations === authorizations && known.grant === grant,
      )
      return BigInt(found?.revokedAt ?? 0)
    },
  }

  function resourceOf(registry: Hex, resource: Hex) {
    return data.resources.find((known) => known.registry === registry && known.resource === resource)
  }
}

/** Seconds since 1970 of block n. */
export const timeOfBlock = (number: number) => 1_790_000_000 + 12 * number

const subject = devWallet('publisher', CHAIN_ID)
const SUBJECT = subject.address.toLowerCase() as Hex // an ethers address in lowercase

export interface AuthorizedOptions {
  /** of the call, milliseconds since 1970; in block 3, if left out, in which version 1 of the resource is in force */
  callMs?: number
  /** members of the call; one that is undefined is left out */
  call?: Json
  grant?: Partial<Grant>
  /** how the subject agrees; `given`: the contract took the grant in block 2 */
  consent?: 'key' | 'account' | 'given'
  sharing?: 'conditional' | 'unconditional' | 'prohibited'
  /** blocks in which versions 1, 2, … of the resource are registered */
  sets?: number[]
  /** the version that the proof shows, and whether it names the next one */
  version?: number
  showNext?: boolean
  /** seconds since 1970 */
  revokedAt?: number
  /** what the proof says, and of which block */
  claim?: { revokedAt: number; block: number }
}

/**
 * A call under a grant, anchored in block 5 of a chain whose blocks up to 6 are final, and its proof.
 *
 * The version of the resource that is in force is registered in block 1.
 */
export async function authorizedWorld(options: AuthorizedOptions = {}) {
  const { callMs = 1_000 * timeOfBlock(3) + 250, consent = 'key', sharing = 'conditional' } = options
  const { sets = [1], version = 1, showNext = false, revokedAt = 0, claim } = options
  const example = exampleOf('tidemark.call.v1')
  const names = { consumer: 'urn:example:tax', purpose: 'school enrolment', name: 'urn:example:civil:births' }
  const grant: Grant = {
    subject: consent === 'account' ? ACCOUNT : SUBJECT,
    consumer: nameId(names.consumer),
    resource: nameId(names.name),
    purpose: nameId(names.purpose),
    notBefore: BigInt(timeOfBlock(0)),
    notAfter: BigInt(timeOfBlock(0) + 86_400),
    maxCalls: 12,
    nonce: 7n,
    ...options.grant,
  }
  const domain = { chainId: CHAIN_ID, contract: AUTHORIZATIONS }
  const id = grantId(domain, grant)
  const data = {
    ...example.data,
    consumer: names.consumer,
    provider: 'urn:example:civil',
    purpose: names.purpose,
    sharing,
    level: '3',
    authorization: id,
    ...options.call,
  }
  const time = new Date(callMs).toISOString()
  const beat = exampleOf('tidemark.heartbeat.v1')
  let salts = 0
  const sealed = [
    { ...beat, source: names.consumer, id: 'beat-1', time },
    { ...example, source: names.consumer, id: 'call-1', time, subject: names.name, data },
    { ...beat, source: names.consumer, id: 'beat-2', time },
  ].map((event) =>
    sealRecord(parseRecord(JSON.parse(JSON.stringify(event))), () => new Uint8Array(16).fill(++salts)),
  )
  const items = sealed.map(({ record, disclosures }) => ({ record, disclosures }))
  const { header } = batchOf({
    source: names.consumer,
    sequence: 0n,
    receivedAt: callMs,
    signature: null,
    items,
    vault: sealed.map(({ vault }) => vault),
  })
  const { data: chain, log, places } = mine([[], [], [], [], [[header]], []])

  const addEvent = (block: number, address: Hex, event: { topics: Hex[]; data: Hex }): Place => {
    const held = chain.blocks[block]
    if (held === undefined) throw new RangeError(`no block ${block}`)
    const logIndex = 2 * held.transactionHashes.length + 1
    const hex = `${block.toString(16)}${held.transactionHashes.length.toString(16)}`
    const transactionHash: Hex = `0x${hex.padStart(64, 'e')}`
    held.transactionHashes.push(transactionHash)
    const logs = [{ address, topics: [], data: '0x' as const, logIndex: logIndex - 1 }]
    chain.receipts.push({
      transactionHash,
      blockNumber: held.number,
      blockHash: held.hash,
      succeeded: true,
      logs: [...logs, { address, ...event, logIndex }],
    })
    return { blockNumber: BigInt(block), blockHash: held.hash, transactionHash, logIndex }
  }
  const entry = { owner: nameId('urn:example:civil'), sharing, level: 3, digest: nameId('entry') }
  const set = sets.map((block, i) =>
    addEvent(block, REGISTRY, encodeResourceSet({ ...entry, name: names.name, version: i + 1 })),
  )
  const given = consent === 'given' ? addEvent(2, AUTHORIZATIONS, encodeGranted(id, grant)) : undefined
  const signature = await signGrant(subject, domain, grant)
  const [shown, next] = [set[version - 1], set[version]]
  if (shown === undefined) throw new RangeError(`no version ${version}`)
  const claimed = chain.blocks[claim?.block ?? 6]
  const authorization: Authorization = {
    contract: AUTHORIZATIONS,
    grant,
    consent: given === undefined ? { signature } : { given },
    resource: {
      registry: REGISTRY,
      version,
      ...entry,
      set: shown,
      ...(showNext && next !== undefined && { next }),
    },
    revocation: {
      revokedAt: BigInt(claim?.revokedAt ?? revokedAt),
      blockNumber: BigInt(claimed?.number ?? 0),
      blockHash: claimed?.hash ?? `0x${'00'.repeat(32)}`,
    },
  }
  const rights: RightsData = {
    registries: [{ authorizations: AUTHORIZATIONS, registry: REGISTRY }],
    resources: [
      {
        registry: REGISTRY,
        resource: nameId(names.name),
        version: sets.length,
        sets: set.map((place, i) => ({ version: i + 1, ...place, blockNumber: String(place.blockNumber) })),
      },
    ],
    revocations:
      revokedAt === 0 ? [] : [{ authorizations: AUTHORIZATIONS, grant: id, revokedAt: String(revokedAt) }],
    accounts: consent === 'account' ? [{ account: ACCOUNT, digest: id, signature }] : [],
  }
  const [place] = places
  const [, call] = items
  if (place === undefined || call === undefined) throw new Error('the call is in the chain')
  const { index, size, ...anchor } = place
  const made = toJsonProof({
    ...call,
    inclusion: {
      index: 1,
      path: inclusionPath(
        items.map(({ record }) => leafHash(record)),
        1,
      ),
    },
    header,
    log: { index, size, path: log.inclusionPath(index, size) },
    anchor: { chainId: CHAIN_ID, ledger: LEDGER, ...anchor },
    authorization,
  })
  /** Fresh at every call. */
  const proof = (): JsonProof => structuredClone(made)
  return { proof, chain, rights, grant, id }
}
