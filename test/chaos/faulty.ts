/**
 * Preloaded into a process (`node --import`), its worker threads included: makes the nth call of a durable step fail,
 * or kills the process before or after it. The program itself knows nothing of this.
 */
import fs from 'node:fs'
import { ServerResponse } from 'node:http'
import { syncBuiltinESMExports } from 'node:module'
import { DatabaseSync, StatementSync } from 'node:sqlite'
import { FAULTS_VARIABLE, type Fault, STRUCK_VARIABLE, type StepName } from './steps.ts'

// biome-ignore lint/suspicious/noExplicitAny: whatever is patched here takes what it took before
type Call = (...args: any[]) => any

const faults: Fault[] = JSON.parse(process.env[FAULTS_VARIABLE] ?? '[]')
const struckPath = process.env[STRUCK_VARIABLE] ?? ''
const { appendFileSync } = fs
const calls = new Map<StepName, number>()

/** Counts a call of a step, and finds the fault that is meant for it. */
function dueAt(step: StepName): Fault | undefined {
  const call = (calls.get(step) ?? 0) + 1
  calls.set(step, call)
  return faults.find((fault) => fault.step === step && call >= fault.nth && call < fault.nth + fault.times)
}

function strike(fault: Fault): never {
  note(fault)
  if (fault.act === 'kill') process.kill(process.pid, 'SIGKILL')
  throw Object.assign(new Error(`${fault.act}: made to fail, ${fault.step}`), { code: fault.act })
}

const note = ({ step, when, act }: Fault) =>
  appendFileSync(struckPath, `${JSON.stringify({ step, when, act })}\n`)

/** Does a step, or what is planned instead. `failed` hears of an error before it is thrown. */
function around<T>(step: StepName | undefined, work: () => T, onError: (error: unknown) => unknown): T {
  const fault = step && dueAt(step)
  if (fault === undefined || fault.act === 'short') return work()
  const hit = () => {
    try {
      strike(fault)
    } catch (error) {
      throw onError(error)
    }
  }
  if (fault.when === 'before') hit()
  const result = work()
  if (result instanceof Promise) {
    return result.then((value) => {
      hit()
      return value
    }) as T
  }
  hit()
  return result
}

const asItIs = (error: unknown) => error

/** Puts `replace(original)` in the place of a method. */
function patch(owner: object, name: string, replace: (original: Call) => Call): void {
  const methods = owner as Record<string, Call>
  const original = methods[name]
  if (original === undefined) throw new Error(`there is no ${name} to patch`)
  methods[name] = replace(original)
}

/** As a method of the file system does: what fails, fails later. */
const patchAsync = (
  owner: object,
  name: string,
  stepOf: (self: object, args: unknown[]) => StepName | undefined,
) =>
  patch(
    owner,
    name,
    (original) =>
      async function (this: object, ...args: unknown[]) {
        return await around(stepOf(this, args), () => original.apply(this, args) as Promise<unknown>, asItIs)
      },
  )

const isSegment = (path: string) => path.endsWith('.wal')
const isInBatches = (path: string) => /\/batches(\/|$)/.test(path)
const isBatchFile = (path: string) => isInBatches(path) && /\.\w+$/.test(path) && !path.endsWith('.tmp')

// Files: handles do not tell their path, so it is remembered.
const paths = new WeakMap<object, string>()
const pathOf = (handle: object) => paths.get(handle) ?? ''

patch(fs.promises, 'open', (original) => async (...args: unknown[]) => {
  const [path, flags = 'r'] = args.map(String)
  const name = path ?? ''
  const step =
    isSegment(name) && flags === 'w'
      ? 'log create'
      : isBatchFile(name) && flags === 'r'
        ? 'batch read'
        : undefined
  const handle: object = await around(step, () => original(...args) as Promise<object>, asItIs)
  paths.set(handle, name)
  return handle
})
patchAsync(fs.promises, 'rename', (_self, [from]) => (isInBatches(String(from)) ? 'seal rename' : undefined))
patchAsync(fs.promises, 'rm', (_self, [path]) => (isSegment(String(path)) ? 'log delete' : undefined))
patchAsync(fs.promises, 'unlink', (_self, [path]) => (isSegment(String(path)) ? 'log delete' : undefined))
patchAsync(fs.promises, 'readFile', (_self, [path]) => {
  const name = String(path)
  return isSegment(name) ? 'log read' : isBatchFile(name) ? 'batch read' : undefined
})

