import type { Indexing } from '../indexer/service.ts'

/** How far an indexer is, at one moment. */
export interface Standing {
  /** blocks read since the deployment, and all that there are */
  blocks: number
  allBlocks: number
  /** batches judged, and all that are known */
  batches: number
  allBatches: number
}

const REDRAW_MS = 500
const LOG_MS = 10_000

/**
 * Shows how far an indexer has come until it has caught up: one line on a terminal, anywhere else a line of the log now
 * and then.
 */
export function createCatchUp(
  stream: NodeJS.WriteStream,
  { indexing, identity }: { indexing: Indexing; identity: { deploymentBlock: bigint } },
  log: (message: string) => void,
) {
  const startedAt = performance.now()
  const first = standingOf(indexing, identity.deploymentBlock)
  let isBehind = true
  const timer = setInterval(
    () => {
      const now = standingOf(indexing, identity.deploymentBlock)
      if (isCaughtUp(now)) {
        if (isBehind)
          say(`caught up: ${now.batches} batches up to block ${indexing.follower.state.head}`, true)
        isBehind = false
      } else if (isBehind || now.allBatches - now.batches > NOTABLE_BATCHES) {
        isBehind = true
        say(describeStanding(first, now, performance.now() - startedAt), false)
      }
    },
    stream.isTTY ? REDRAW_MS : LOG_MS,
  )

  function say(message: string, isLast: boolean): void {
    if (!stream.isTTY) log(message)
    else stream.write(`\r\u001b[K${message}${isLast ? '\n' : ''}`)
  }

  return { stop: () => clearInterval(timer) }
}

/** So many new batches are worth a word once it had caught up. */
const NOTABLE_BATCHES = 100

function standingOf({ follower, entries }: Indexing, deploymentBlock: bigint): Standing {
  const { head, scannedBlock, size } = follower.state
  return {
    blocks: Math.max(Number(scannedBlock - deploymentBlock) + 1, 0),
    allBlocks: Math.max(Number(head - deploymentBlock) + 1, 0),
    batches: Number(size) - entries.countInState('announced'),
    allBatches: Number(size),
  }
}

const isCaughtUp = ({ blocks, allBlocks, batches, allBatches }: Standing) =>
  allBlocks > 0 && blocks >= allBlocks && batches >= allBatches

/**
 * What is done, and how long the rest takes at the pace since the start.
 *
 * The batches of blocks not read yet are taken to be as many a block as before.
 */
export function describeStanding(
  first: Standing,
  now: Standing,
  elapsedMs: number,
  what = 'catching up',
): string {
  const blocksLeft = now.allBlocks - now.blocks
  const batchesAhead = now.blocks === 0 ? 0 : (blocksLeft * now.allBatches) / now.blocks
  const leftMs = Math.max(
    restMs(now.blocks - first.blocks, blocksLeft, elapsedMs),
    restMs(now.batches - first.batches, now.allBatches - now.batches + batchesAhead, elapsedMs),
  )
  const estimate = Number.isFinite(leftMs) ? `, about ${spell(leftMs)} left` : ''
  return `${what}: block ${now.blocks} of ${now.allBlocks}, batch ${now.batches} of ${now.allBatches}${estimate}`
}

const restMs = (done: number, left: number, elapsedMs: number): number =>
  left <= 0 ? 0 : done <= 0 ? Number.POSITIVE_INFINITY : (elapsedMs * left) / done

function spell(ms: number): string {
  const seconds = Math.ceil(ms / 1_000)
  if (seconds < 90) return `${seconds} s`
  const minutes = Math.ceil(seconds / 60)
  return minutes < 90 ? `${minutes} min` : `${Math.ceil(minutes / 60)} h`
}
