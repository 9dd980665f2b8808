/** Whose token it is, and so what it is good for (docs/operations.md, "Who may see what"). */
export type Role =
  /** submits for a source */
  | { role: 'source'; source: string }
  /** fetches batch files */
  | { role: 'reader' }
  /** reports and closes alerts */
  | { role: 'handler' }
  /** sees what is about anybody, and the vault */
  | { role: 'auditor' }
  /** sees what is about one person, of whom the tag is given */
  | { role: 'subject'; person: string }

/** In place of a source's name, which is not empty and has no space. */
const STORED = { reader: '', handler: 'handles alerts', auditor: 'an auditor' } as const
const SUBJECT = 'subject '

/** A role as the catalogue keeps it: the name of a source, or what no source can be named. */
export function encodeRole(role: Role): string {
  if (role.role === 'source') return role.source
  return role.role === 'subject' ? `${SUBJECT}${role.person}` : STORED[role.role]
}

export function decodeRole(text: string): Role {
  if (text.startsWith(SUBJECT)) return { role: 'subject', person: text.slice(SUBJECT.length) }
  for (const role of ['reader', 'handler', 'auditor'] as const) if (text === STORED[role]) return { role }
  return { role: 'source', source: text }
}
