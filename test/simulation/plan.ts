import { Chance } from '../../src/client/sample-chance.ts'
import { NODE_FAULTS, type NodeFault } from './node.ts'
import { PUBLISHER_FAULTS, type PublisherFault } from './publisher.ts'

/** How the indexer's life goes on. */
export const RESTARTS = ['stopped and started', 'ended without a word'] as const
type Restart = (typeof RESTARTS)[number]

/** What happens to a chain. */
export const REORGS = ['reorg', 'reorg to a shorter chain'] as const
type Reorg = (typeof REORGS)[number]

export interface Step {
  /** blocks to be made: how many batches go into each transaction of each */
  blocks: number[][]
  /** calls to the node that are waited for after each block, so that some blocks are seen and others not */
  calls: number
  /** `rested`: after the indexer has judged what is there, as far as faults let it */
  reorg: { kind: Reorg; depth: number; rested: boolean } | undefined
  node: NodeFault[]
  publisher: PublisherFault[]
  restart: { kind: Restart; afterCalls: number } | undefined
}

export interface Plan {
  seed: number
  finality: 'tag' | 'depth'
  /** blocks that are not final, and one: no reorg takes away more than there are */
  confirmations: number
  steps: Step[]
}

const DICE = 1_000_000

/** Everything that a seed decides but the batches (see `makeHistory`). */
export function planOf(seed: number, steps: number): Plan {
  const chance = new Chance(`tidemark simulation ${seed}`)
  const confirmations = chance.between(4, 12)
  return {
    seed,
    finality: chance.pick(['tag', 'depth'] as const),
    confirmations,
    steps: Array.from({ length: steps }, () => stepOf(chance, confirmations)),
  }
}

function stepOf(chance: Chance, confirmations: number): Step {
  const mostBlocks = chance.between(1, 6)
  return {
    blocks: Array.from({ length: mostBlocks }, () =>
      Array.from({ length: chance.below(3) }, () => chance.between(1, 4)),
    ),
    calls: chance.pick([0, 1, 3, 8] as const),
    reorg: chance.happens(50)
      ? {
          kind: chance.happens(30) ? REORGS[1] : REORGS[0],
          depth: chance.between(1, confirmations - 1),
          rested: chance.happens(60),
        }
      : undefined,
    node: Array.from({ length: chance.below(4) }, () => ({
      kind: chance.pick(NODE_FAULTS),
      times: chance.between(1, 6),
      mixed: chance.happens(50),
      dice: chance.below(DICE),
    })),
    publisher: Array.from({ length: chance.below(4) }, () => ({
      kind: chance.pick(PUBLISHER_FAULTS),
      times: chance.between(1, 6),
      dice: chance.below(DICE),
    })),
    restart: chance.happens(35) ? { kind: chance.pick(RESTARTS), afterCalls: chance.below(30) } : undefined,
  }
}
