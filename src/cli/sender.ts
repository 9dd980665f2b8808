import type { Command } from 'commander'
import { assertOwnKey, devWallet } from '../chain/dev-accounts.ts'
import { fetchChainId } from '../chain/facts.ts'
import { createRpc } from '../chain/rpc.ts'
import type { Signer } from '../chain/signer.ts'
import type { Sender } from '../chain/transact.ts'
import { openKeystore } from './keystore-file.ts'
import { keystoreOption, maxFeeOption, passwordOption } from './options.ts'
import { passwordOf, readPassword } from './password.ts'

/** Who signs, as commands are told. */
export interface SignerOptions {
  keystore?: string
  passwordFile?: string
}

export interface SenderOptions extends SignerOptions {
  rpc: string
  maxFeeGwei?: bigint
}

/** Whose development key serves where no keystore is named. */
export type DevRole = Parameters<typeof devWallet>[0]

export const withSigner = (command: Command, keystore = keystoreOption()) =>
  command.addOption(keystore).addOption(passwordOption())

export const withSender = (command: Command, keystore = keystoreOption()) =>
  withSigner(command, keystore).addOption(maxFeeOption())

/** @throws {InputError} `BAD_CONFIG` when there is no key, or everyone has it */
export async function openSigner(
  { keystore, passwordFile }: SignerOptions,
  role: DevRole,
  chainId: bigint,
): Promise<Signer> {
  if (keystore === undefined) return devWallet(role, chainId)
  const password = await readPassword(passwordOf(passwordFile), 'known')
  const signer = await openKeystore(keystore, password, say)
  assertOwnKey(signer.address, chainId)
  return signer
}

/** @throws {InputError} as `openSigner` */
export async function openSender(options: SenderOptions, role: DevRole): Promise<Sender> {
  const rpc = createRpc(options.rpc)
  const signer = await openSigner(options, role, await fetchChainId(rpc))
  return { rpc, signer, ...(options.maxFeeGwei !== undefined && { maxFeePerGas: options.maxFeeGwei }) }
}

/** For whoever sits there; standard output is for scripts. */
export const say = (message: string) => void process.stderr.write(`${message}\n`)
