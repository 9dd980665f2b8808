import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Header, hashHeader } from '../batch/index.ts'
import { type Hex, toHex } from '../bytes/hex.ts'
import { OperationError } from '../errors.ts'
import { BatchFolder } from '../store/batch-folder.ts'
import { isMissing } from '../store/durable.ts'
import { DEFAULT_DOWNLOAD_TIMEOUTS, type DownloadTimeouts, download } from './download.ts'
import { largestFile, PUBLIC_FILES, type PublicFile } from './file-limits.ts'

/** Where a publisher gives out its batches. */
export interface PublisherAddress {
  /** of its API: `/v1/batches/…` follows */
  url: string
  /** bearer token, where it wants one */
  token?: string
}

export interface FetcherParts {
  publishers: ReadonlyMap<Hex, PublisherAddress>
  /** where batches lie until they are verified */
  incomingPath: string
  timeouts?: DownloadTimeouts
  /** between tries that are made at once */
  pausesMs?: readonly number[]
}

const DEFAULT_PAUSES_MS = [500, 2_000]

/** Fetches the files of batches from their publishers, none of whom it believes. */
export class Fetcher {
  readonly #parts: FetcherParts

  constructor(parts: FetcherParts) {
    this.#parts = parts
  }

  /** Where the files of a batch lie until they are verified: a reorg may give its number to another header. */
  incoming(header: Header): BatchFolder {
    return new BatchFolder(join(this.#parts.incomingPath, toHex(hashHeader(header)).slice(2)))
  }

  /**
   * Removes what came of batches that a reorg took away before they were verified.
   *
   * @param wanted entries whose batches may be fetched
   */
  async tidy(wanted: () => readonly { header: Header }[]): Promise<void> {
    const { incomingPath } = this.#parts
    try {
      const there = await readdir(incomingPath)
      if (there.length === 0) return
      const kept = new Set(wanted().map(({ header }) => this.incoming(header).root))
      const gone = there.map((name) => join(incomingPath, name)).filter((path) => !kept.has(path))
      for (const path of gone) await rm(path, { recursive: true, force: true })
    } catch (cause) {
      if (isMissing(cause)) return
      throw new OperationError('STORE_FAILED', `could not tidy up ${incomingPath}`, { cause })
    }
  }

  /** Where a file of a batch is to be had; undefined when the publisher's address is not known. */
  addressOf({ publisher, sequence }: Header, name: PublicFile): URL | undefined {
    const known = this.#parts.publishers.get(publisher)
    if (known === undefined) return undefined
    return new URL(`${known.url.replace(/\/+$/, '')}/v1/batches/${publisher}/${sequence}/${name}`)
  }

  /**
   * Brings all files of a batch into its incoming folder; those that are whole there already are not asked for again.
   *
   * @throws {OperationError} `PUBLISHER_UNREACHABLE` when they are not to be had; `STORE_FAILED`
   */
  async fetch(header: Header, signal: AbortSignal): Promise<void> {
    const folder = this.incoming(header).pathOf(header.publisher, header.sequence)
    await mkdir(folder, { recursive: true }).catch((cause: Error) => {
      throw new OperationError('STORE_FAILED', `could not make ${folder}: ${cause.message}`, { cause })
    })
    for (const name of PUBLIC_FILES) {
      const path = join(folder, name)
      if (!(await exists(path))) await this.#fetchFile(header, name, path, signal)
    }
  }

  async #fetchFile(header: Header, name: PublicFile, path: string, signal: AbortSignal): Promise<void> {
    const { publishers, timeouts = DEFAULT_DOWNLOAD_TIMEOUTS, pausesMs = DEFAULT_PAUSES_MS } = this.#parts
    const url = this.addressOf(header, name)
    if (url === undefined) throw unknownAddress(header)
    const token = publishers.get(header.publisher)?.token
    const job = {
      url,
      path,
      maxBytes: largestFile(name, header.recordCount),
      timeouts,
      signal,
      ...(token !== undefined && { token }),
    }
    for (const pauseMs of [...pausesMs, undefined]) {
      try {
        return await download(job)
      } catch (error) {
        if (pauseMs === undefined || signal.aborted) throw error
        if (!(error instanceof OperationError) || !error.retryable) throw error
        await delay(pauseMs, undefined, { signal }).catch(() => undefined)
      }
    }
  }
}

const unknownAddress = ({ publisher }: Header) =>
  new OperationError(
    'PUBLISHER_UNREACHABLE',
    `no address is known of publisher ${publisher}: name it with --publisher`,
    { retryable: false },
  )

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw new OperationError('STORE_FAILED', `could not look for ${path}`, { cause: error })
  }
}
