import { OperationError } from '../errors.ts'

/** Bytes of one request that are held in memory. */
export interface Held {
  /** @throws {OperationError} `OVERLOADED` when there is no room for them; what is held stays held */
  add(bytes: number): void
  release(): void
}

/** Bounds what the bodies of all requests together hold, from their first byte until their answer. */
export class BytesInFlight {
  readonly #most: number
  #held = 0

  constructor(most: number) {
    this.#most = most
  }

  get held(): number {
    return this.#held
  }

  /**
   * Only what has arrived counts, not what was announced: otherwise a few idle clients would hold all of it.
   *
   * @throws {OperationError} `OVERLOADED`
   */
  expectRoom(bytes: number): void {
    if (this.#held + bytes <= this.#most) return
    throw new OperationError(
      'OVERLOADED',
      `requests of ${this.#held} bytes are being read, ${this.#most} are the most; try again soon`,
    )
  }

  hold(): Held {
    let own = 0
    return {
      add: (bytes) => {
        this.expectRoom(bytes)
        this.#held += bytes
        own += bytes
      },
      release: () => {
        this.#held -= own
        own = 0
      },
    }
  }
}
