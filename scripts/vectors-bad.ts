import { BAD_BASES } from './vectors-bad-bases.ts'
import type { OwnAlteration, Read } from './vectors-bad-own.ts'
import { type Refusal, type Rule, readRules } from './vectors-bad-rules.ts'
import type { Patch } from './vectors-patch.ts'
import { add, remove, replace } from './vectors-patch.ts'

/** A change of the text of a bundle at the first place that reads so; what is put there, and what closes it, is repeated. */
export interface TextEdit {
  find: string
  put: string
  close?: string
  times?: number
}

/** A bundle made bad, and how it must be refused; `step` is absent where there is none. */
export interface BadBundle {
  name: string
  patches?: Patch[]
  edits?: TextEdit[]
  error: string
  step?: string
  code: string
}

/** A good bundle, and where it lies with all that its verifier asks: RFC 6901 pointers into a file of test/vectors. */
export interface BadBase {
  file: string
  bundle: string
  /** where its verifier asks for them */
  chain?: string
  trustedBlocks?: string
  rights?: string
  trust?: string
  publishers?: string
  submission?: string
  nowMs?: string
}

/** One list of bad bundles of test/vectors/bad. */
export interface BadFile {
  about: string
  good: BadBase
  altered: BadBundle[]
}

const ABOUT = 'Section 13.7: bundles that must be refused, at the step and with the code.'

/** The bad bundles of every kind, by the name of their file; `read` gives what a file of test/vectors holds. */
export function badVectors(read: (file: string) => unknown): Map<string, BadFile> {
  const value: Read = (file, pointer) => at(read(file), pointer)
  const files = new Map<string, BadFile>()
  for (const [name, { good, rules, own, skip }] of Object.entries(BAD_BASES)) {
    const bundle = value(good.file, good.bundle)
    const members = [...alterationsOf(bundle)].filter(([what]) => !skip.test(what))
    const altered = [
      ...members.map(([what, patch]): OwnAlteration => [...refusalBy(what, rules), what, patch]),
      ...textsOf(bundle).filter(([, , what]) => !skip.test(what)),
      ...own(value),
    ]
    files.set(name, { about: ABOUT, good, altered: altered.map(toJson) })
  }
  return files
}

function toJson([stepOrFamily, code, name, ...how]: OwnAlteration): BadBundle {
  const patches = how.filter((one) => 'op' in one)
  const edits = how.filter((one) => 'find' in one)
  return {
    name,
    ...(patches.length > 0 && { patches }),
    ...(edits.length > 0 && { edits }),
    ...(/^[A-Z]/.test(stepOrFamily)
      ? { error: stepOrFamily, code }
      : { error: 'VerificationError', step: stepOrFamily, code }),
  }
}

function refusalBy(name: string, rules: readonly Rule[]): Refusal {
  const rule = [...rules, ...readRules].find(([pattern]) => pattern.test(name))
  if (rule === undefined) throw new Error(`no rule says how this is refused: ${name}`)
  return [rule[1], rule[2]]
}

/** The value that an RFC 6901 pointer names. */
export function at(value: unknown, pointer: string): unknown {
  let found = value
  for (const name of pointer.split('/').slice(1)) found = Object(found)[name]
  return found
}

/** Each member of a bundle gone, of no kind, misspelt, and well spelt but another; of a list, its first element. */
function* alterationsOf(bundle: unknown): Generator<[name: string, patch: Patch]> {
  for (const { pointer, value } of membersOf(bundle, '')) {
    yield [`without ${pointer}`, remove(pointer)]
    yield [`null for ${pointer}`, replace(pointer, null)]
    const misspelt = misspell(value)
    if (misspelt !== undefined) yield [`misspelt ${pointer}`, replace(pointer, misspelt)]
    const other = another(value)
    if (other !== undefined) yield [`another ${pointer}`, replace(pointer, other)]
    if (typeof value === 'object') yield [`more in ${pointer}`, more(pointer, value)]
  }
}

