import type { Hex } from '../bytes/hex.ts'
import { breakerTarget, type TripBreaker } from '../chain/breaker.ts'
import type { RightsIdentity } from '../chain/deploy.ts'
import { fetchLogs } from '../chain/logs.ts'
import { decodeRightsEvent } from '../chain/rights-events.ts'
import type { Rpc } from '../chain/rpc.ts'
import { OperationError } from '../errors.ts'
import { EVERYTHING } from '../rules/call-during-trip.ts'
import { type Database, inTransaction } from '../store/database.ts'
import type { OwnRecords } from '../store/own-records.ts'
import type { Trips } from '../store/trips.ts'
import type { Block, ChainFacts } from '../verify/index.ts'

export interface BreakerParts {
  database: Database
  trips: Trips
  records: { own: OwnRecords; source: string }
  rpc: Rpc
  chain: Pick<ChainFacts, 'blockByNumber'>
  rights: RightsIdentity
  finalBlock: () => bigint
  /** absent where nobody has the key of a guardian */
  trip?: TripBreaker
  onTrouble: (message: string, error?: unknown) => void
}

/** Sends the trips that rules ask for, and records every trip and reset that the chain shows for good. */
export class BreakerKeeper {
  readonly #parts: BreakerParts

  constructor(parts: BreakerParts) {
    this.#parts = parts
  }

  /**
   * Sends one trip.
   *
   * @returns false when none is due
   * @throws {OperationError} when the chain cannot be reached, or takes it later
   */
  async sendTrip(): Promise<boolean> {
    const { trips, trip, onTrouble } = this.#parts
    const due = trips.due()
    if (due === undefined) return false
    const what = due.kind === 'everything' ? 'everything' : `${due.kind} ${due.name}`
    try {
      if (trip === undefined) throw nobody()
      await trip(breakerTarget(due.kind, due.name), due.reason)
      onTrouble(`the breaker of ${what} is tripped: ${due.reason}`)
    } catch (error) {
      if (!(error instanceof OperationError) || error.retryable) throw error
      onTrouble(`the breaker of ${what} could not be tripped`, error)
    }
    trips.drop(due.id)
    return true
  }

  /** Writes down the trips and resets up to the final block, each once. */
  async follow(): Promise<void> {
    const { database, trips, rpc, rights, finalBlock } = this.#parts
    const from = trips.nextBlock ?? rights.deploymentBlock
    const to = finalBlock()
    if (from > to) return
    const filter = { address: rights.registry, topics: [] }
    for await (const { logs, lastBlock } of fetchLogs(rpc, filter, from, to)) {
      const steps: (() => void)[] = []
      for (const log of logs) {
        const event = decodeRightsEvent(log, 'registry')
        if (event?.name === 'SourceAdded') {
          steps.push(() => trips.name('source', event.source, event.uri))
        } else if (event?.name === 'ResourceSet') {
          steps.push(() => trips.name('resource', event.resource, event.resourceName))
        } else if (event?.name === 'Tripped' || event?.name === 'Reset') {
          const block = await this.#block(log.blockNumber)
          const { name: action, target, reason } = event
          steps.push(() => {
            const name = target.kind === 'everything' ? EVERYTHING : trips.nameOf(target.kind, target.id)
            this.#record(log, { block, action, target: isName(name) ? name : target.id, reason })
          })
        }
      }
      inTransaction(database, () => {
        for (const step of steps) step()
        trips.advance(lastBlock + 1n)
      })
    }
  }

  async #block(number: bigint): Promise<Block> {
    const block = await this.#parts.chain.blockByNumber(number)
    if (block === undefined) throw new OperationError('RPC_LAGS', `the node has no block ${number}`)
    return block
  }

  #record(
    { transactionHash, logIndex }: { transactionHash: Hex; logIndex: number },
    {
      block,
      action,
      target,
      reason,
    }: { block: Block; action: 'Tripped' | 'Reset'; target: string; reason: string },
  ): void {
    const { own, source } = this.#parts.records
    const isWord = reason.length <= 64 && /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/.test(reason)
    own.add(
      JSON.stringify({
        specversion: '1.0',
        id: `breaker-${transactionHash.slice(2)}-${logIndex}`,
        source,
        type: 'tidemark.breaker.v1',
        time: new Date(1_000 * Number(block.timestamp)).toISOString(),
        data: {
          target,
          action: action === 'Tripped' ? 'trip' : 'reset',
          reason: isWord ? reason : 'other',
          // On the chain it is for everybody; here it is kept as texts of people are.
          ...(!isWord && reason !== '' && { note: reason.slice(0, 4_096).toWellFormed() }),
        },
      }),
    )
  }
}

/** Whether a record can name it so. */
const isName = (name: string | undefined): name is string =>
  name !== undefined && name !== '' && name.length <= 256 && name.isWellFormed()

const nobody = () =>
  new OperationError('CHAIN_FAILED', 'there is no guardian to trip the breaker', { retryable: false })
