import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { chainHash, NO_HASH, type PeerStore, type Row } from './peer-store.ts'

const CONNECTIONS = 16
/** Protocol 3.0. */
const PROTOCOL = 196_608

/**
 * One row a record with a hash chain, found by source and id; a transaction a submission, synced as it commits.
 *
 * The chain's head is kept here, so that transactions need not wait for one another: they commit over several
 * connections, and PostgreSQL may sync several together. A submission is acknowledged when it and all before it in
 * the chain have committed; after a crash, rows behind a gap were never acknowledged.
 *
 * @param folder of the server's socket
 */
export async function openPostgres(folder: string): Promise<PeerStore> {
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => PgConnection.open(folder)))
  await connections[0]?.run(`
    CREATE TABLE records (
      position bigint PRIMARY KEY, source text NOT NULL, id text NOT NULL, line text NOT NULL, hash bytea NOT NULL,
      UNIQUE (source, id)
    )`)
  const free = [...connections]
  const waiting: ((connection: PgConnection) => void)[] = []
  let position = 0
  let head = NO_HASH
  let committed: Promise<unknown> = Promise.resolve()

  const spell = ({ source, id, line }: Row): string => {
    head = chainHash(head, line)
    return `${position++}\t${source}\t${id}\t${line.replaceAll('\\', '\\\\')}\t\\\\x${head.toString('hex')}\n`
  }
  const insert = async (rows: string) => {
    const connection = free.pop() ?? (await new Promise<PgConnection>((resolve) => waiting.push(resolve)))
    try {
      await connection.run('COPY records FROM STDIN', Buffer.from(rows))
    } finally {
      const next = waiting.shift()
      if (next === undefined) free.push(connection)
      else next(connection)
    }
  }
  return {
    async add(rows) {
      committed = Promise.all([committed, insert(rows.map(spell).join(''))])
      const receipt = { head: head.toString('hex') }
      await committed
      return receipt
    },
    close() {
      for (const connection of connections) connection.close()
    },
  }
}

/** As much of PostgreSQL's protocol as this needs: simple queries, one at a time, with data for a COPY. */
class PgConnection {
  readonly #socket: Socket
  #received = Buffer.alloc(0)
  #failure: Error | undefined
  #waiting: { resolve: () => void; reject: (error: Error) => void } | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk) => this.#receive(chunk))
    socket.on('error', (error) => this.#waiting?.reject(error))
    socket.on('close', () => this.#waiting?.reject(new Error('PostgreSQL closed the connection')))
  }

  static async open(folder: string): Promise<PgConnection> {
    const connection = new PgConnection(connect(join(folder, '.s.PGSQL.5432')))
    const settings = Buffer.from('\0\0\0\0user\0bench\0database\0postgres\0\0')
    settings.writeUInt32BE(PROTOCOL)
    await connection.#ask(framed('', settings))
    return connection
  }

  /** Runs SQL as a transaction of its own. */
  run(sql: string, copied?: Buffer): Promise<void> {
    const query = framed('Q', Buffer.from(`${sql}\0`))
    return this.#ask(
      copied === undefined
        ? query
        : Buffer.concat([query, framed('d', copied), framed('c', Buffer.alloc(0))]),
    )
  }

  close(): void {
    this.#waiting = undefined
    this.#socket.end(framed('X', Buffer.alloc(0)))
  }

  #ask(message: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#socket.write(message)
    })
  }

  /** A message is its kind, its length with these four bytes, and its content. */
  #receive(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk])
    while (this.#received.length >= 5) {
      const end = 1 + this.#received.readUInt32BE(1)
      if (this.#received.length < end) return
      this.#read(String.fromCharCode(this.#received[0] ?? 0), this.#received.subarray(5, end))
      this.#received = this.#received.subarray(end)
    }
  }

  #read(kind: string, content: Buffer): void {
    if (kind === 'E') this.#failure = new Error(`PostgreSQL: ${content.toString().replaceAll('\0', ' ')}`)
    // An error before the first "ready" ends the connection, one after it the query alone.
    if (kind !== 'Z') return
    const failure = this.#failure
    this.#failure = undefined
    if (failure === undefined) this.#waiting?.resolve()
    else this.#waiting?.reject(failure)
  }
}

function framed(kind: string, content: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(4 + content.length)
  return Buffer.concat([Buffer.from(kind), length, content])
}