function* membersOf(value: unknown, place: string): Generator<{ pointer: string; value: unknown }> {
  if (typeof value !== 'object' || value === null) return
  for (const [name, inner] of Object.entries(value).slice(0, Array.isArray(value) ? 1 : undefined)) {
    yield { pointer: `${place}/${name}`, value: inner }
    yield* membersOf(inner, `${place}/${name}`)
  }
}

const HEX = /^0x(?:[0-9a-f]{2})+$/
const DECIMAL = /^\d+$/
const TIME = /^\d{4}-.*Z$/
const BASE64URL = /^[\w-]{40,}$/

/** The same value in a spelling that is not its one. */
function misspell(value: unknown): unknown {
  if (typeof value === 'number') return value + 0.5
  if (typeof value !== 'string') return undefined
  if (HEX.test(value)) return /[a-f]/.test(value) ? `0x${value.slice(2).toUpperCase()}` : value.slice(2)
  if (DECIMAL.test(value)) return `0${value}`
  if (TIME.test(value)) return value.replace('Z', '+00:00')
  return BASE64URL.test(value) ? `${value}=` : undefined
}

/** Another value of the same spelling. */
function another(value: unknown): unknown {
  if (typeof value === 'number') return value + 1
  if (typeof value !== 'string' || value === '') return undefined
  if (HEX.test(value)) return `${value.slice(0, -1)}${value.endsWith('0') ? '1' : '0'}`
  if (DECIMAL.test(value)) return String(BigInt(value) + 1n)
  if (TIME.test(value)) return value.replace('00.', '01.').replace('03.', '02.').replace('.250', '.251')
  if (BASE64URL.test(value)) return `${value.startsWith('A') ? 'B' : 'A'}${value.slice(1)}`
  const last = value.at(-1) ?? ''
  return `${value.slice(0, -1)}${/\d/.test(last) ? (Number(last) + 1) % 10 : last === 'a' ? 'b' : 'a'}`
}

const more = (pointer: string, value: unknown): Patch =>
  Array.isArray(value)
    ? add(`${pointer}/${value.length}`, value[0] ?? `0x${'77'.repeat(32)}`)
    : add(`${pointer}/extra`, null)

/** What no bundle may look like as text, whatever its kind. */
function textsOf(bundle: unknown): OwnAlteration[] {
  const format = `"format":${JSON.stringify(Object(bundle).format)}`
  const begin = (name: string, put: string, times?: number) => ({
    name,
    find: '{',
    put,
    ...(times && { times }),
  })
  const texts: (TextEdit & { name: string })[] = [
    { name: 'nothing', find: JSON.stringify(bundle), put: '' },
    { name: 'half of it', find: JSON.stringify(bundle).slice(-40), put: '' },
    begin('a control character', '{\u0000'),
    begin('a comment', '/**/{'),
    begin('a comma too many', '{,'),
    begin('single quotes', "{'format':0,"),
    begin('no number', '{"format":NaN,'),
    begin('two bundles', '{}{'),
    begin('a hundred thousand lists that are never closed', '[', 100_000),
    begin('its format twice, the good one last', '{"format":"tidemark-proof/0",'),
    begin('its format twice, once escaped', String.raw`{"\u0066ormat":"tidemark-proof/0",`),
    { name: 'the same format twice', find: format, put: `${format},${format}` },
    { name: 'a format in capitals', find: format, put: format.toUpperCase() },
    { name: 'a format in other letters', find: 'tidemark-', put: 'tіdemark-' }, // a Cyrillic i
    {
      name: 'a format that is nested very deep',
      find: format.slice(9),
      put: '[',
      close: ']',
      times: 100_000,
    },
  ]
  return texts.map(({ name, ...edit }) => ['InputError', 'BAD_BUNDLE', `text: ${name}`, edit])
}
