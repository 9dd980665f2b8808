import { readFile } from 'node:fs/promises'
import type { LedgerArtifact } from '../chain/deploy.ts'
import { OperationError } from '../errors.ts'

/** @throws {OperationError} `CHAIN_FAILED` when the contracts are not compiled */
export async function loadArtifact(): Promise<LedgerArtifact> {
  const url = new URL('../../artifacts/contracts/Ledger.sol/Ledger.json', import.meta.url)
  try {
    const { bytecode } = Object(JSON.parse(await readFile(url, 'utf8'))) as { bytecode?: unknown }
    return { bytecode: String(bytecode) }
  } catch (cause) {
    throw new OperationError('CHAIN_FAILED', 'the contracts are not compiled: run npm run setup', {
      cause,
      retryable: false,
    })
  }
}
