import { HDNodeWallet, Wallet } from 'ethers'
import { InputError } from '../errors.ts'

/** The chain id of local development chains. */
export const LOCAL_CHAIN_ID = 31337n

/** Known to everyone: local chains give each of its accounts a balance. */
export const DEV_MNEMONIC = 'test test test test test test test test test test test junk'

/** The keys at m/44'/60'/0'/0/0 to /3. */
const DEV_KEYS = {
  /** owns and administers the local ledger */
  admin: '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
  /** publishes to the local ledger */
  publisher: '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d',
  /** trips the local breaker */
  guardian: '0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a',
  /** gives local grants */
  subject: '0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6',
}

/** @throws {InputError} `BAD_CONFIG` on any chain but a local one: elsewhere everyone could sign in our name */
export function assertLocalChain(chainId: bigint): void {
  if (chainId === LOCAL_CHAIN_ID) return
  throw new InputError(
    'BAD_CONFIG',
    `the development accounts are known to everyone and serve on chain ${LOCAL_CHAIN_ID} only, not on ${chainId}: make a key of your own with "tidemark keystore create"`,
  )
}

/** @throws {InputError} `BAD_CONFIG` on any chain but a local one */
export function devWallet(role: keyof typeof DEV_KEYS, chainId: bigint): Wallet {
  assertLocalChain(chainId)
  return new Wallet(DEV_KEYS[role])
}

/** Hardhat's node has so many accounts of this phrase, and anvil half of them. */
const DEV_ACCOUNTS = 20

/**
 * Whether the key behind an address is one of those that every development chain gives away.
 *
 * @param address 20 bytes, in any case
 */
function isDevAccount(address: string): boolean {
  const parent = HDNodeWallet.fromPhrase(DEV_MNEMONIC, '', "m/44'/60'/0'/0")
  return Array.from({ length: DEV_ACCOUNTS }, (_, i) => parent.deriveChild(i).address.toLowerCase()).includes(
    address.toLowerCase(),
  )
}

/** @throws {InputError} `BAD_CONFIG` when everyone could sign in the name of this address on this chain */
export function assertOwnKey(address: string, chainId: bigint): void {
  if (chainId !== LOCAL_CHAIN_ID && isDevAccount(address)) assertLocalChain(chainId)
}
