import type { TransactionRequest, TypedDataDomain, TypedDataField } from 'ethers'

/** Whoever holds a key: an ethers `Wallet`, or anything that signs alike. */
export interface Signer {
  /** 20 bytes, in any case */
  readonly address: string
  signTransaction(transaction: TransactionRequest): Promise<string>
  signTypedData(
    domain: TypedDataDomain,
    types: Record<string, TypedDataField[]>,
    value: Record<string, unknown>,
  ): Promise<string>
}
