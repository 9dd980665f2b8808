import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { deploy, evm, provider, send, setSlot, wallet } from './chain.ts'
import { climb, digest, type Header, headerOf, headersOf, leafOf } from './header.ts'

const snapshotFile = fileURLToPath(new URL('gas.json', import.meta.url))

if (evm !== 'hardhat')
  console.warn(`Gas is skipped on ${evm}: the snapshot is of Hardhat's EVM and plain code`)

it.skipIf(evm !== 'hardhat')('costs exactly the gas of the committed snapshot', async () => {
  const measured = { ...(await measureWrites()), ...(await measureVerification()) }
  if (process.env.TIDEMARK_GAS === 'write') {
    writeFileSync(snapshotFile, `${JSON.stringify(measured, null, 2)}\n`)
    console.log(measured)
  }
  expect(measured, 'npm run gas renews the snapshot').toEqual(JSON.parse(readFileSync(snapshotFile, 'utf8')))
})

/** Gas used by whole transactions: intrinsic, calldata and execution. */
async function measureWrites() {
  const publisher = wallet(1)
  const ledger = await deploy('Ledger.sol', wallet(0).address)
  await send(ledger, 'addPublisher', publisher.address)
  const mine = ledger.connect(publisher)
  let sequence = 0n
  const append = async (count: number) => {
    const receipt = await send(mine, 'append', headersOf(publisher.address, sequence, count))
    sequence += BigInt(count)
    return Number(receipt.gasUsed)
  }
  const average = async (transactions: number, count: number) => {
    let total = 0
    for (let i = 0; i < transactions; i++) total += await append(count)
    return Math.round(total / transactions / count)
  }

  const first = await append(1)
  await average(63, 1)
  const alone = await average(64, 1)
  const inTens = await average(16, 10)
  const inFifties = await average(16, 50)
  const repeated = await send(mine, 'append', headersOf(publisher.address, sequence - 50n, 50))
  const code = await provider.getCode(await ledger.getAddress())
  return {
    'code: bytes, of at most 24,576': (code.length - 2) / 2,
    'append: the first header of a ledger': first,
    'append: one header, average of 64 after 64': alone,
    'append: a header in a group of 10, average of 16 groups': inTens,
    'append: a header in a group of 50, average of 16 groups': inFifties,
    'append: a group of 50, all appended before': Number(repeated.gasUsed),
  }
}

/**
 * Execution gas of a call, from the first opcode to the last: without the intrinsic 21,000 and the calldata, with cold
 * storage. A contract that calls the ledger pays this, its own CALL and the copying of the arguments.
 *
 * The log of 2^20 + 1 headers and the records tree of 2^20 records are made up from the paths: a path of random
 * siblings implies a root, which goes into the header, and a peak, which goes into its storage slot.
 */
async function measureVerification() {
  const depth = 20
  const index = 0x5a5a5
  const ledger = await deploy('Ledger.sol', wallet(0).address)
  const address = await ledger.getAddress()
  const pathOf = (name: string) => Array.from({ length: depth }, (_, i) => digest(`${name} ${i}`))
  const record = digest('record')
  const recordPath = pathOf('record sibling')
  const headerPath = pathOf('header sibling')
  const header: Header = headerOf(wallet(1).address, 7n, {
    recordCount: 2 ** depth,
    recordsRoot: climb(record, BigInt(index), recordPath),
  })
  await setSlot(address, 4, 2n ** BigInt(depth) + 1n)
  await setSlot(address, 5 + depth, BigInt(climb(leafOf(header), BigInt(index), headerPath)))

  const execution = async (method: string, ...args: unknown[]) => {
    await ledger.getFunction(method).staticCall(...args)
    const data = ledger.interface.encodeFunctionData(method, args)
    const { structLogs } = await provider.send('debug_traceCall', [
      { to: address, data },
      'latest',
      { disableMemory: true, disableStack: true, disableStorage: true },
    ])
    return structLogs[0].gas - structLogs.at(-1).gas + structLogs.at(-1).gasCost
  }
  return {
    'verifyHeader: execution at depth 20': await execution('verifyHeader', header, index, headerPath),
    'verifyRecord: execution at depth 20 + 20': await execution(
      'verifyRecord',
      record,
      index,
      recordPath,
      header,
      index,
      headerPath,
    ),
  }
}
