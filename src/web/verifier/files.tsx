import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
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

/** What came of each file under these settings; under others it counts no more. */
interface Outcomes {
  settings: typeof NO_SETTINGS
  of: ReadonlyMap<number, Checked>
}

/** The files that were given, and what came of each. */
export function Files() {
  const say = useWords(pageWords)
  const language = useLanguage()
  const [files, setFiles] = useState<readonly GivenFile[]>([])
  const [settings, setSettings] = useState(NO_SETTINGS)
  const outcomes = useOutcomes(files, settings)
  const ids = useRef(0)

  const add = (given: Given[]) =>
    setFiles((before) => [...before, ...given.map((one) => ({ ...one, id: ids.current++ }))])
  const remove = useCallback((id: number) => setFiles((before) => before.filter((one) => one.id !== id)), [])
  const trust = useCallback(
    (hashes: readonly Hex[]) =>
      setSettings((before) => ({ ...before, blocks: [before.blocks.trim(), ...hashes].join('\n').trim() })),
    [],
  )
  const all = files.map(({ id }) => outcomes.get(id)).filter((one) => one !== undefined)
  const isBusy = all.length < files.length
  return (
    <>
      <Intake onFiles={add} />
      <SettingsForm of={settings} onChange={setSettings} />
      <p role="status" class="visually-hidden">
        {files.length > 0 && !isBusy && say.summary(summaryOf(all, language))}
      </p>
      <div class="files" aria-busy={isBusy}>
        {files.map((file) => (
          <FileCard
            key={file.id}
            file={file}
            checked={outcomes.get(file.id)}
            onRemove={remove}
            onTrust={trust}
          />
        ))}
      </div>
    </>
  )
}

/** Checks one file after the other, those again that other settings, or another file, may tell more of. */
function useOutcomes(
  files: readonly GivenFile[],
  settings: typeof NO_SETTINGS,
): ReadonlyMap<number, Checked> {
  const [outcomes, setOutcomes] = useState<Outcomes>({ settings, of: new Map() })
  const current = outcomes.settings === settings ? outcomes.of : NOTHING
  const known = useRef(current)
  known.current = current
  useEffect(() => {
    let isStale = false
    const options = optionsOf(settings)
    const checkAll = async () => {
      const beside = files.map(({ text }) => text)
      const found = new Map(known.current)
      let drawAt = 0
      for (const { id, text } of files.filter((file) => mayTellMore(found.get(file.id)))) {
        const startedAt = performance.now()
        if (startedAt >= drawAt) {
          setOutcomes({ settings, of: new Map(found) })
          // What is done so far is painted before the next is begun.
          await new Promise((resume) => setTimeout(resume))
          const drawnAt = performance.now()
          drawAt = drawnAt + Math.max(LEAST_PAUSE_MS, PAUSE_PER_DRAWING * (drawnAt - startedAt))
        }
        if (isStale) return
        found.set(id, await check(text, { ...options, beside }))
      }
      if (!isStale) setOutcomes({ settings, of: found })
    }
    void checkAll()
    return () => {
      isStale = true
    }
  }, [files, settings])
  return current
}

/** Often enough for an eye, and seldom enough that hundreds of files are not drawn hundreds of times. */
const LEAST_PAUSE_MS = 100
const PAUSE_PER_DRAWING = 5

const NOTHING: ReadonlyMap<number, Checked> = new Map()

/** A receipt waits for the proof of its submission. */
const mayTellMore = (checked: Checked | undefined) =>
  checked === undefined || (checked.kind === 'receipt' && checked.verdict === 'unchecked')

interface FileCardProps {
  file: GivenFile
  checked: Checked | undefined
  onRemove: (id: number) => void
  onTrust: (hashes: readonly Hex[]) => void
}

function FileCard({ file, checked, onRemove, onTrust }: FileCardProps) {
  const { id, name, text } = file
  const say = useWords(pageWords)
  const language = useLanguage()
  // Made once for each outcome: what came of other files does not draw this one again.
  const verdict = useMemo(() => checked && <Verdict of={checked} onTrust={onTrust} />, [checked, onTrust])
  return (
    <article class="card file" data-file={name}>
      <div class="file-head">
        <h2 id={`file-${id}`} translate={false}>
          {name}
        </h2>
        <span class="soft">{say.characters(showCount(text.length, language))}</span>
        <button type="button" aria-describedby={`file-${id}`} onClick={() => onRemove(id)}>
          {say.remove}
        </button>
      </div>
      {verdict ?? <p class="soft">{say.checking}</p>}
    </article>
  )
}

/** How many files came to each verdict. */
function summaryOf(all: readonly Checked[], language: 'en' | 'zh'): string {
  const counts = Map.groupBy(all, ({ verdict }) => verdict)
  return [...counts]
    .map(([verdict, some]) => `${VERDICT_WORDS[verdict].word[language]} ${some.length}`)
    .join(language === 'zh' ? '，' : ', ')
}
