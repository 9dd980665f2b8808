import { OFFLINE_FORMAT } from '../../proof/index.ts'
import { check } from '../verifier/check.ts'
import type { Checked } from '../verifier/checked.ts'
import type { LedgerNames } from './answers.ts'
import { ApiProblem, ask } from './api.ts'

/** The text of a bundle, as this server gives it. */
export interface Bundle {
  text: string
  /** whether it can be checked without a node, from the hash of a block */
  withEvidence: boolean
}

/**
 * Fetches a bundle, with evidence where the server has it.
 *
 * @param path with a query
 * @throws {ApiProblem}
 */
export async function fetchBundle(
  path: string,
  options: { token: string | undefined; signal?: AbortSignal; evidence?: boolean },
): Promise<Bundle> {
  const { evidence = true, ...asking } = options
  if (evidence) {
    try {
      const text = await (await ask(`${path}&evidence=true`, asking)).text()
      return { text, withEvidence: isOffline(text) }
    } catch (problem) {
      if (!(problem instanceof ApiProblem) || problem.status === 0 || problem.status === 401) throw problem
    }
  }
  return { text: await (await ask(path, asking)).text(), withEvidence: false }
}

/** The format stands first. */
const isOffline = (text: string) => text.slice(0, 64).includes(OFFLINE_FORMAT)

/**
 * Checks a bundle in the browser, against the ledger that this server names.
 *
 * The policy of the console lets nobody else be asked: the blocks that the evidence is of are believed by this server's
 * word, which `trusted` of the answer says.
 */
export async function checkHere(text: string, { ledger, authorizations }: LedgerNames): Promise<Checked> {
  const pins = { ledger, ...(authorizations !== undefined && { authorizations }) }
  const first = await check(text, { ...pins, trustedBlocks: [] })
  if (first.needed === undefined) return first
  return check(text, { ...pins, trustedBlocks: first.needed.map(({ hash }) => hash) })
}

/** Lets the reader keep a text as a file. */
export function saveFile(text: string, name: string, type: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  URL.revokeObjectURL(url)
}

/** What of a record's name may stand in that of a file. */
export const fileName = (name: string): string => name.replaceAll(/[^\w.-]+/g, '-').slice(0, 80)
