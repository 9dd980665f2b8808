import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Header } from '../../src/batch/header.ts'
import type { Hex } from '../../src/bytes/hex.ts'
import { sha256 } from '../../src/bytes/sha256.ts'
import { type ContractArtifact, deployLedger } from '../../src/chain/deploy.ts'
import { devWallet, LOCAL_CHAIN_ID } from '../../src/chain/dev-accounts.ts'
import { startEmbeddedChain } from '../../src/chain/embedded.ts'
import { startAnvil } from '../../src/chain/embedded-process.ts'
import { fetchLatestBlock } from '../../src/chain/facts.ts'
import { suggestFees } from '../../src/chain/fees.ts'
import { type AppendedLog, fetchAppended } from '../../src/chain/ledger.ts'
import { encodeAppend } from '../../src/chain/ledger-abi.ts'
import { createRpc, type Rpc } from '../../src/chain/rpc.ts'
import { broadcast, fetchNonce, signTransaction } from '../../src/chain/send.ts'

export const adminWallet = devWallet('admin', LOCAL_CHAIN_ID)
export const publisherWallet = devWallet('publisher', LOCAL_CHAIN_ID)
export const PUBLISHER = publisherWallet.address.toLowerCase() as Hex // an ethers address in lowercase

export interface Artifact extends ContractArtifact {
  abi: { type: string }[]
}

export async function loadArtifact(
  name: 'Ledger' | 'Registry' | 'Authorizations' = 'Ledger',
): Promise<Artifact> {
  const url = new URL(`../../artifacts/contracts/${name}.sol/${name}.json`, import.meta.url)
  if (!existsSync(url)) throw new Error('the contracts are not compiled: run npm run compile first')
  return JSON.parse(await readFile(url, 'utf8'))
}

export interface TestChain {
  rpc: Rpc
  ledger: Hex
  close(): Promise<void>
}

export async function makeTemporaryDirectory(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'tidemark-chain-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

/** A fresh chain with a ledger that knows the publisher. */
export async function startTestChain(): Promise<TestChain> {
  const directory = await makeTemporaryDirectory()
  const chain = await startEmbeddedChain({ stateFile: join(directory.path, 'chain.json.gz'), port: 0 })
  const close = async () => {
    await chain.stop()
    await directory.remove()
  }
  return { rpc: chain.rpc, ledger: await deployTestLedger(chain.rpc), close }
}

/** As `startTestChain`, but nobody else switches mining on and off, as saving does. */
export async function startUnsavedTestChain(): Promise<TestChain> {
  const directory = await makeTemporaryDirectory()
  const cache = join(directory.path, 'cache')
  const anvil = await startAnvil(0, ['--hardfork', 'cancun', '--prune-history', '512', '--cache-path', cache])
  const rpc = createRpc(anvil.url)
  const close = async () => {
    await anvil.kill()
    await directory.remove()
  }
  return { rpc, ledger: await deployTestLedger(rpc), close }
}

/** A ledger that knows the publisher. */
export async function deployTestLedger(rpc: Rpc): Promise<Hex> {
  const artifact = await loadArtifact()
  return (await deployLedger({ rpc, signer: adminWallet, artifact, publishers: [PUBLISHER] })).address
}

/** A plausible header; each sequence has its own roots. */
export function makeHeader(sequence: number): Header {
  return {
    publisher: PUBLISHER,
    sequence: BigInt(sequence),
    recordsRoot: sha256(Uint8Array.of(1, sequence >> 8, sequence)),
    recordCount: 1 + sequence,
    indexRoot: sha256(Uint8Array.of(2, sequence >> 8, sequence)),
    indexSize: 1 + (sequence >> 4),
    firstTime: 1_700_000_000_000n + BigInt(sequence),
    lastTime: 1_700_000_060_000n + BigInt(sequence),
  }
}

export const makeHeaders = (from: number, to: number): Header[] =>
  Array.from({ length: to - from }, (_, i) => makeHeader(from + i))

/** Appends in one transaction and waits until it is in a block. */
export async function append(rpc: Rpc, ledger: Hex, headers: Header[]): Promise<Hex> {
  const signed = await signTransaction(publisherWallet, {
    ...(await suggestFees(rpc, 10n ** 12n)),
    chainId: LOCAL_CHAIN_ID,
    nonce: await fetchNonce(rpc, PUBLISHER),
    to: ledger,
    data: encodeAppend(headers),
    gasLimit: 10_000_000n,
  })
  await broadcast(rpc, signed)
  await until(async () => (await rpc.call('eth_getTransactionReceipt', [signed.hash])) !== null)
  return signed.hash
}

/** Every header that the ledger announced in a block range. */
export async function allAppended(rpc: Rpc, ledger: Hex, from: bigint, to: bigint): Promise<AppendedLog[]> {
  const all: AppendedLog[] = []
  for await (const { found } of fetchAppended(rpc, ledger, from, to)) all.push(...found)
  return all
}

export const headNumber = async (rpc: Rpc): Promise<bigint> => (await fetchLatestBlock(rpc)).number

/** Polls a condition until it holds. */
export async function until(holds: () => boolean | Promise<boolean>, deadlineMs = 50_000): Promise<void> {
  const late = AbortSignal.timeout(deadlineMs)
  while (!(await holds())) {
    if (late.aborted) throw new Error(`not within ${deadlineMs} ms: ${holds}`)
    await delay(5)
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
