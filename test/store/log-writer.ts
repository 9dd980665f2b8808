/**
 * Appends payloads of 3,000 bytes until one fails, then a small one: `node log-writer.ts DIRECTORY`. Prints one JSON
 * line: how many of each were acknowledged, and the codes of what failed.
 */
import { WriteAheadLog } from '../../src/store/write-ahead-log.ts'

const [directory = ''] = process.argv.slice(2)
const log = await WriteAheadLog.open(directory, 0n)
let acknowledged = 0
const codes: unknown[] = []
while (codes.length === 0) {
  const group = await Promise.allSettled([1, 2, 3].map((i) => log.append(new Uint8Array(3_000).fill(i))))
  for (const outcome of group) {
    if (outcome.status === 'fulfilled') acknowledged++
    else codes.push(outcome.reason.code)
  }
}
const small = await log.append(Uint8Array.of(9)).then(
  () => 1,
  () => 0,
)
await log.close()
process.stdout.write(`${JSON.stringify({ acknowledged, codes, small })}\n`)
