import { AbiCoder, type LogDescription, Result } from 'ethers'
import { fromHex, type Hex } from '../bytes/hex.ts'
import { OperationError } from '../errors.ts'
import { BREAKER_KINDS, type Grant, REASONS, type Reason, SHARINGS } from '../record/index.ts'
import type { ReceiptLog } from '../verify/chain-facts.ts'
import type { BreakerTarget, ResourceEntry } from './registry.ts'
import { authorizationsInterface, registryInterface } from './rights-abi.ts'

/** What the registry and the authorisations announce (docs/format.md, "Events"); times in seconds. */
export type RightsEvent =
  | { name: 'SourceAdded'; source: Hex; uri: string }
  | { name: 'KeyAdded'; source: Hex; key: Hex; from: bigint; until: bigint }
  | { name: 'KeyEnded'; source: Hex; key: Hex }
  | { name: 'ResourceSet'; resource: Hex; resourceName: string; entry: ResourceEntry }
  | { name: 'Tripped' | 'Reset'; target: BreakerTarget; by: Hex; reason: string }
  | { name: 'Granted'; grantId: Hex; grant: Grant }
  | { name: 'Revoked' | 'Paused' | 'Resumed'; grantId: Hex; subject: Hex }
  | {
      name: 'Requested'
      grantId: Hex
      consumer: Hex
      resource: Hex
      purpose: Hex
      key: Hex
      reason: Reason
    }

/**
 * The event in a log of one of the two contracts; undefined for those that say nothing of rights, such as of roles.
 *
 * @throws {OperationError} `RPC_MALFORMED` if neither contract can emit it
 */
export function decodeRightsEvent(
  { topics, data }: Pick<ReceiptLog, 'topics' | 'data'>,
  contract: 'registry' | 'authorizations',
): RightsEvent | undefined {
  const abi = contract === 'registry' ? registryInterface : authorizationsInterface
  try {
    const log = abi.parseLog({ topics, data })
    return log === null ? undefined : toEvent(log, textsOf(log, data))
  } catch (cause) {
    throw new OperationError('RPC_MALFORMED', `the node's log is none of the ${contract}`, { cause })
  }
}

function toEvent({ name, args }: LogDescription, text: (member: string) => string): RightsEvent {
  const hex = (member: string): Hex => String(args[member]).toLowerCase() as Hex // decoded as bytes or an address
  switch (name) {
    case 'SourceAdded':
      return { name, source: hex('source'), uri: text('uri') }
    case 'KeyAdded':
      return { name, source: hex('source'), key: hex('key'), from: args.from, until: args.until }
    case 'KeyEnded':
      return { name, source: hex('source'), key: hex('key') }
    case 'ResourceSet':
      return {
        name,
        resource: hex('resource'),
        resourceName: text('name'),
        entry: {
          version: Number(args.version),
          owner: hex('owner'),
          sharing: known(SHARINGS, args.sharing),
          level: Number(args.level),
          digest: hex('digest'),
        },
      }
    case 'Tripped':
    case 'Reset':
      return {
        name,
        target: { kind: known(BREAKER_KINDS, args.kind), id: hex('id') },
        by: hex(name === 'Tripped' ? 'guardian' : 'registrar'),
        reason: text('reason'),
      }
    case 'Granted':
      return { name, grantId: hex('grantId'), grant: toGrant(args.grant) }
    case 'Revoked':
    case 'Paused':
    case 'Resumed':
      return { name, grantId: hex('grantId'), subject: hex('subject') }
    case 'Requested':
      return {
        name,
        grantId: hex('grantId'),
        consumer: hex('consumer'),
        resource: hex('resource'),
        purpose: hex('purpose'),
        key: hex('key'),
        reason: known(REASONS, args.reason),
      }
    default:
      throw new Error(`an event ${name} that nobody reads`)
  }
}

/**
 * The texts of an event by their names. The contracts take any bytes for a text: what is not UTF-8 must not keep anybody
 * from seeing that a breaker was tripped.
 */
function textsOf({ fragment }: LogDescription, data: Hex): (member: string) => string {
  const members = fragment.inputs.filter(({ indexed }) => indexed !== true)
  const types = members.map((member) => (member.type === 'string' ? 'bytes' : member.format('full')))
  const values = AbiCoder.defaultAbiCoder().decode(types, data)
  return (member) => utf8.decode(fromHex(String(values[members.findIndex(({ name }) => name === member)])))
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

function toGrant(value: unknown): Grant {
  if (!(value instanceof Result)) throw new Error('a grant is a tuple')
  const { subject, consumer, resource, purpose, notBefore, notAfter, maxCalls, nonce } = value.toObject()
  return {
    subject: String(subject).toLowerCase() as Hex, // an address
    consumer,
    resource,
    purpose,
    notBefore,
    notAfter,
    maxCalls: Number(maxCalls),
    nonce,
  }
}

function known<Word>(words: readonly Word[], code: unknown): Word {
  const word = words[Number(code)]
  if (word === undefined) throw new Error(`code ${code} is not known`)
  return word
}
