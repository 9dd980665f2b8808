import { mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { endProcess, startServer, type Undo } from './processes.ts'
import type { Subject } from './subject.ts'

const SERVER = fileURLToPath(new URL('./peer.ts', import.meta.url))

export const PEERS = ['sqlite'] as const
export type Peer = (typeof PEERS)[number]

export async function startPeer(peer: Peer, folder: string, undo: Undo): Promise<Subject> {
  const data = join(folder, peer)
  await mkdir(data, { recursive: true })
  const { child, said } = await startServer(process.execPath, [SERVER, peer, data], undo)
  return {
    port: Number(said.port),
    pids: { [peer]: child.pid ?? 0 },
    stop: () => endProcess(child),
    disk: async () => ({ all: await sizeOf(data) }),
  }
}

async function sizeOf(folder: string): Promise<number> {
  let size = 0
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) size += (await stat(join(entry.parentPath, entry.name))).size
  }
  return size
}
