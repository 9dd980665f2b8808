import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, chownSync, readdirSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { endProcess, type Undo } from './processes.ts'

/** A peer that this machine cannot run, and why. */
export class UnavailableError extends Error {}

/** As it comes, but for room enough that it need not write everything twice during the run. */
const SETTINGS = [
  'fsync=on',
  'synchronous_commit=on',
  'shared_buffers=1GB',
  'max_wal_size=8GB',
  'listen_addresses=',
]

/**
 * Starts a PostgreSQL server of our own, its data and its socket in `folder`, under user "bench" without a password.
 *
 * @returns what ends it
 * @throws {UnavailableError}
 */
export async function startPostgres(folder: string, undo: Undo): Promise<() => Promise<void>> {
  const programs = findPrograms()
  const user = unprivilegedUser()
  if (user !== undefined) chownSync(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  const options = { ...user, cwd: folder }
  await promisify(execFile)(
    join(programs, 'initdb'),
    ['-D', data, '-U', 'bench', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync'],
    options,
  )
  const settings = [...SETTINGS, `unix_socket_directories=${folder}`].flatMap((setting) => ['-c', setting])
  const server = spawn(join(programs, 'postgres'), ['-D', data, ...settings], {
    ...options,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  undo.add(() => endProcess(server))
  let errors = ''
  const ready = new Promise<void>((resolve) => {
    server.stderr.on('data', (chunk: Buffer) => {
      errors = (errors + chunk.toString('utf8')).slice(-4_096)
      if (errors.includes('ready to accept connections')) resolve()
    })
  })
  const ended = once(server, 'close').then(() => {
    throw new Error(`PostgreSQL ended: ${errors}`)
  })
  await Promise.race([ready, ended])
  // Later, whoever talks to it sees that it has ended.
  ended.catch(() => undefined)
  return () => endProcess(server)
}

/** The folder that holds both programs: one of PATH, or the newest where Debian keeps them. */
function findPrograms(): string {
  const versions = '/usr/lib/postgresql'
  const debian = list(versions).sort((a, b) => Number(b) - Number(a))
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    ...debian.map((version) => join(versions, version, 'bin')),
  ]
  const found = folders.find((folder) =>
    ['initdb', 'postgres'].every((program) => isThere(join(folder, program))),
  )
  if (found === undefined) throw new UnavailableError('PostgreSQL is not installed here')
  return found
}

/** PostgreSQL refuses to run as root. */
function unprivilegedUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const users = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = users.find((line) => line.startsWith(`${name}:`))?.split(':') ?? []
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new UnavailableError(
    'PostgreSQL does not run as root, and there is neither a user postgres nor nobody',
  )
}

function list(folder: string): string[] {
  return isThere(folder) ? readdirSync(folder) : []
}

function isThere(path: string): boolean {
  try {
    accessSync(path)
    return true
  } catch {
    return false
  }
}
