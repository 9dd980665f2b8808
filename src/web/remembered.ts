/** What is remembered, under one name by every page of a server: who chose on one has chosen on all. */
export const LANGUAGE = 'tidemark-language'
export const THEME = 'tidemark-theme'

export const LANGUAGE_NAMES = { en: 'English', zh: '中文' } as const
export const THEMES = ['auto', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

/** What was chosen before; null where nothing was, or where a browser keeps nothing for a page from a file. */
export function remembered(name: string): string | null {
  try {
    return localStorage.getItem(name)
  } catch {
    return null
  }
}

export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(name, value)
  } catch {
    // It is chosen again next time.
  }
}
