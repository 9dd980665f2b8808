/** What a stranger needs to make and check Tidemark's trees, records and proofs; it runs in a browser as it is. */
export * from './batch/index.ts'
export { fromHex, type Hex, isHex, toHex } from './bytes/hex.ts'
export {
  type InputCode,
  InputError,
  type OperationCode,
  OperationError,
  type VerificationCode,
  VerificationError,
} from './errors.ts'
export * from './lookup/index.ts'
export * from './merkle/index.ts'
export * from './proof/index.ts'
export * from './record/index.ts'
export * from './verify/index.ts'
