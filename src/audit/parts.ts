import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { utf8 } from '../bytes/bytes.ts'
import { sha256 } from '../bytes/sha256.ts'
import { OperationError } from '../errors.ts'
import { isMissing, orStoreFailed } from '../store/durable.ts'

export interface PartsOptions {
  /** where a folder for them may be made, once it is needed */
  folder: string
  /** how many values memory holds at most */
  mostHeld?: number
}

const PARTS = 256

/**
 * More values than fit into memory, in 256 parts by the SHA-256 of their keys: values of one key are in one part.
 *
 * What is more than `mostHeld` moves to files in a folder of their own, which is gone after `remove`.
 *
 * @template T what JSON can spell
 */
export class Parts<T> {
  readonly #parent: string
  readonly #mostHeld: number
  readonly #held = Array.from({ length: PARTS }, (): T[] => [])
  #count = 0
  #folder: string | undefined

  constructor({ folder, mostHeld = 50_000 }: PartsOptions) {
    this.#parent = folder
    this.#mostHeld = mostHeld
  }

  /** Have `relieve` called soon after. */
  add(key: string, value: T): void {
    this.#held[sha256(utf8(key))[0] ?? 0]?.push(value)
    this.#count++
  }

  /**
   * Moves everything to files where memory holds enough.
   *
   * @throws {OperationError} `STORE_FAILED` when the folder cannot be written
   */
  async relieve(): Promise<void> {
    if (this.#count < this.#mostHeld) return
    this.#folder ??= await makeFolder(this.#parent)
    for (const [index, part] of this.#held.entries()) {
      const path = join(this.#folder, String(index))
      const lines = part.splice(0).map((value) => `${JSON.stringify(value)}\n`)
      if (lines.length > 0) await orStoreFailed(path, () => appendFile(path, lines.join('')))
    }
    this.#count = 0
  }

  /**
   * Every part that there is.
   *
   * @throws {OperationError} `STORE_FAILED` when a file cannot be read
   */
  async *all(): AsyncGenerator<T[], void, undefined> {
    for (const [index, part] of this.#held.entries()) {
      const earlier = this.#folder === undefined ? [] : await loadPart<T>(join(this.#folder, String(index)))
      yield [...earlier, ...part]
    }
  }

  async remove(): Promise<void> {
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true })
  }
}

async function makeFolder(parent: string): Promise<string> {
  try {
    return await mkdtemp(join(parent, 'tidemark-parts-'))
  } catch (cause) {
    throw new OperationError('STORE_FAILED', `could not write ${parent}: ${(cause as Error).message}`, {
      cause,
    })
  }
}

async function loadPart<T>(path: string): Promise<T[]> {
  try {
    const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1)
    // Nobody but us has written there.
    return lines.map((line) => JSON.parse(line) as T)
  } catch (cause) {
    if (isMissing(cause)) return []
    throw new OperationError('STORE_FAILED', `could not read ${path}`, { cause })
  }
}
