import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, utf8 } from '../bytes/bytes.ts'
import { type Hex, toHex } from '../bytes/hex.ts'
import { addressWord, uintWord } from '../bytes/typed-data.ts'
import { OperationError } from '../errors.ts'
import { parseBytes } from './answers.ts'
import type { Rpc } from './rpc.ts'

/** Where a call looks: a tag, or the hash of a block (EIP-1898), which a node that lags cannot answer wrongly. */
export type BlockReference = 'latest' | { blockHash: Hex }

/**
 * Calls a view function and answers with the words that it returns, 32 bytes each.
 *
 * @param signature such as `publisher(address)`
 * @param args by the words of their encoding, or as `callData` takes them
 * @param wordCount of the answer, at least
 */
type ContractReader = (
  signature: string,
  args: readonly Uint8Array[],
  wordCount: number,
  at?: BlockReference,
) => Promise<Hex[]>

/**
 * Reads of one contract. Every one of them throws `OperationError` when it cannot answer.
 *
 * @param what the contract is, for people
 */
export const contractReader =
  (rpc: Rpc, address: Hex, what: string): ContractReader =>
  async (signature, args, wordCount, at = 'latest') => {
    const name = `${signature.slice(0, signature.indexOf('('))}()`
    const call = { to: address, data: callData(signature, args) }
    const answer = parseBytes(await rpc.call('eth_call', [call, at]), `answer to ${name}`)
    if (answer === '0x') {
      throw new OperationError('CHAIN_FAILED', `there is no ${what} at ${address} on this chain`, {
        retryable: false,
      })
    }
    const words = answer.slice(2).match(/.{64}/g) ?? []
    if (words.length < wordCount) {
      const owner = what === 'ledger' ? "a ledger's" : `of the ${what}`
      throw new OperationError('RPC_MALFORMED', `the answer to ${name} is not ${owner}`)
    }
    return words.map((word): Hex => `0x${word}`)
  }

/** What is sent to a contract: the function's selector and the words of its arguments. */
export const callData = (signature: string, args: readonly Uint8Array[]): Hex =>
  toHex(concatBytes(keccak_256(utf8(signature)).subarray(0, 4), ...args))

/** The words of arguments of one word each, and of a last one of any length (`bytes`). */
export function withBytes(args: readonly Uint8Array[], last: Uint8Array): Uint8Array[] {
  const padding = new Uint8Array(-last.length & 31)
  return [...args, uintWord(BigInt(32 * (args.length + 1))), uintWord(BigInt(last.length)), last, padding]
}

/** A word that holds an unsigned integer of so many bits. */
export function uintOf(word: Hex | undefined, bits: number): bigint {
  const value = word === undefined ? -1n : BigInt(word)
  if (value >= 0n && value >> BigInt(bits) === 0n) return value
  throw new OperationError('RPC_MALFORMED', `the node's integer of ${bits} bits is longer`)
}

/** A word that holds an address. */
export function addressOf(word: Hex | undefined): Hex {
  const address: Hex = `0x${word?.slice(26)}`
  if (word !== undefined && toHex(addressWord(address)) === word) return address
  throw new OperationError('RPC_MALFORMED', "the node's address is longer than one")
}

export const boolOf = (word: Hex | undefined): boolean => uintOf(word, 1) === 1n
