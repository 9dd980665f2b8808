import { useWords } from '../../../language.ts'
import type { Entry } from './answers.ts'

const words = {
  announced: { en: 'to be verified', zh: '待核验' },
  verified: { en: 'verified', zh: '已核验' },
  fraud: { en: 'fraud', zh: '核验不符' },
  withheld: { en: 'files withheld', zh: '文件未提供' },
  final: { en: 'final', zh: '已最终确认' },
  notFinal: { en: 'not final yet', zh: '尚未最终确认' },
} as const

const MOODS = { announced: 'soft', verified: 'good', fraud: 'bad', withheld: 'warn' } as const

/** How far an entry of the ledger has come, in words. */
export function EntryState({ entry: { state, final } }: { entry: Entry }) {
  const say = useWords(words)
  return (
    <>
      <span class={MOODS[state]}>{say[state]}</span>
      <span class="soft"> · {final ? say.final : say.notFinal}</span>
    </>
  )
}
