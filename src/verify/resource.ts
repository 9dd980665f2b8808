import type { Hex } from '../bytes/hex.ts'
import { OperationError, VerificationError } from '../errors.ts'
import type { Authorization, ResourceVersion } from '../proof/index.ts'
import { encodeResourceSet, type FlowRecord, nameId, resourceSetTopics } from '../record/index.ts'
import type { Trust } from './anchor.ts'
import { eventAt, sameEvent } from './final-receipt.ts'
import type { Asked } from './rights-facts.ts'

/** The registry of these authorisations had this entry at the time of the call, and it lets the call be granted. */
export async function verifyResource(
  { data, subject: name = '' }: FlowRecord,
  { contract, resource }: Authorization,
  { chain, rights, final, time }: Asked,
  trust: Trust,
): Promise<{ registeredAt: bigint; replacedAt?: bigint }> {
  const { registry, version, sharing, level, owner, set } = resource
  if (trust.registry !== undefined && trust.registry !== registry) {
    throw new VerificationError(
      'WRONG_REGISTRY',
      `the proof names registry ${registry}, not ${trust.registry}`,
    )
  }
  const actual = await rights.registryOf(contract, final.hash)
  if (actual !== registry) {
    throw new VerificationError('WRONG_REGISTRY', `the authorisations rest on registry ${actual}`)
  }
  const { log, block } = await eventAt(set, registry, chain, final)
  const expected = encodeResourceSet({ ...resource, name })
  if (!sameEvent(log, expected)) {
    throw new VerificationError(
      'RESOURCE_MISMATCH',
      `the event of the registry is not of this version of ${name}`,
    )
  }
  const registeredAt = block.timestamp
  const replacedAt = await nextSetAt(nameId(name), resource, { chain, rights, final })
  if (time < registeredAt || (replacedAt !== undefined && time >= replacedAt)) {
    throw new VerificationError(
      'NOT_IN_FORCE',
      `the call is of second ${time}, version ${version} of the resource was in force from ${registeredAt}${replacedAt === undefined ? '' : ` until ${replacedAt}`}`,
    )
  }
  if (sharing === 'prohibited') {
    throw new VerificationError('PROHIBITED', 'the resource was not to be shared at all')
  }
  if (owner !== nameId(String(data.provider))) {
    throw new VerificationError('RESOURCE_MISMATCH', `the resource is not ${data.provider}'s`)
  }
  if ((data.sharing ?? sharing) !== sharing || (data.level ?? String(level)) !== String(level)) {
    throw new VerificationError(
      'RESOURCE_MISMATCH',
      `the call states another way of sharing or level than the registry: ${sharing}, ${level}`,
    )
  }
  return { registeredAt, ...(replacedAt !== undefined && { replacedAt }) }
}

/** When the next version was registered; undefined when there is none up to the final block. */
async function nextSetAt(
  id: Hex,
  { registry, version, next }: ResourceVersion,
  { chain, rights, final }: Omit<Asked, 'time'>,
): Promise<bigint | undefined> {
  let place = next
  if (place === undefined) {
    const current = await rights.resourceVersion(registry, id, final.hash)
    if (current < version) {
      throw new OperationError(
        'RPC_MALFORMED',
        `the node has the event of version ${version} of the resource, and says that ${current} is the last`,
      )
    }
    if (current === version) return undefined
    // Registered after the proof was made, perhaps long after the call.
    place = await rights.findResourceSet(registry, id, version + 1, final.number)
  }
  const { log, block } = await eventAt(place, registry, chain, final)
  const topics = resourceSetTopics(id, version + 1)
  if (topics.every((topic, i) => log.topics[i] === topic)) return block.timestamp
  throw new VerificationError(
    'RESOURCE_MISMATCH',
    `the event of the registry is not of version ${version + 1} of the resource`,
  )
}
