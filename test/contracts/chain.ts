import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import {
  AbiCoder,
  type BaseContract,
  ContractFactory,
  HDNodeWallet,
  isError,
  JsonRpcProvider,
  keccak256,
  type TransactionReceipt,
  toBeHex,
  toQuantity,
} from 'ethers'
import { inject } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    /** The EVM under test; `coverage` is Hardhat's with instrumented contracts. */
    evm: 'hardhat' | 'anvil' | 'coverage'
    url: string
    artifacts: string
  }
}

export const evm = inject('evm')

export const provider = new JsonRpcProvider(inject('url'), undefined, {
  staticNetwork: true,
  pollingInterval: 20,
  cacheTimeout: -1,
  batchMaxCount: 1,
})

/** The accounts that both EVMs fund. */
const mnemonic = 'test test test test test test test test test test test junk'
export const wallet = (index: number): HDNodeWallet =>
  HDNodeWallet.fromPhrase(mnemonic, undefined, `m/44'/60'/0'/0/${index}`).connect(provider)

export async function deploy(source: string, ...args: unknown[]): Promise<BaseContract> {
  const path = join(inject('artifacts'), 'contracts', source, `${basename(source, '.sol')}.json`)
  const { abi, bytecode } = JSON.parse(readFileSync(path, 'utf8'))
  const deployed = await new ContractFactory(abi, bytecode, wallet(0)).deploy(...args)
  const transaction = deployed.deploymentTransaction()
  if (transaction === null) throw new Error(`${source} was not sent`)
  await receiptOf(transaction.hash)
  return deployed
}

/**
 * The receipt of a transaction, once it is in a block.
 *
 * ethers' `wait()` misses a block that comes between its look for the receipt and its first look at the block number,
 * and then waits for another one, which never comes here.
 */
async function receiptOf(hash: string): Promise<TransactionReceipt> {
  for (;;) {
    const receipt = await provider.getTransactionReceipt(hash)
    if (receipt !== null) return receipt
    await setTimeout(5)
  }
}

/** Writes a storage slot of a contract behind its back. */
export async function setSlot(address: string, slot: number, value: bigint): Promise<void> {
  const method = evm === 'anvil' ? 'anvil_setStorageAt' : 'hardhat_setStorageAt'
  await provider.send(method, [address, toQuantity(slot), toBeHex(value, 32)])
}

/** Puts a contract's code at another address, where nothing is stored yet. */
export async function copyCode(contract: BaseContract, address: string): Promise<BaseContract> {
  const method = evm === 'anvil' ? 'anvil_setCode' : 'hardhat_setCode'
  await provider.send(method, [address, await provider.getCode(await contract.getAddress())])
  return contract.attach(address) as BaseContract
}

/** Where Solidity keeps the value of a key in the mapping at a slot. */
export function wordAt(key: string | bigint, slot: string | bigint): string {
  return keccak256(AbiCoder.defaultAbiCoder().encode(['uint256', 'uint256'], [key, slot]))
}

/** The time of the latest block, in seconds. */
export async function now(): Promise<bigint> {
  const block = await provider.getBlock('latest')
  if (block === null) throw new Error('there is no latest block')
  return BigInt(block.timestamp)
}

/** Gives the next block a time, in seconds. */
export const setNextTime = (time: bigint) => provider.send('evm_setNextBlockTimestamp', [Number(time)])

/** Sends a transaction and waits for its receipt. */
export async function send(
  contract: BaseContract,
  method: string,
  ...args: unknown[]
): Promise<TransactionReceipt> {
  const { hash } = await contract.getFunction(method).send(...args)
  const receipt = await receiptOf(hash)
  if (receipt.status !== 1) throw new Error(`${method} reverted in its block`)
  return receipt
}

export async function call(contract: BaseContract, method: string, ...args: unknown[]) {
  return contract.getFunction(method).staticCall(...args)
}

/** A contract's events in a receipt, each as its name and arguments. */
export function eventsOf(contract: BaseContract, receipt: TransactionReceipt): unknown[][] {
  return receipt.logs.flatMap((log) => {
    const event = contract.interface.parseLog(log)
    return event === null ? [] : [[event.name, ...event.args.toArray(true)]]
  })
}

/** The custom error that a call or a transaction reverts with, as `Name(arg,…)`. */
export async function revertOf(contract: BaseContract, attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt
  } catch (error) {
    if (!isError(error, 'CALL_EXCEPTION') || error.data === null) throw error
    const parsed = contract.interface.parseError(error.data)
    if (parsed === null) throw error
    return `${parsed.name}(${parsed.args.join()})`
  }
  return 'no revert'
}
