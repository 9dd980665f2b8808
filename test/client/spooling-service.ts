/**
 * A service that records until it is killed, or the spool takes no more:
 * `node spooling-service.ts URL SPOOL TAG COUNT NOTE_BYTES`. Prints the id of each record that it was told is safe, a
 * line each, then the code of each that was refused.
 */
import { Tidemark } from '../../src/client/index.ts'
import { eventOf } from './event.ts'

const [url = '', spoolPath = '', tag = '', count = '0', noteBytes = '1'] = process.argv.slice(2)
const ledger = await Tidemark.connect({
  url,
  source: 'urn:service',
  spoolPath,
  key: `0x${'4b'.repeat(32)}`,
  submissionRecords: 25,
  onError: () => undefined,
})
const { data, ...rest } = eventOf('')
const note = 'n'.repeat(Number(noteBytes))
for (let i = 0; i < Number(count); i += 5) {
  const ids = Array.from({ length: 5 }, (_, k) => `${tag}-${i + k}`)
  const outcomes = await Promise.allSettled(
    ids.map((id) => ledger.record({ ...rest, id, data: { ...data, note } })),
  )
  for (const [k, outcome] of outcomes.entries()) {
    process.stdout.write(outcome.status === 'fulfilled' ? `${ids[k]}\n` : `refused ${outcome.reason.code}\n`)
  }
}
await ledger.close({ timeoutMs: 100 })
