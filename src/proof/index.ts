export {
  type Anchor,
  type JsonProof,
  PROOF_FORMAT,
  PROOF_MEDIA_TYPE,
  type Proof,
  parseProof,
  toJsonProof,
} from './bundle.ts'
export { RECEIPT_FORMAT, type Receipt, toJsonReceipt } from './receipt.ts'
