import { createContext } from 'preact'
import { useContext } from 'preact/hooks'

export const LANGUAGES = ['en', 'zh'] as const
export type Language = (typeof LANGUAGES)[number]

/** A text in every language; one with something to fill in is a function. */
type Word = Record<Language, string> | { [L in Language]: (...parts: never[]) => string }

/** What a view says, by a name of its own; a word that lacks a language does not compile. */
export type Words = Readonly<Record<string, Word>>

type Said<W extends Words> = { readonly [Name in keyof W]: W[Name][Language] }

export const LanguageContext = createContext<Language>('en')

export const useLanguage = (): Language => useContext(LanguageContext)

/** The words of a view in the language of the reader. */
export function useWords<const W extends Words>(words: W): Said<W> {
  return inLanguage(words, useLanguage())
}

function inLanguage<const W extends Words>(words: W, language: Language): Said<W> {
  return Object.fromEntries(Object.entries(words).map(([name, word]) => [name, word[language]])) as Said<W>
}

/** What the reader chose before, or else the first of the browser's languages that is ours. */
export function startLanguage(stored: string | null, preferred: readonly string[]): Language {
  const wanted = [...(stored === null ? [] : [stored]), ...preferred]
  const found = wanted.map((tag) => LANGUAGES.find((known) => tag.toLowerCase().startsWith(known)))
  return found.find((known) => known !== undefined) ?? 'en'
}

/** The tag that Intl takes. */
export const localeOf = (language: Language): string => (language === 'zh' ? 'zh-CN' : 'en-GB')
