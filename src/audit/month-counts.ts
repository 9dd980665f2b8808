import { FrameReader, type Header, verifyRecords } from '../batch/index.ts'
import { DepartmentCounts, type Figures, type Period, type SharedResource } from '../rules/departments.ts'
import type { BatchFolder } from '../store/batch-folder.ts'
import { Parts, type PartsOptions } from './parts.ts'

/**
 * The figures of departments in a period, from batch files that are held against their headers.
 *
 * Batches may come in any order. Memory grows as that of `DepartmentCounts` does; which requests were answered, files
 * hold beyond `mostHeld` of them, until `close`.
 */
export class MonthCounts {
  readonly #counts: DepartmentCounts
  /** department and request */
  readonly #served: Parts<readonly [string, string]>

  constructor(period: Period, options: PartsOptions) {
    const served = new Parts<readonly [string, string]>(options)
    this.#served = served
    this.#counts = new DepartmentCounts(period, (department, requestId) =>
      served.add(`${department}\0${requestId}`, [department, requestId]),
    )
  }

  /**
   * Adds a batch. What was counted is of no use where it throws.
   *
   * @throws {VerificationError} when the records are not those of the header
   * @throws {OperationError} when the files cannot be read
   */
  async add(folder: BatchFolder, header: Header): Promise<void> {
    const batch = await folder.open(header.publisher, header.sequence)
    try {
      const reader = new FrameReader((facts, _record, textOf) => this.#counts.add(facts, textOf))
      for await (const { text, isLast } of batch.frames()) {
        reader.read(text, isLast)
        await this.#served.relieve()
        if (reader.count > header.recordCount) break
      }
      verifyRecords(header, reader.finish())
    } finally {
      await batch.close()
    }
  }

  /** @param shared as `DepartmentCounts.finish` takes it */
  async figures(shared?: readonly SharedResource[]): Promise<Figures> {
    const served = new Map<string, number>()
    for await (const part of this.#served.all()) {
      const distinct = new Map(part.map((request) => [JSON.stringify(request), request[0]]))
      for (const department of distinct.values()) served.set(department, (served.get(department) ?? 0) + 1)
    }
    return this.#counts.finish(served, shared)
  }

  close(): Promise<void> {
    return this.#served.remove()
  }
}
