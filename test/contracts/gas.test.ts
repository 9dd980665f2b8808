import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type BaseContract, getBytes, type HDNodeWallet, toBeHex } from 'ethers'
import { expect, it } from 'vitest'
import { deploy, evm, provider, send, setSlot, wallet } from './chain.ts'
import { domainOf, type Grant, idOf, signGrant, signRevoke } from './grant.ts'
import { climb, digest, type Header, headerOf, headersOf, leafOf } from './header.ts'

const FOREVER = 2n ** 64n - 1n
const snapshotFile = fileURLToPath(new URL('gas.json', import.meta.url))

if (evm !== 'hardhat')
  console.warn(`Gas is skipped on ${evm}: the snapshot is of Hardhat's EVM and plain code`)

it.skipIf(evm !== 'hardhat')('costs exactly the gas of the committed snapshot', async () => {
  const measured = {
    ...(await measureWrites()),
    ...(await measureVerification()),
    ...(await measureAuthorizations()),
  }
  if (process.env.TIDEMARK_GAS === 'write') {
    writeFileSync(snapshotFile, `${JSON.stringify(measured, null, 2)}\n`)
    console.log(measured)
  }
  expect(measured, 'npm run gas renews the snapshot').toEqual(JSON.parse(readFileSync(snapshotFile, 'utf8')))
})

async function codeSizeOf(contract: BaseContract): Promise<number> {
  return ((await provider.getCode(await contract.getAddress())).length - 2) / 2
}

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
  return {
    'code: bytes, of at most 24,576': await codeSizeOf(ledger),
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

/** Gas used by whole transactions, the dearest case of each: names and reasons of some twenty characters, cold storage. */
async function measureAuthorizations() {
  const [governance, registrar, guardian, key, subject] = [0, 1, 2, 3, 4].map(wallet) as [
    HDNodeWallet,
    HDNodeWallet,
    HDNodeWallet,
    HDNodeWallet,
    HDNodeWallet,
  ]
  const registry = await deploy('Registry.sol', governance.address, registrar.address, guardian.address)
  const authorizations = await deploy('Authorizations.sol', await registry.getAddress())
  const { chainId } = await provider.getNetwork()
  const domain = domainOf(chainId, await authorizations.getAddress())
  const used = async (contract: BaseContract, who: HDNodeWallet, method: string, ...args: unknown[]) =>
    Number((await send(contract.connect(who), method, ...args)).gasUsed)
  const [consumer, owner, resource] = [
    'urn:example:tax',
    'urn:example:civil',
    'urn:example:civil:births',
  ].map(digest) as [string, string, string]
  const purpose = digest('school enrolment')
  // Zero bytes make calldata cheaper, and ids and signatures hang on the contract's address, which is another in each
  // run: so they are drawn until they have none.
  let attempts = 0
  const drawGrant = async () => {
    for (;;) {
      const grant: Grant = {
        subject: subject.address,
        consumer,
        resource,
        purpose,
        notBefore: 1_700_000_000n,
        notAfter: 4_000_000_000n,
        maxCalls: 1000n,
        nonce: BigInt(digest(`nonce ${attempts++}`)),
      }
      const id = idOf(domain, grant)
      const signature = await signGrant(subject, domain, grant)
      const revocation = await signRevoke(subject, domain, id, FOREVER)
      const words = [toBeHex(grant.nonce, 32), id, signature, revocation]
      if (words.every((word) => getBytes(word).every((byte) => byte !== 0)))
        return { grant, id, signature, revocation }
    }
  }
  const [own, signed, loose] = [await drawGrant(), await drawGrant(), await drawGrant()]
  const setResource = () =>
    used(registry, registrar, 'setResource', 'urn:example:civil:births', owner, 2, 3, digest('entry'))

  const addSource = await used(registry, registrar, 'addSource', 'urn:example:tax')
  await used(registry, registrar, 'addSource', 'urn:example:civil')
  const addKey = await used(registry, registrar, 'addKey', consumer, key.address, FOREVER)
  const addResource = await setResource()
  const target = { kind: 2, id: resource }
  return {
    'Registry: code: bytes, of at most 24,576': await codeSizeOf(registry),
    'Registry: addSource': addSource,
    'Registry: addKey': addKey,
    'Registry: setResource, a new one': addResource,
    'Registry: setResource, one changed': await setResource(),
    'Registry: trip': await used(registry, guardian, 'trip', target, 'rate beyond baseline'),
    'Registry: reset': await used(registry, registrar, 'reset', target, 'the service is mended'),
    'Authorizations: code: bytes, of at most 24,576': await codeSizeOf(authorizations),
    'Authorizations: grant, by the subject': await used(authorizations, subject, 'grant', own.grant, '0x'),
    'Authorizations: grant, signed': await used(authorizations, key, 'grant', signed.grant, signed.signature),
    'Authorizations: request, of at most 60,000': await used(
      authorizations,
      key,
      'request',
      consumer,
      resource,
      purpose,
      own.id,
    ),
    'Authorizations: pause': await used(authorizations, subject, 'pause', own.grant),
    'Authorizations: resume': await used(authorizations, subject, 'resume', own.grant),
    'Authorizations: revoke': await used(authorizations, subject, 'revoke', own.grant),
    'Authorizations: revoke, never on the chain': await used(authorizations, subject, 'revoke', loose.grant),
    'Authorizations: revokeBySignature': await used(
      authorizations,
      key,
      'revokeBySignature',
      signed.grant,
      FOREVER,
      signed.revocation,
    ),
  }
}
