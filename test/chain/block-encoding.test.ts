import { keccak256, Transaction, type TransactionLike } from 'ethers'
import { describe, expect, test } from 'vitest'
import { toHex } from '../../src/bytes/hex.ts'
import { decodeRlp } from '../../src/bytes/rlp.ts'
import { encodeBlockHeader, encodeReceipt, encodeTransaction } from '../../src/chain/block-encoding.ts'
import { adminWallet, PUBLISHER } from './fixture.ts'

const HASH = `0x${'ab'.repeat(32)}` as const
const quantity = (value: bigint | number | null) => `0x${BigInt(value ?? 0).toString(16)}`

/** As a node of the execution API tells it. */
function tellTransaction(transaction: Transaction): Record<string, unknown> {
  const { signature, accessList, authorizationList } = transaction
  const [v, r, s] = [
    transaction.type === 0 ? (signature?.networkV ?? signature?.v ?? 0) : (signature?.yParity ?? 0),
    signature?.r ?? '0x',
    signature?.s ?? '0x',
  ]
  return {
    type: quantity(transaction.type),
    chainId: quantity(transaction.chainId),
    nonce: quantity(transaction.nonce),
    gas: quantity(transaction.gasLimit),
    gasPrice: quantity(transaction.gasPrice),
    maxFeePerGas: quantity(transaction.maxFeePerGas),
    maxPriorityFeePerGas: quantity(transaction.maxPriorityFeePerGas),
    maxFeePerBlobGas: quantity(transaction.maxFeePerBlobGas),
    to: transaction.to,
    value: quantity(transaction.value),
    input: transaction.data,
    accessList: accessList ?? [],
    blobVersionedHashes: transaction.blobVersionedHashes ?? [],
    authorizationList: (authorizationList ?? []).map(({ address, nonce, chainId, signature: signed }) => ({
      address,
      nonce: quantity(nonce),
      chainId: quantity(chainId),
      yParity: quantity(signed.yParity),
      r: quantity(BigInt(signed.r)),
      s: quantity(BigInt(signed.s)),
    })),
    v: quantity(v),
    r: quantity(BigInt(r)),
    s: quantity(BigInt(s)),
  }
}

const COMMON = { nonce: 7, gasLimit: 90_000n, to: PUBLISHER, value: 5n, data: '0x00c0ffee' }
const FEES = { maxFeePerGas: 9n, maxPriorityFeePerGas: 1n }
const ACCESS_LIST = [{ address: PUBLISHER, storageKeys: [HASH] }]

describe('a transaction is encoded as ethers does', () => {
  test.each<[string, TransactionLike]>([
    ['before EIP-155', { ...COMMON, type: 0, gasPrice: 9n, chainId: 0 }],
    ['of EIP-155', { ...COMMON, type: 0, gasPrice: 9n, chainId: 1 }],
    ['that makes a contract', { ...COMMON, type: 0, gasPrice: 9n, chainId: 1, to: null, nonce: 0, value: 0 }],
    ['of EIP-2930', { ...COMMON, type: 1, gasPrice: 9n, chainId: 1, accessList: ACCESS_LIST }],
    ['of EIP-1559', { ...COMMON, ...FEES, type: 2, chainId: 10n ** 12n }],
    [
      'of EIP-4844',
      {
        ...COMMON,
        ...FEES,
        type: 3,
        chainId: 1,
        maxFeePerBlobGas: 3n,
        blobVersionedHashes: [`0x01${'ab'.repeat(31)}`],
      },
    ],
    ['of EIP-7702', { ...COMMON, ...FEES, type: 4, chainId: 1, accessList: ACCESS_LIST }],
  ])('%s', async (_, like) => {
    if (like.type === 4)
      like.authorizationList = [adminWallet.authorizeSync({ address: PUBLISHER, nonce: 0, chainId: 0 })]
    const signed = Transaction.from(await adminWallet.signTransaction(like))
    expect(toHex(encodeTransaction(tellTransaction(signed)) ?? new Uint8Array())).toBe(signed.serialized)
  })

  test('of a type that is not known here it is not', () => {
    expect(encodeTransaction({ type: '0x7e' })).toBeUndefined()
  })
})

test('a receipt of before EIP-658 has a state root in the place of its status', () => {
  const common = { cumulativeGasUsed: '0x5208', logsBloom: '0x00', logs: [] }
  const early = decodeRlp(encodeReceipt({ ...common, root: HASH })) as Uint8Array[]
  expect(toHex(early[0] ?? new Uint8Array())).toBe(HASH)
  const failed = decodeRlp(encodeReceipt({ ...common, status: '0x0' })) as Uint8Array[]
  expect(failed[0]).toEqual(new Uint8Array())
})

test('the first header of Ethereum has the hash that everybody knows', () => {
  const empty = '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421'
  const header = encodeBlockHeader({
    parentHash: `0x${'00'.repeat(32)}`,
    sha3Uncles: '0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347',
    miner: `0x${'00'.repeat(20)}`,
    stateRoot: '0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544',
    transactionsRoot: empty,
    receiptsRoot: empty,
    logsBloom: `0x${'00'.repeat(256)}`,
    difficulty: '0x400000000',
    number: '0x0',
    gasLimit: '0x1388',
    gasUsed: '0x0',
    timestamp: '0x0',
    extraData: '0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa',
    mixHash: `0x${'00'.repeat(32)}`,
    nonce: '0x0000000000000042',
  })
  expect(keccak256(header)).toBe('0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3')
})

test('a header of an early fork has no members of later ones', () => {
  const bytes = {
    parentHash: HASH,
    sha3Uncles: HASH,
    miner: PUBLISHER,
    stateRoot: HASH,
    transactionsRoot: HASH,
  }
  const more = {
    receiptsRoot: HASH,
    logsBloom: '0x00',
    extraData: '0x',
    mixHash: HASH,
    nonce: '0x0000000000000042',
  }
  const numbers = { difficulty: '0x1', number: '0x2', gasLimit: '0x3', gasUsed: '0x0', timestamp: '0x5' }
  const early = { ...bytes, ...more, ...numbers }
  expect(decodeRlp(encodeBlockHeader(early))).toHaveLength(15)
  expect(decodeRlp(encodeBlockHeader({ ...early, baseFeePerGas: '0x7' }))).toHaveLength(16)
  expect(() => encodeBlockHeader({ ...early, stateRoot: undefined })).toThrow(/stateRoot/)
})
