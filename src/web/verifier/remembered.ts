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
