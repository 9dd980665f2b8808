import type { Hex } from '../bytes/hex.ts'
import { showTransaction } from '../chain/evidence.ts'
import type { Rpc } from '../chain/rpc.ts'
import { fetchWholeBlock } from '../chain/whole-block.ts'
import { OperationError } from '../errors.ts'
import type { BlockEvidence, Place } from '../proof/index.ts'

/** A transaction shows in a few kilobytes. */
const MOST_KEPT = 256
/** Each takes a whole block from the node. */
const MOST_WAITING = 32

/** What shows a transaction of a final block: made for one block at a time, and kept for those who ask again. */
export class ShownPlaces {
  readonly #rpc: Rpc
  /** by block and transaction, the one made first at the beginning */
  readonly #kept = new Map<string, Promise<BlockEvidence>>()
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  constructor(rpc: Rpc) {
    this.#rpc = rpc
  }

  /** @throws {OperationError} `OVERLOADED` when too many wait; as `fetchWholeBlock` and `showTransaction` */
  async show({ blockHash, transactionHash }: Pick<Place, 'blockHash' | 'transactionHash'>) {
    const key = `${blockHash} ${transactionHash}`
    const kept = this.#kept.get(key)
    if (kept !== undefined) return await kept
    if (this.#waiting === MOST_WAITING) {
      throw new OperationError('OVERLOADED', `${MOST_WAITING} blocks wait to be read; try again soon`)
    }
    this.#waiting++
    const made = this.#last.then(() => this.#make(blockHash, transactionHash))
    this.#kept.set(key, made)
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > MOST_KEPT && oldest !== undefined) this.#kept.delete(oldest)
    this.#last = made
      .catch(() => void this.#kept.delete(key))
      .finally(() => {
        this.#waiting--
      })
    return await made
  }

  async #make(blockHash: Hex, transactionHash: Hex): Promise<BlockEvidence> {
    const whole = await fetchWholeBlock(this.#rpc, blockHash)
    return { header: whole.header, transactions: [showTransaction(whole, transactionHash)], accounts: [] }
  }
}
