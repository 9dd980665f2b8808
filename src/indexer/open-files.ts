import { type FileHandle, open } from 'node:fs/promises'
import { OperationError } from '../errors.ts'

/** Reads from many files, of which the ones read last stay open; one read at a time. */
export class OpenFiles {
  readonly #most: number
  /** in the order of use, least recent first */
  readonly #open = new Map<string, FileHandle>()

  constructor(most: number) {
    this.#most = most
  }

  /** @throws {OperationError} `STORE_DAMAGED` when the file ends before */
  async read(path: string, offset: number, length: number): Promise<Uint8Array> {
    const handle = await this.#use(path)
    const bytes = new Uint8Array(length)
    const { bytesRead } = await handle.read(bytes, 0, length, offset)
    if (bytesRead === length) return bytes
    throw new OperationError('STORE_DAMAGED', `${path} ends before byte ${offset + length}`)
  }

  async close(): Promise<void> {
    const all = [...this.#open.values()]
    this.#open.clear()
    await Promise.all(all.map((handle) => handle.close()))
  }

  async #use(path: string): Promise<FileHandle> {
    const handle = this.#open.get(path) ?? (await open(path, 'r'))
    this.#open.delete(path)
    this.#open.set(path, handle)
    const [oldest] = this.#open
    if (this.#open.size > this.#most && oldest !== undefined) {
      this.#open.delete(oldest[0])
      await oldest[1].close()
    }
    return handle
  }
}
