import { hash } from 'node:crypto'

/** A record as a peer keeps it. */
export interface Row {
  source: string
  id: string
  /** as it was sent, its disclosures among it */
  line: string
}

/** How a peer keeps the records of a submission. */
export interface PeerStore {
  /** Durable when it resolves, with something to show for it. */
  add(rows: readonly Row[]): Promise<unknown> | unknown
  close(): Promise<void> | void
}

/** The hash of a row: over that of the row before it, and its own line. */
export const chainHash = (before: Buffer, line: string): Buffer =>
  hash('sha256', Buffer.concat([before, Buffer.from(line)]), 'buffer')

export const NO_HASH: Buffer = Buffer.alloc(32)