const probe = await fs.promises.open('/dev/null')
const FileHandle: object = Object.getPrototypeOf(probe)
await probe.close()
patch(
  FileHandle,
  'writev',
  (original) =>
    async function (this: object, ...args: unknown[]) {
      const step = isSegment(pathOf(this)) ? 'log write' : undefined
      const [buffers, position] = args as [Uint8Array[], number]
      const short = faults.find(({ act }) => act === 'short')
      if (step === undefined || short === undefined) {
        return await around(step, () => original.apply(this, args) as Promise<unknown>, asItIs)
      }
      if (dueAt(step) === undefined) return await original.apply(this, args)
      note(short)
      const all = Buffer.concat(buffers)
      return await original.call(this, [all.subarray(0, Math.ceil(all.length / 2))], position)
    },
)
const syncStepOf = (handle: object): StepName | undefined => {
  const path = pathOf(handle)
  if (isSegment(path)) return 'log sync'
  if (isBatchFile(path)) return 'seal sync'
  if (isInBatches(path)) return 'seal directory sync'
  return path.endsWith('/log') ? 'log directory sync' : undefined
}
patchAsync(FileHandle, 'datasync', syncStepOf)
patchAsync(FileHandle, 'sync', syncStepOf)
patchAsync(FileHandle, 'writeFile', (self) => (isInBatches(pathOf(self)) ? 'seal write' : undefined))
patchAsync(FileHandle, 'read', (self) => (isInBatches(pathOf(self)) ? 'batch read' : undefined))

// The catalogue: SQLite does its own input and output, so its statements fail as it would let them fail.
const changed = new WeakMap<object, StepName>()
const owners = new WeakMap<object, object>()
patch(
  DatabaseSync.prototype,
  'prepare',
  (original) =>
    function (this: object, ...args: unknown[]) {
      const statement: object = original.apply(this, args)
      owners.set(statement, this)
      return statement
    },
)
patch(
  StatementSync.prototype,
  'run',
  (original) =>
    function (this: StatementSync, ...args: unknown[]) {
      const sql = this.sourceSQL.trimStart()
      const work = () => original.apply(this, args)
      if (/^INSERT INTO transactions/.test(sql)) return around('intent', work, sqliteError)
      const step = /^INSERT INTO batches/.test(sql)
        ? 'batch row'
        : /^INSERT INTO entries/.test(sql)
          ? 'receipt'
          : undefined
      const owner = owners.get(this)
      if (step !== undefined && owner !== undefined) changed.set(owner, step)
      return work()
    },
)
patch(
  DatabaseSync.prototype,
  'exec',
  (original) =>
    function (this: DatabaseSync, sql: string) {
      const work = () => original.call(this, sql)
      if (sql !== 'COMMIT') return work()
      const step = changed.get(this)
      changed.delete(this)
      return around(step, work, (error) => {
        // A full or broken disk takes the whole transaction back.
        if (this.isTransaction) original.call(this, 'ROLLBACK')
        return sqliteError(error)
      })
    },
)

function sqliteError(error: unknown): Error {
  const { code } = error as { code: unknown }
  const isFull = code === 'ENOSPC'
  return Object.assign(new Error(isFull ? 'database or disk is full' : 'disk I/O error'), {
    code: 'ERR_SQLITE_ERROR',
    errcode: isFull ? 13 : 10,
  })
}

// The answer to the source.
patch(
  ServerResponse.prototype,
  'end',
  (original) =>
    function (this: ServerResponse, ...args: unknown[]) {
      const step = this.statusCode === 201 ? 'acknowledgement' : undefined
      return around(step, () => original.apply(this, args), asItIs)
    },
)

// The node: whether it has a transaction is for the chain to say, not for the answer.
const { fetch } = globalThis
globalThis.fetch = async (input, init) => {
  const isBroadcast = typeof init?.body === 'string' && init.body.includes('"eth_sendRawTransaction"')
  return await around(isBroadcast ? 'broadcast' : undefined, () => fetch(input, init), asItIs)
}

syncBuiltinESMExports()
