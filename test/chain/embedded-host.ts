/** Hosts an embedded chain until it is killed: `node embedded-host.ts STATE_FILE`; prints one JSON line. */
import { startEmbeddedChain } from '../../src/chain/embedded.ts'

const [stateFile = ''] = process.argv.slice(2)
const chain = await startEmbeddedChain({ stateFile, port: 0 })
process.stdout.write(`${JSON.stringify({ url: chain.url, pid: chain.pid })}\n`)
process.stdin.resume()
process.stdin.on('data', () => process.stdout.write(`${chain.durableBlock()}\n`))
