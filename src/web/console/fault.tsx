import { useLanguage, useWords } from '../language.ts'
import { problemWords } from './problem-words.ts'

const words = {
  again: { en: 'Try again', zh: '重试' },
}

/** Says why something is not there, and what can be done. */
export function Fault({ of: fault, again }: { of: unknown; again?: (() => void) | undefined }) {
  const say = useWords(words)
  const language = useLanguage()
  const { words: told, detail } = problemWords(fault)
  return (
    <div class="card failed" role="alert">
      <p>{told[language]}</p>
      {detail !== undefined && (
        <p class="soft" lang="en" translate={false}>
          {detail}
        </p>
      )}
      {again !== undefined && (
        <button type="button" onClick={again}>
          {say.again}
        </button>
      )}
    </div>
  )
}
