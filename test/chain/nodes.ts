import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { startAnvil } from '../../src/chain/embedded-process.ts'
import { createRpc, type Rpc } from '../../src/chain/rpc.ts'

/** A node of a development chain of its own. */
export interface TestNode {
  rpc: Rpc
  close(): Promise<void>
}

export async function startPragueAnvil(): Promise<TestNode> {
  const anvil = await startAnvil(0, ['--hardfork', 'prague'])
  return { rpc: createRpc(anvil.url), close: () => anvil.kill() }
}

export async function startHardhatNode(): Promise<TestNode> {
  const cli = createRequire(import.meta.url).resolve('hardhat/internal/cli/bootstrap.js')
  const args = [cli, 'node', '--hostname', '127.0.0.1', '--port', '0']
  const node = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(node, 'exit')
  const close = async () => {
    node.kill()
    await exited
  }
  let output = ''
  const url = await new Promise<string>((resolve, reject) => {
    node.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8')
      const [found] = /http:\/\/127\.0\.0\.1:\d+/.exec(output) ?? []
      if (found !== undefined) resolve(found)
    })
    exited.then(() => reject(new Error(`the node of Hardhat ended: ${output}`)), reject)
  })
  return { rpc: createRpc(url), close }
}
