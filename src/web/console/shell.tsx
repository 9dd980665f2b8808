import type { ComponentType } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { Choice } from '../choice.tsx'
import { LANGUAGES, LanguageContext, startLanguage, useLanguage, useWords } from '../language.ts'
import { LANGUAGE, LANGUAGE_NAMES, remember, remembered, THEME, THEMES, type Theme } from '../remembered.ts'
import { Link, RouterProvider, useRouter } from './router.tsx'
import { SessionProvider } from './session.tsx'
import { SignIn } from './sign-in.tsx'
import { isView, VIEWS, type ViewPath } from './views.ts'

const words = {
  skip: { en: 'Skip to content', zh: '跳到正文' },
  views: { en: 'Views', zh: '视图' },
  more: { en: 'More', zh: '更多' },
  language: { en: 'Language', zh: '语言' },
  theme: { en: 'Colours', zh: '配色' },
  verifier: { en: 'Verify a file', zh: '验证文件' },
  nowhere: { en: 'There is no such page.', zh: '没有这个页面。' },
  broken: {
    en: 'This page could not be loaded. Reload it.',
    zh: '页面未能加载，请刷新。',
  },
} as const

const THEME_NAMES = {
  auto: { en: 'Automatic', zh: '跟随系统' },
  light: { en: 'Light', zh: '浅色' },
  dark: { en: 'Dark', zh: '深色' },
} as const

/** The console: who reads, in which language, and the view that the path names. */
export function Console() {
  const [language, setLanguage] = useState(() => startLanguage(remembered(LANGUAGE), navigator.languages))
  const [theme, setTheme] = useState(() => THEMES.find((known) => known === remembered(THEME)) ?? 'auto')
  useEffect(() => {
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en'
    remember(LANGUAGE, language)
  }, [language])
  useEffect(() => {
    document.documentElement.dataset.theme = theme
    remember(THEME, theme)
  }, [theme])
  return (
    <LanguageContext.Provider value={language}>
      <SessionProvider>
        <RouterProvider>
          <Frame
            settings={
              <>
                <Choice
                  label={words.language[language]}
                  value={language}
                  options={LANGUAGES.map((one) => [one, LANGUAGE_NAMES[one]])}
                  named
                  onChoose={setLanguage}
                />
                <Choice
                  label={words.theme[language]}
                  value={theme}
                  options={THEMES.map((one): [Theme, string] => [one, THEME_NAMES[one][language]])}
                  onChoose={setTheme}
                />
              </>
            }
          />
        </RouterProvider>
      </SessionProvider>
    </LanguageContext.Provider>
  )
}

function Frame({ settings }: { settings: preact.JSX.Element }) {
  const say = useWords(words)
  const language = useLanguage()
  const { path } = useRouter()
  const [isOpen, setOpen] = useState(false)
  const nav = useRef<HTMLElement>(null)
  const paths = Object.keys(VIEWS).filter(isView)
  // On a phone the views are one row that scrolls: the one that is shown should be seen in it.
  useEffect(() => {
    const current = nav.current?.querySelector<HTMLElement>('[aria-current]')
    if (current != null && nav.current !== null) {
      nav.current.scrollLeft = current.offsetLeft - (nav.current.clientWidth - current.offsetWidth) / 2
    }
  }, [path, language])
  return (
    <>
      <a class="skip" href="#content">
        {say.skip}
      </a>
      <header>
        <strong class="brand">Tidemark</strong>
        <button
          type="button"
          class="more"
          aria-expanded={isOpen}
          aria-controls="settings"
          onClick={() => setOpen(!isOpen)}
        >
          {say.more}
        </button>
        <nav ref={nav} aria-label={say.views}>
          {paths.map((one) => (
            <Link key={one} to={one} current={one === path}>
              {VIEWS[one].name[language]}
            </Link>
          ))}
        </nav>
        <div id="settings" class={`settings${isOpen ? ' open' : ''}`}>
          <a href="/verify">{say.verifier}</a>
          <SignIn />
          {settings}
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        {isView(path) ? <View key={path} path={path} /> : <p>{say.nowhere}</p>}
      </main>
    </>
  )
}

function View({ path }: { path: ViewPath }) {
  const say = useWords(words)
  const language = useLanguage()
  const [shown, setShown] = useState<{ view: ComponentType } | 'loading' | 'broken'>('loading')
  const name = VIEWS[path].name[language]
  useEffect(() => {
    document.title = `${name} · Tidemark`
  }, [name])
  useEffect(() => {
    VIEWS[path].load().then(
      ({ default: view }) => setShown({ view }),
      () => setShown('broken'),
    )
  }, [path])
  return (
    <div aria-busy={shown === 'loading'}>
      <h1>{name}</h1>
      {shown === 'broken' && <p role="alert">{say.broken}</p>}
      {typeof shown === 'object' && <shown.view />}
    </div>
  )
}
