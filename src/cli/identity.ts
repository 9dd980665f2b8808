import { readFile } from 'node:fs/promises'
import { utf8 } from '../bytes/bytes.ts'
import { isHex } from '../bytes/hex.ts'
import { readUint64 } from '../bytes/integer.ts'
import type { LedgerIdentity } from '../chain/ledger.ts'
import { OperationError } from '../errors.ts'
import { isMissing, writeDurably } from '../store/durable.ts'

/** Which ledger a data folder belongs to: `ledger.json`. */
export async function loadIdentity(path: string): Promise<LedgerIdentity | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    if (isMissing(cause)) return undefined
    throw new OperationError('STORE_FAILED', `could not read ${path}`, { cause })
  }
  const { chainId, ledger, deploymentBlock } = parse(text, path)
  const identity = { chainId: readUint64(chainId), deploymentBlock: readUint64(deploymentBlock) }
  if (identity.chainId === undefined || identity.deploymentBlock === undefined || !isHex(ledger, 20)) {
    throw damaged(path)
  }
  return { chainId: identity.chainId, ledger, deploymentBlock: identity.deploymentBlock }
}

export async function saveIdentity(
  path: string,
  { chainId, ledger, deploymentBlock }: LedgerIdentity,
): Promise<void> {
  const value = { chainId: String(chainId), ledger, deploymentBlock: String(deploymentBlock) }
  await writeDurably(path, utf8(`${JSON.stringify(value)}\n`))
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
