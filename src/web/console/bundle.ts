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

/** Evidence of the newest block is captured a moment after the block is final. */
const TRIES = 5
const PAUSE_MS = 1_000

/**
 * Fetches a bundle, with evidence where the server has it or has it soon.
 *
 * @param path with a query
 * @throws {ApiProblem}
 */
export async function fetchBundle(
  path: string,
  { evidence = true, ...asking }: { token: string | undefined; signal?: AbortSignal; evidence?: boolean },
): Promise<Bundle> {
  const fetchText = async (more = '') => (await ask(`${path}${more}`, asking)).text()
  if (!evidence) return { text: await fetchText(), withEvidence: false }
  let bare: string | undefined
  for (let tries = 0; tries < TRIES; tries++) {
    try {
      return { text: await fetchText('&evidence=true'), withEvidence: true }
    } catch (problem) {
      const code = problem instanceof ApiProblem ? problem.code : undefined
      if (code !== 'NOT_READY' && code !== 'NO_EVIDENCE') throw problem
      // Where the bundle itself is not ready, this says so.
      bare ??= await fetchText()
      if (code === 'NO_EVIDENCE') break
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
  return { text: bare ?? (await fetchText()), withEvidence: false }
}

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
