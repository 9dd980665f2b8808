import { id } from 'ethers'
import { isHex } from '../bytes/hex.ts'
import { OperationError } from '../errors.ts'
import { ledgerInterface } from './ledger-abi.ts'
import { authorizationsInterface, registryInterface } from './rights-abi.ts'
import type { RpcRefusal } from './rpc.ts'

/** What a contract's error means to whoever caused it, and what to do. */
const ADVICE: Record<string, string> = {
  Registry_SourceKnown: 'the source was added before',
  Registry_SourceUnknown: 'a registrar adds the source first ("tidemark registry source add")',
  Registry_KeyZero: "the zero address is nobody's key",
  Registry_KeyKnown: 'the source has had this key before, and does not get it again: give it a new one',
  Registry_PeriodEmpty: 'the key would end before it begins: name a later end',
  Registry_KeyInvalid: 'the source does not have this key now ("tidemark registry show" says which it has)',
  Registry_SharingMissing: 'say how the resource is shared',
  Registry_TargetUnknown: 'there is no such source or resource: check its name',
  Registry_TargetTripped: 'the breaker is tripped already',
  Registry_TargetNotTripped: 'the breaker is not tripped',
  Authorizations_GrantKnown: 'the grant is on the chain already',
  Authorizations_GrantRevoked: 'the grant is revoked, for ever: its subject may sign another',
  Authorizations_GrantPaused: 'the grant is paused already',
  Authorizations_GrantNotPaused: 'the grant is not paused',
  Authorizations_NotSubject: "this is for the grant's subject alone: use the subject's key",
  Authorizations_SignatureExpired: "the signature's deadline has passed: have the subject sign again",
  Authorizations_SignatureInvalid: "the signature is not the subject's, or over something else",
  Authorizations_NotConsumer: 'this is no key of the consumer now: a registrar adds it first',
}

const ROLES: Record<string, string> = {
  [`0x${'00'.repeat(32)}`]: 'an admin (governance)',
  [id('REGISTRAR_ROLE')]: 'a registrar',
  [id('GUARDIAN_ROLE')]: 'a guardian',
}

/**
 * Turns a refused transaction into an error that a person can act on.
 *
 * `CHAIN_FAILED`, not retryable: the contract reverts, or the account cannot pay. Anything else stays as it is.
 */
export function explainRefusal(refusal: RpcRefusal): OperationError {
  const reason = decodeRevert(refusal.data)
  if (reason !== undefined) {
    return new OperationError('CHAIN_FAILED', `the contract refuses the transaction: ${reason}`, {
      cause: refusal,
      retryable: false,
    })
  }
  if (/insufficient funds|InsufficientFunds|upfront cost/i.test(refusal.rpcMessage)) {
    return new OperationError('CHAIN_FAILED', 'the account cannot pay for the transaction: add funds to it', {
      cause: refusal,
      retryable: false,
    })
  }
  return refusal
}

/** The custom error in a revert's data, with its arguments and what to do. Some nodes nest the data. */
function decodeRevert(data: unknown): string | undefined {
  const nested = typeof data === 'object' && data !== null && 'data' in data ? data.data : data
  if (!isHex(nested)) return undefined
  for (const known of [ledgerInterface, registryInterface, authorizationsInterface]) {
    const error = known.parseError(nested)
    if (error === null) continue
    const role = error.name === 'AccessControlUnauthorizedAccount' ? ROLES[String(error.args[1])] : undefined
    const advice = role === undefined ? ADVICE[error.name] : `only ${role} may do this: use the key of one`
    return `${error.name}(${error.args.join(', ')})${advice === undefined ? '' : `: ${advice}`}`
  }
  return undefined
}
