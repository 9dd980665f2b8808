/**
 * The three families of error. Match on `code`, never on the message.
 *
 * - `InputError`: the caller's fault; say where and what to do.
 * - `VerificationError`: a claim is false; retrying never helps.
 * - `OperationError`: the world failed; `retryable` says whether trying again can help.
 */

export type InputCode =
  | 'BAD_ARGUMENT'
  | 'BAD_BODY'
  | 'BAD_JSON'
  | 'BAD_RECORD'
  | 'BAD_DISCLOSURE'
  | 'BAD_BUNDLE'
  | 'BAD_CONFIG'
  | 'EMPTY_SUBMISSION'
  | 'MIXED_SOURCES'
  | 'DUPLICATE_ID'
  | 'SEQUENCE_CONFLICT'
  | 'SEQUENCE_GAP'
  | 'TOO_LARGE'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'NOT_FOUND'
  | 'NOT_READY'
  | 'NOT_ANCHORED'
  | 'HISTORY_INCOMPLETE'
  | 'UNKNOWN_SOURCE'
  | 'BAD_SIGNATURE'
  | 'ROOT_MISMATCH'
  | 'WRONG_KEY'
  | 'NO_CREDENTIALS'
  | 'BAD_TOKEN'
  | 'WRONG_SOURCE'
  | 'WRONG_ROLE'
  | 'NO_BATCH_FILES'
  | 'NO_EVIDENCE'
  | 'NO_RIGHTS'
  | 'BAD_RANGE'
  | 'PRECONDITION_FAILED'
  | 'ALERT_CLOSED'

export type VerificationCode =
  | 'MALFORMED_PATH'
  | 'INDEX_OUT_OF_RANGE'
  | 'ROOT_MISMATCH'
  | 'MALFORMED_BUNDLE'
  | 'MALFORMED_RECORD'
  | 'BAD_DISCLOSURE'
  | 'MALFORMED_HEADER'
  | 'MALFORMED_INDEX'
  | 'BATCH_MISMATCH'
  | 'WRONG_CHAIN'
  | 'WRONG_LEDGER'
  | 'NOT_CANONICAL'
  | 'NOT_ANCHORED'
  | 'HEADER_MISMATCH'
  | 'BAD_SIGNATURE'
  | 'BAD_RECEIPT'
  | 'WRONG_PUBLISHER'
  | 'PROMISE_BROKEN'
  | 'MISSING_BATCH'
  | 'MISSING_BUCKET'
  | 'MISSING_RECORD'
  | 'FOREIGN_RECORD'
  | 'WRONG_AUTHORIZATIONS'
  | 'WRONG_GRANT'
  | 'NOT_GRANTED'
  | 'NOT_IN_FORCE'
  | 'WRONG_REGISTRY'
  | 'RESOURCE_MISMATCH'
  | 'PROHIBITED'
  | 'REVOKED'
  | 'FALSE_REVOCATION'
  | 'BAD_EVIDENCE'

export type OperationCode =
  | 'RPC_UNREACHABLE'
  | 'RPC_REFUSED'
  | 'RPC_LAGS'
  | 'RPC_MALFORMED'
  | 'NOT_FINAL'
  | 'NOT_YET'
  | 'STORE_FAILED'
  | 'STORE_DAMAGED'
  | 'PORT_IN_USE'
  | 'CHAIN_FAILED'
  | 'GATEWAY_UNREACHABLE'
  | 'PUBLISHER_UNREACHABLE'
  | 'STARTING'
  | 'SHUTTING_DOWN'
  | 'OVERLOADED'
  | 'CHAIN_STALLED'
  | 'NOT_IN_EVIDENCE'
  | 'BLOCK_NOT_TRUSTED'

/** Where in the caller's input a fault lies: line is one-based, pointer an RFC 6901 JSON pointer. */
export interface InputPlace {
  line?: number
  pointer?: string
}

export class InputError extends Error {
  override readonly name = 'InputError'
  readonly code: InputCode
  readonly place: InputPlace

  constructor(code: InputCode, message: string, place: InputPlace = {}, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.place = place
  }
}

export class VerificationError extends Error {
  override readonly name = 'VerificationError'
  readonly code: VerificationCode
  /** the step of a verification that refused, where there are steps */
  readonly step: string | undefined

  constructor(code: VerificationCode, message: string, options: ErrorOptions & { step?: string } = {}) {
    super(message, options)
    this.code = code
    this.step = options.step
  }
}

export class OperationError extends Error {
  override readonly name = 'OperationError'
  readonly code: OperationCode
  readonly retryable: boolean
  /** the step of a verification that could not be made; written as the error passes it */
  step: string | undefined

  constructor(code: OperationCode, message: string, options: ErrorOptions & { retryable?: boolean } = {}) {
    super(message, options)
    this.code = code
    this.retryable = options.retryable ?? true
  }
}
