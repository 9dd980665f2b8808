/** What a service needs to record what it does. */

export {
  type InputCode,
  InputError,
  type OperationCode,
  OperationError,
  type VerificationCode,
  VerificationError,
} from '../errors.ts'
export { type AuditTrailOptions, auditTrail, type CallDetails } from './audit-trail.ts'
export type { AuthorizationAnswer, AuthorizationRequest } from './authorization.ts'
export type { JsonReceipt } from './receipt.ts'
export { type Recorded, type RecordInput, Tidemark, type TidemarkOptions } from './tidemark.ts'
