import { Chance } from '../../src/client/sample-chance.ts'
import { goodBundles } from '../vectors/bad.ts'
import { judgeOf, type Outcome } from './judge.ts'
import { MUTATIONS, pick } from './mutate.ts'

interface Finding {
  /** which of the seed's mutations */
  number: number
  bundle: string
  mutation: string
  outcome: Outcome
  text: string
}

/** How `count` mutations of the good bundles ended, by outcome and by mutation; `false` are those that must not be. */
export async function runMutations(seed: number, count: number) {
  const chance = new Chance(`mutations ${seed}`)
  const goods = [...goodBundles()]
  const texts = goods.map(({ bundle }) => bundle)
  const judges = await Promise.all(goods.map(judgeOf))
  const mutations = Object.entries(MUTATIONS)
  const outcomes: Record<string, number> = {}
  const met: Record<string, number> = {}
  const wrong: Finding[] = []
  for (let number = 0; number < count; ) {
    const which = chance.below(goods.length)
    const [name, mutate] = pick(chance, mutations)
    const good = texts[which] ?? ''
    const text = mutate(good, texts, chance)
    if (text === undefined || text === good) continue
    const outcome = (await judges[which]?.(text)) ?? 'FALSE: nobody judges it'
    const kind = outcome.startsWith('FALSE') ? 'FALSE' : outcome
    outcomes[kind] = (outcomes[kind] ?? 0) + 1
    met[name] = (met[name] ?? 0) + 1
    if (kind === 'FALSE')
      wrong.push({ number, bundle: goods[which]?.name ?? '', mutation: name, outcome, text })
    number++
  }
  return { outcomes, met, wrong }
}
