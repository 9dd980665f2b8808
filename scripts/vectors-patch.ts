/** An operation of RFC 6902. */
export interface Patch {
  op: 'replace' | 'add' | 'remove'
  path: string
  value?: unknown
}

export const replace = (path: string, value: unknown): Patch => ({ op: 'replace', path, value })
export const add = (path: string, value: unknown): Patch => ({ op: 'add', path, value })
export const remove = (path: string): Patch => ({ op: 'remove', path })
