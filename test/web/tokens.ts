import { randomUUID } from 'node:crypto'
import { withSources } from '../../src/cli/catalogue.ts'
import type { Role } from '../../src/store/roles.ts'
import type { Web } from './harness.ts'

/** A fresh bearer token of a role. */
export async function addToken({ world }: Web, role: Role): Promise<string> {
  const secret = `tidemark_${randomUUID()}`
  await withSources(world.dataPath, 'existing', (sources) => sources.addToken(secret, role, '', 0))
  return secret
}
