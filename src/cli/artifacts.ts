import { readFile } from 'node:fs/promises'
import type { ContractArtifact } from '../chain/deploy.ts'
import { OperationError } from '../errors.ts'

const COMPILED = new URL('../../artifacts/contracts/', import.meta.url)

/** @throws {OperationError} `CHAIN_FAILED` when the contracts are not compiled */
export async function loadArtifact(
  name: 'Ledger' | 'Registry' | 'Authorizations' = 'Ledger',
): Promise<ContractArtifact> {
  const url = new URL(`${name}.sol/${name}.json`, COMPILED)
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

/** The compiled contracts beside the ledger. */
export const loadRightsArtifacts = async () => ({
  registry: await loadArtifact('Registry'),
  authorizations: await loadArtifact('Authorizations'),
})
