/**
 * A server that takes the same submissions in the way of one of the peers, behind the same express set-up:
 *
 *   node scripts/bench-ingest/peer.ts KIND FOLDER [RPC-URL LEDGER]
 *
 * It believes what it is sent: no schema, no signature, no receipt.
 */
import type { AddressInfo } from 'node:net'
import express from 'express'
import { openNaive } from './peer-naive.ts'
import { openPostgres } from './peer-postgres.ts'
import { openSqlite } from './peer-sqlite.ts'
import type { PeerStore, Row } from './peer-store.ts'

const KINDS: Record<string, (folder: string, ...args: string[]) => PeerStore | Promise<PeerStore>> = {
  sqlite: openSqlite,
  postgres: openPostgres,
  naive: openNaive,
}

const [kind = '', folder = '', ...args] = process.argv.slice(2)
const open = KINDS[kind]
if (open === undefined) throw new Error(`there is no peer ${kind}: ${Object.keys(KINDS).join(', ')}`)
const store = await open(folder, ...args)

const app = express()
app.disable('x-powered-by')
app.post(
  '/v1/submissions',
  express.text({ type: 'application/x-ndjson', limit: '32mb' }),
  async (request, response) => {
    response.status(201).json({ receipt: await store.add(readRows(request.body)) })
  },
)
const server = app.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.stdout.write(`${JSON.stringify({ port })}\n`)
})
process.once('SIGINT', () => {
  server.closeAllConnections()
  server.close(() => void store.close())
})

function readRows(body: string): Row[] {
  const lines = body.split('\n').filter((line) => line !== '')
  return lines.map((line) => {
    const { source, id } = JSON.parse(line).record
    return { source, id, line }
  })
}
