import { Chance } from '../../src/client/sample-chance.ts'
import { type ChainFault, DEEPEST_REORG } from './chain.ts'
import type { RpcFault } from './proxy.ts'
import { DISK_STEPS, DURABLE_STEPS, type Fault } from './steps.ts'

/** What befalls one gateway, often in a new life of it. */
export interface Step {
  /** which gateway; the others live on */
  victim: number
  /** how its life before ends: at whatever moment that is, or in order; undefined when it goes on */
  end: 'SIGKILL' | 'SIGTERM' | undefined
  /** of the new life */
  faults: Fault[]
  rpc?: RpcFault
  chain?: ChainFault
}

export interface Plan {
  name: string
  gateways: number
  /** whether every fault of a process or a node is waited for until it has struck */
  patient?: boolean
  steps: Step[]
}

/** Everything that a seed decides. */
export function planOf(seed: number, steps: number): Plan {
  const chance = new Chance(`tidemark chaos ${seed}`)
  const gateways = chance.happens(25) ? 2 : 1
  return {
    name: `seed ${seed}`,
    gateways,
    steps: Array.from({ length: steps }, () => stepOf(chance, gateways)),
  }
}

function stepOf(chance: Chance, gateways: number): Step {
  const step: Step = { victim: chance.below(gateways), end: undefined, faults: [] }
  const kind = chance.below(100)
  if (kind < 45) step.faults.push(killOf(chance))
  else if (kind < 75) step.faults.push(diskFaultOf(chance))
  // What fails is then often killed as well.
  if (kind >= 45 && kind < 75 && chance.happens(30)) step.faults.push(killOf(chance))
  if (kind >= 65 || chance.happens(25)) step.rpc = rpcFaultOf(chance)
  if (kind >= 75 || chance.happens(30)) step.chain = chainFaultOf(chance)
  // A fault of the process is planned before it starts; the others befall it while it runs.
  if (step.faults.length > 0 || chance.happens(30)) step.end = chance.happens(70) ? 'SIGKILL' : 'SIGTERM'
  return step
}

const sideOf = (chance: Chance) => chance.pick(['before', 'after'] as const)

const killOf = (chance: Chance): Fault => ({
  step: chance.pick(DURABLE_STEPS),
  when: sideOf(chance),
  act: 'kill',
  nth: chance.between(1, 4),
  times: 1,
})

function diskFaultOf(chance: Chance): Fault {
  const times = chance.pick([1, 1, 2, 5] as const)
  const nth = chance.between(1, 5)
  if (chance.happens(10)) return { step: 'log write', when: 'before', act: 'short', nth, times }
  const act = chance.pick(['EIO', 'ENOSPC'] as const)
  return { step: chance.pick(DISK_STEPS), when: sideOf(chance), act, nth, times }
}

function rpcFaultOf(chance: Chance): RpcFault {
  const times = chance.between(1, 30)
  switch (chance.below(6)) {
    case 0:
      return { kind: 'cut', when: sideOf(chance), times: chance.between(1, 8) }
    case 1:
      return { kind: 'delay', delayMs: chance.between(20, 300), times: chance.between(1, 5) }
    case 2:
      return { kind: 'duplicate', times }
    case 3:
      return { kind: 'old', blocks: chance.between(1, 8), mixed: chance.happens(50), times: 2 * times }
    case 4:
      return { kind: 'refuse', times: chance.between(1, 8) }
    default:
      return { kind: 'swallow', times: chance.between(1, 3) }
  }
}

function chainFaultOf(chance: Chance): ChainFault {
  switch (chance.below(5)) {
    case 0:
    case 1:
      return { kind: 'reorg', depth: chance.between(1, DEEPEST_REORG) }
    case 2:
      return { kind: 'vanish' }
    case 3:
      return { kind: 'base fee', times: 10 }
    default:
      return { kind: 'no blocks', forMs: chance.between(100, 500) }
  }
}
