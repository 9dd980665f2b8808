import { useEffect, useState } from 'preact/hooks'
import { Choice } from '../choice.tsx'
import { LANGUAGES, type Language, LanguageContext, startLanguage, useWords } from '../language.ts'
import { LANGUAGE, LANGUAGE_NAMES, remember, remembered, THEME, THEMES } from '../remembered.ts'
import './page.css'
import { Files } from './files.tsx'
import { pageWords } from './page-words.ts'

/** The verifier: a page that is a single file, checks what it is given, and asks nobody unless it is told to. */
export function VerifierPage() {
  const [language, setLanguage] = useState<Language>(() =>
    startLanguage(remembered(LANGUAGE), navigator.languages),
  )
  return (
    <LanguageContext.Provider value={language}>
      <Page language={language} setLanguage={setLanguage} />
    </LanguageContext.Provider>
  )
}

interface PageProps {
  language: Language
  setLanguage(language: Language): void
}

function Page({ language, setLanguage }: PageProps) {
  const say = useWords(pageWords)
  const [theme, setTheme] = useState(() => THEMES.find((known) => known === remembered(THEME)) ?? 'auto')
  useEffect(() => {
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en'
    document.title = say.title
    remember(LANGUAGE, language)
  }, [language, say.title])
  useEffect(() => {
    document.documentElement.dataset.theme = theme
    remember(THEME, theme)
  }, [theme])
  return (
    <>
      <header>
        <h1>{say.title}</h1>
        <div class="settings">
          <Choice
            label={say.language}
            value={language}
            options={LANGUAGES.map((one) => [one, LANGUAGE_NAMES[one]])}
            named
            onChoose={setLanguage}
          />
          <Choice
            label={say.theme}
            value={theme}
            options={[
              ['auto', say.auto],
              ['light', say.light],
              ['dark', say.dark],
            ]}
            onChoose={setTheme}
          />
        </div>
      </header>
      <main>
        <p>{say.intro}</p>
        <Files />
      </main>
      <footer class="soft">
        <p>{say.private}</p>
        {location.protocol !== 'file:' && (
          <p>
            {say.saveWhy}{' '}
            <a href={location.pathname} download="tidemark-verify.html">
              {say.save}
            </a>
          </p>
        )}
      </footer>
    </>
  )
}
