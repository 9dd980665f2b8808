import { concatBytes } from '../../../../bytes/bytes.ts'
import { fromHex, type Hex, isHex, toHex } from '../../../../bytes/hex.ts'
import { encodeGrant, type Grant } from '../../../../record/index.ts'

/** A wallet of the browser (EIP-1193). */
export interface Wallet {
  request(question: { method: string; params?: readonly unknown[] }): Promise<unknown>
}

/** The wallet that is there, if any. */
export function findWallet(): Wallet | undefined {
  const found: unknown = Reflect.get(globalThis, 'ethereum')
  const isWallet = typeof found === 'object' && found !== null && 'request' in found
  // EIP-1193 has it be a function; one that is not throws when it is asked.
  return isWallet ? (found as Wallet) : undefined
}

/** Why a wallet did not send what it was asked to. */
export class WalletFault extends Error {
  override readonly name = 'WalletFault'
  readonly code: 'REFUSED' | 'OTHER_ACCOUNT' | 'OTHER_CHAIN' | 'REVERTED' | 'FAILED'

  constructor(code: WalletFault['code'], detail: string) {
    super(detail)
    this.code = code
  }
}

/** Of `revoke((address,bytes32,bytes32,bytes32,uint64,uint64,uint32,uint256))`. */
const REVOKE = '0xbcea7f4d'

/** The call of the contract that revokes a grant. */
export const revokeCall = (grant: Grant): Hex => toHex(concatBytes(fromHex(REVOKE), encodeGrant(grant)))

/**
 * Has the wallet of a grant's subject revoke it.
 *
 * @returns the hash of the transaction, which may not be in a block yet
 * @throws {WalletFault}
 */
export async function sendRevocation(
  wallet: Wallet,
  { chainId, contract, grant }: { chainId: bigint; contract: Hex; grant: Grant },
): Promise<Hex> {
  const accounts = await ask(wallet, 'eth_requestAccounts')
  const from = Array.isArray(accounts)
    ? accounts.find((one) => typeof one === 'string' && one.toLowerCase() === grant.subject)
    : undefined
  if (from === undefined) throw new WalletFault('OTHER_ACCOUNT', String(accounts))
  await expectChain(wallet, chainId)
  const transaction = { from, to: contract, data: revokeCall(grant) }
  const hash = await ask(wallet, 'eth_sendTransaction', [transaction])
  if (!isHex(hash, 32)) throw new WalletFault('FAILED', `no hash of a transaction: ${hash}`)
  return hash
}

async function expectChain(wallet: Wallet, chainId: bigint): Promise<void> {
  const wanted = `0x${chainId.toString(16)}`
  if ((await ask(wallet, 'eth_chainId')) === wanted) return
  await ask(wallet, 'wallet_switchEthereumChain', [{ chainId: wanted }]).catch(() => undefined)
  const now = await ask(wallet, 'eth_chainId')
  if (now !== wanted) throw new WalletFault('OTHER_CHAIN', String(now))
}

/**
 * The block that holds a transaction, by the word of the wallet; undefined while none does.
 *
 * @throws {WalletFault}
 */
export async function blockOf(wallet: Wallet, transaction: Hex): Promise<bigint | undefined> {
  const receipt = await ask(wallet, 'eth_getTransactionReceipt', [transaction])
  if (typeof receipt !== 'object' || receipt === null) return undefined
  const { blockNumber, status } = receipt as { blockNumber?: unknown; status?: unknown }
  if (typeof blockNumber !== 'string') return undefined
  if (status !== '0x1') throw new WalletFault('REVERTED', transaction)
  return BigInt(blockNumber)
}

/** A reader who says no, by EIP-1193. */
const USER_REJECTED = 4001

async function ask(wallet: Wallet, method: string, params: readonly unknown[] = []): Promise<unknown> {
  try {
    return await wallet.request({ method, params })
  } catch (cause) {
    const { code, message } = Object(cause) as { code?: unknown; message?: unknown }
    throw new WalletFault(code === USER_REJECTED ? 'REFUSED' : 'FAILED', String(message ?? cause))
  }
}
