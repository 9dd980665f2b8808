import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { utf8 } from '../bytes/bytes.ts'
import { sha256 } from '../bytes/sha256.ts'
import { OperationError } from '../errors.ts'
import { type CallAccount, type Reconciled, reconcile } from '../rules/reconcile.ts'
import { isMissing, orStoreFailed } from '../store/durable.ts'

/**
 * `reconcile` for more accounts than fit into memory, in one reading.
 *
 * Accounts of one request fall into the same of 256 parts, by the SHA-256 of its id, and the parts are reconciled one
 * after the other. Beyond `mostHeld` accounts the parts move to files in a folder of their own, which is gone when the
 * results are read or given up. Memory holds `mostHeld` accounts, or one part and its results where that is more.
 *
 * @param folder where that folder may be made
 * @throws {OperationError} `STORE_FAILED` when the folder cannot be written or read
 */
export async function* reconcileAll(
  accounts: AsyncIterable<CallAccount> | Iterable<CallAccount>,
  { folder, mostHeld = 50_000 }: { folder: string; mostHeld?: number },
): AsyncGenerator<Reconciled, void, undefined> {
  const parts = Array.from({ length: PARTS }, (): CallAccount[] => [])
  let held = 0
  let spilt: string | undefined
  try {
    for await (const account of accounts) {
      parts[partOf(account)]?.push(account)
      held++
      if (held < mostHeld) continue
      spilt ??= await makeFolder(folder)
      await spill(parts, spilt)
      held = 0
    }
    for (const [index, part] of parts.entries()) {
      const earlier = spilt === undefined ? [] : await loadPart(join(spilt, String(index)))
      yield* reconcile([...earlier, ...part.splice(0)])
    }
  } finally {
    if (spilt !== undefined) await rm(spilt, { recursive: true, force: true })
  }
}

const PARTS = 256

const partOf = ({ requestId, source, id }: CallAccount): number =>
  sha256(utf8(requestId === '' ? `${source}\0${id}` : requestId))[0] ?? 0

async function makeFolder(parent: string): Promise<string> {
  try {
    return await mkdtemp(join(parent, 'tidemark-reconcile-'))
  } catch (cause) {
    throw new OperationError('STORE_FAILED', `could not write ${parent}: ${(cause as Error).message}`, {
      cause,
    })
  }
}

async function spill(parts: readonly CallAccount[][], folder: string): Promise<void> {
  for (const [index, part] of parts.entries()) {
    const path = join(folder, String(index))
    const lines = part.splice(0).map((account) => `${JSON.stringify(account)}\n`)
    if (lines.length > 0) await orStoreFailed(path, () => appendFile(path, lines.join('')))
  }
}

async function loadPart(path: string): Promise<CallAccount[]> {
  try {
    const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1)
    // Nobody but us has written there.
    return lines.map((line) => JSON.parse(line) as CallAccount)
  } catch (cause) {
    if (isMissing(cause)) return []
    throw new OperationError('STORE_FAILED', `could not read ${path}`, { cause })
  }
}
