import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { useWords } from '../language.ts'
import { pageWords } from './page-words.ts'

export interface Given {
  name: string
  text: string
}

export interface GivenFile extends Given {
  id: number
}

/** Far more than any history that a gateway makes; a browser does not hold much more as one text. */
const MOST_BYTES = 256 * 1024 * 1024

/** Files that are dropped anywhere on the page, chosen, or pasted as text. */
export function Intake({ onFiles }: { onFiles: (files: Given[]) => void }) {
  const say = useWords(pageWords)
  const id = useId()
  const [over, setOver] = useState(false)
  const [pasted, setPasted] = useState('')
  const [refused, setRefused] = useState<string[]>([])
  const take = async (list: FileList | null | undefined) => {
    const files = [...(list ?? [])]
    const small = files.filter(({ size }) => size <= MOST_BYTES)
    setRefused(files.filter((file) => !small.includes(file)).map(({ name }) => name))
    onFiles(await Promise.all(small.map(async (file) => ({ name: file.name, text: await file.text() }))))
  }
  const latest = useRef(take)
  latest.current = take

  useEffect(() => {
    const drag = (event: DragEvent) => {
      event.preventDefault()
      setOver(event.type === 'dragover')
      if (event.type === 'drop') void latest.current(event.dataTransfer?.files)
    }
    const events = ['dragover', 'dragleave', 'drop'] as const
    for (const name of events) addEventListener(name, drag)
    return () => {
      for (const name of events) removeEventListener(name, drag)
    }
  }, [])

  return (
    <section class={`card intake${over ? ' over' : ''}`} aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{say.files}</h2>
      <label class="button choose">
        {say.choose}
        <input
          class="visually-hidden"
          type="file"
          multiple
          accept=".json,application/json"
          onChange={({ currentTarget }) => {
            void take(currentTarget.files).then(() => {
              // So that the same file can be chosen again.
              currentTarget.value = ''
            })
          }}
        />
      </label>
      <p class="soft">{say.drop}</p>
      {refused.length > 0 && (
        <p class="bad" role="alert">
          {say.tooLarge(refused.join(', '))}
        </p>
      )}
      <details>
        <summary>{say.paste}</summary>
        <form
          onSubmit={(event) => {
            event.preventDefault()
            onFiles([{ name: say.pasted, text: pasted }])
            setPasted('')
          }}
        >
          <label for={`${id}-text`}>{say.pasteLabel}</label>
          <textarea
            id={`${id}-text`}
            rows={6}
            spellcheck={false}
            required
            value={pasted}
            onInput={({ currentTarget }) => setPasted(currentTarget.value)}
          />
          <button type="submit" class="primary">
            {say.check}
          </button>
        </form>
      </details>
    </section>
  )
}
