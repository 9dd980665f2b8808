import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { patched } from '../../scripts/vectors-altered.ts'
import { at, type BadBundle, type BadFile, type TextEdit } from '../../scripts/vectors-bad.ts'
import type { Hex, JsonSubmissionProof, ReceiptTrust, Trust } from '../../src/index.ts'
import type { RightsData } from '../verify/authorized-world.ts'
import type { ChainData } from '../verify/chain.ts'

/** A bundle, and all that its verifier may ask. */
export interface BundleCase {
  name: string
  /** its format without the number, as `tidemark-proof` */
  kind: string
  /** its text, as a file holds it */
  bundle: string
  /** of the node that is asked, or the blocks that are trusted instead */
  chain?: ChainData
  trustedBlocks?: Hex[]
  /** for the proof of an authorised call */
  rights?: RightsData
  trust: Trust & ReceiptTrust
  /** for a receipt: whom the ledger knows, the proof of its submission, and the time */
  publishers?: Hex[]
  submission?: JsonSubmissionProof
  nowMs?: number
}

/** One that must be refused: the family of the error, the step where it has one, and the code. */
export interface BadCase extends BundleCase, Refusal {}

interface Refusal {
  error: string
  step?: string
  code: string
}

const FOLDER = import.meta.dirname
/** The vectors are our own files: the shape that the generator gave them is believed. */
const read = <T>(file: string): T => JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as T

/** All bundles of test/vectors/bad, and those that other files alter in nothing but the bundle. */
export function* badBundles(): Generator<BadCase> {
  for (const { good, parsed, altered } of badFiles()) {
    for (const { name, patches = [], edits = [], ...refusal } of altered) {
      const bundle = edits.reduce(edited, JSON.stringify(patched(parsed, patches)))
      yield { ...good, name: `${good.name}: ${name}`, bundle, ...refusal }
    }
  }
}

/** The good bundles that are altered, each by the name of the file that tells how. */
export function* goodBundles(): Generator<BundleCase> {
  for (const { good } of badFiles()) yield good
}

function* badFiles(): Generator<{ good: BundleCase; parsed: unknown; altered: BadBundle[] }> {
  for (const name of readdirSync(join(FOLDER, 'bad')).sort()) {
    const { good, altered } = read<BadFile>(join('bad', name))
    const { file, bundle: pointer, ...asked } = good
    const held = read<{ altered: BadBundle[] }>(file)
    const parsed = at(held, pointer)
    const kind = String(Object(parsed).format).replace(/\/\d+$/, '')
    const subject = Object.fromEntries(
      Object.entries(asked).map(([member, where]) => [member, at(held, where)]),
    ) as Partial<BundleCase>
    const elsewhere = file === name ? held.altered.flatMap((one) => ofBundle(one, pointer)) : []
    yield {
      good: { name, kind, bundle: JSON.stringify(parsed), trust: {}, ...subject },
      parsed,
      altered: [...altered, ...elsewhere],
    }
  }
}

/** The same alteration of the bundle alone; none where it alters what its verifier asks, or which one that is. */
function ofBundle({ patches = [], ...rest }: BadBundle, pointer: string): BadBundle[] {
  if (!patches.every(({ path }) => path.startsWith(`${pointer}/`) && path !== `${pointer}/format`)) return []
  return [
    {
      ...rest,
      patches: patches.map(({ path, ...patch }) => ({ ...patch, path: path.slice(pointer.length) })),
    },
  ]
}

function edited(text: string, { find, put, close = '', times = 1 }: TextEdit): string {
  const start = text.indexOf(find)
  if (start === -1) throw new Error(`the bundle does not read ${find}`)
  return `${text.slice(0, start)}${put.repeat(times)}${close.repeat(times)}${text.slice(start + find.length)}`
}
