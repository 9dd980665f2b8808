import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { utf8 } from '../bytes/bytes.ts'
import { type Hex, isHex } from '../bytes/hex.ts'
import { readUint64 } from '../bytes/integer.ts'
import type { RightsIdentity } from '../chain/deploy.ts'
import type { LedgerIdentity } from '../chain/ledger.ts'
import { OperationError } from '../errors.ts'
import { isMissing, writeDurably } from '../store/durable.ts'

/** Which ledger a data folder belongs to, and as whom it publishes to a chain that is not its own. */
export interface FolderIdentity extends LedgerIdentity {
  /** absent when the chain is the embedded one */
  publisher?: Hex
  /** absent where nobody decides on calls */
  rights?: RightsIdentity
}

export const identityPath = (dataPath: string) => join(dataPath, 'ledger.json')

/** @returns undefined when the folder is new */
export async function loadIdentity(path: string): Promise<FolderIdentity | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    if (isMissing(cause)) return undefined
    throw new OperationError('STORE_FAILED', `could not read ${path}`, { cause })
  }
  const { chainId, ledger, deploymentBlock, publisher, rights } = parse(text, path)
  const identity = { chainId: readUint64(chainId), deploymentBlock: readUint64(deploymentBlock) }
  if (identity.chainId === undefined || identity.deploymentBlock === undefined || !isHex(ledger, 20)) {
    throw damaged(path)
  }
  const known = {
    chainId: identity.chainId,
    ledger,
    deploymentBlock: identity.deploymentBlock,
    ...(rights !== undefined && { rights: parseRights(rights, path) }),
  }
  if (publisher === undefined) return known
  if (!isHex(publisher, 20)) throw damaged(path)
  return { ...known, publisher }
}

export async function saveIdentity(
  path: string,
  { chainId, ledger, deploymentBlock, publisher, rights }: FolderIdentity,
): Promise<void> {
  const value = {
    chainId: String(chainId),
    ledger,
    deploymentBlock: String(deploymentBlock),
    publisher,
    rights: rights && { ...rights, deploymentBlock: String(rights.deploymentBlock) },
  }
  await writeDurably(path, utf8(`${JSON.stringify(value)}\n`))
}

function parseRights(value: unknown, path: string): RightsIdentity {
  const { registry, authorizations, deploymentBlock } = Object(value) as Record<string, unknown>
  const block = readUint64(deploymentBlock)
  if (!isHex(registry, 20) || !isHex(authorizations, 20) || block === undefined) throw damaged(path)
  return { registry, authorizations, deploymentBlock: block }
}

function parse(text: string, path: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>
  } catch (cause) {
    throw damaged(path, cause)
  }
}

const damaged = (path: string, cause?: unknown) =>
  new OperationError('STORE_DAMAGED', `${path} does not say which ledger this is; restore it from a copy`, {
    cause,
    retryable: false,
  })
