import type { Hex } from '../bytes/hex.ts'
import type { RightsIdentity } from './deploy.ts'
import { fetchLatestBlock } from './facts.ts'
import { fetchLogs } from './logs.ts'
import { type BreakerTarget, createRegistry, type ResourceEntry } from './registry.ts'
import { decodeRightsEvent, type RightsEvent } from './rights-events.ts'
import type { Rpc } from './rpc.ts'

/** At times `from <= t < until`, in seconds. */
interface KeyPeriod {
  key: Hex
  from: bigint
  until: bigint
}

/** A registry as its events tell it, by the ids of names. */
export interface RegistryContents {
  sources: Map<Hex, { uri: string; keys: KeyPeriod[] }>
  resources: Map<Hex, { name: string; entry: ResourceEntry }>
  tripped: BreakerTarget[]
}

/** @throws {OperationError} when the node cannot tell */
export async function readRegistry(
  rpc: Rpc,
  { registry: address, deploymentBlock }: Omit<RightsIdentity, 'authorizations'>,
): Promise<RegistryContents> {
  const contents: RegistryContents = { sources: new Map(), resources: new Map(), tripped: [] }
  const registry = createRegistry(rpc, address)
  const { number: head } = await fetchLatestBlock(rpc)
  for await (const { logs } of fetchLogs(rpc, { address, topics: [] }, deploymentBlock, head)) {
    for (const log of logs) {
      const event = decodeRightsEvent(log, 'registry')
      if (event?.name === 'KeyEnded') {
        const ended = contents.sources.get(event.source)?.keys.find(({ key }) => key === event.key)
        // The event does not say the time of its block.
        if (ended !== undefined) ended.until = (await registry.keyPeriod(event.source, event.key)).until
      } else if (event !== undefined) take(contents, event)
    }
  }
  return contents
}

function take({ sources, resources, tripped }: RegistryContents, event: RightsEvent): void {
  switch (event.name) {
    case 'SourceAdded':
      sources.set(event.source, { uri: event.uri, keys: [] })
      break
    case 'KeyAdded': {
      const { source, key, from, until } = event
      sources.get(source)?.keys.push({ key, from, until })
      break
    }
    case 'ResourceSet':
      resources.set(event.resource, { name: event.resourceName, entry: event.entry })
      break
    case 'Tripped':
      tripped.push(event.target)
      break
    case 'Reset': {
      const { kind, id } = event.target
      const at = tripped.findIndex((target) => target.kind === kind && target.id === id)
      if (at >= 0) tripped.splice(at, 1)
      break
    }
  }
}
