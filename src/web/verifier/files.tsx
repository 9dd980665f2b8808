import { useEffect, useRef, useState } from 'preact/hooks'
import type { Hex } from '../../bytes/hex.ts'
import { showCount } from '../format.ts'
import { useLanguage, useWords } from '../language.ts'
import { Verdict } from '../verdict.tsx'
import { check } from './check.ts'
import type { Checked } from './checked.ts'
import { type Given, type GivenFile, Intake } from './intake.tsx'
import { pageWords } from './page-words.ts'
import { NO_SETTINGS, optionsOf, SettingsForm } from './settings.tsx'
import { VERDICT_WORDS } from './words.ts'

/** The files that were given, and what came of each; all are checked again when the settings change. */
export function Files() {
  const say = useWords(pageWords)
  const language = useLanguage()
  const [files, setFiles] = useState<readonly GivenFile[]>([])
  const [settings, setSettings] = useState(NO_SETTINGS)
  const [outcomes, setOutcomes] = useState<ReadonlyMap<number, Checked>>(new Map())
  const ids = useRef(0)

  const add = (given: Given[]) =>
    setFiles((before) => [...before, ...given.map((one) => ({ ...one, id: ids.current++ }))])
  const trust = (hashes: readonly Hex[]) =>
    setSettings((before) => ({ ...before, blocks: [before.blocks.trim(), ...hashes].join('\n').trim() }))

  useEffect(() => {
    let stale = false
    const options = optionsOf(settings)
    setOutcomes(new Map())
    const checkAll = async () => {
      const beside = files.map(({ text }) => text)
      for (const { id, text } of files) {
        // What is done so far is painted before the next is begun.
        await new Promise((resume) => setTimeout(resume))
        if (stale) return
        const checked = await check(text, { ...options, beside })
        if (stale) return
        setOutcomes((before) => new Map(before).set(id, checked))
      }
    }
    void checkAll()
    return () => {
      stale = true
    }
  }, [files, settings])

  const done = files.filter(({ id }) => outcomes.has(id)).length
  return (
    <>
      <Intake onFiles={add} />
      <SettingsForm of={settings} onChange={setSettings} />
      <p role="status" class="visually-hidden">
        {files.length > 0 &&
          done === files.length &&
          say.summary(summaryOf([...outcomes.values()], language))}
      </p>
      {files.map(({ id, name, text }) => {
        const checked = outcomes.get(id)
        return (
          <article key={id} class="card file" data-file={name}>
            <div class="file-head">
              <h2>{name}</h2>
              <span class="soft">{say.bytes(showCount(text.length, language))}</span>
              <button
                type="button"
                aria-label={say.removeFile(name)}
                onClick={() => setFiles((before) => before.filter((one) => one.id !== id))}
              >
                {say.remove}
              </button>
            </div>
            {checked === undefined ? (
              <p class="soft">{say.checking}</p>
            ) : (
              <Verdict of={checked} onTrust={trust} />
            )}
          </article>
        )
      })}
    </>
  )
}

/** How many files came to each verdict. */
function summaryOf(all: readonly Checked[], language: 'en' | 'zh'): string {
  const counts = Map.groupBy(all, ({ verdict }) => verdict)
  return [...counts]
    .map(([verdict, some]) => `${VERDICT_WORDS[verdict].word[language]} ${some.length}`)
    .join(language === 'zh' ? '，' : ', ')
}
