import { existsSync, readdirSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { type ModuleFacts, readModule } from './read-module.ts'
import {
  EDGES,
  ENTRY,
  type Exception,
  LADDER,
  NOT_IMPORTED,
  PACKAGE_RUNGS,
  PURE_CORE,
  PURE_PACKAGES,
} from './rules.ts'

export interface Violation {
  /** within the source folder, with slashes */
  file: string
  line: number
  rule: string
}

/** What a browser does not have. */
const NODE_GLOBALS = [
  'Buffer',
  'process',
  'global',
  'require',
  '__dirname',
  '__filename',
  'setImmediate',
  'NodeJS',
]

/**
 * Holds every module of a source folder against the ladder.
 *
 * @throws {Error} when it finds no module: a check that reads nothing has checked nothing
 */
export function checkLayers(
  sourceFolder: string,
  exceptions: readonly Exception[] = [],
): { moduleCount: number; violations: Violation[] } {
  const files = readdirSync(sourceFolder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.[cm]?[jt]sx?$/.test(name))
    .map((name) => name.split(sep).join('/'))
    .sort()
  if (files.length === 0) throw new Error(`no module to check in ${sourceFolder}`)
  const used = new Set<Exception>()
  const violations = files.flatMap((file) => checkModule(sourceFolder, file, exceptions, used))
  for (const exception of exceptions) {
    if (used.has(exception)) continue
    const { file, what } = exception
    violations.push({ file, line: 0, rule: `no longer needs its exception for ${what}` })
  }
  return { moduleCount: files.length, violations }
}

function checkModule(
  sourceFolder: string,
  file: string,
  exceptions: readonly Exception[],
  used: Set<Exception>,
): Violation[] {
  const violations: Violation[] = []
  const refuse = (line: number, rule: string) => violations.push({ file, line, rule })
  const rung = rungOf(file)
  if (rung === undefined) {
    refuse(1, 'is on no rung of the ladder')
    return violations
  }
  const facts = readModule(join(sourceFolder, file))
  const isPure = rung === ENTRY || PURE_CORE.includes(rung)
  for (const { specifier, line } of facts.imports) {
    const rule = specifier.startsWith('.')
      ? judgeFile(sourceFolder, file, rung, specifier)
      : judgePackage(rung, isPure, specifier)
    if (rule !== undefined) refuse(line, rule)
  }
  for (const line of facts.unreadable) refuse(line, 'imports what only running it would tell')
  if (!file.endsWith('/index.ts') && file !== ENTRY) {
    for (const line of facts.reExports)
      refuse(line, 'gives out what another module exports: only index.ts may')
  }
  if (isPure) {
    for (const { name, line } of facts.globals) {
      if (NODE_GLOBALS.includes(name)) refuse(line, `uses ${name}, which no browser has`)
    }
  }
  for (const { name, line } of ambientOf(facts, rung, isPure)) {
    const exception = exceptions.find((known) => known.file === file && known.what === name)
    if (exception === undefined) refuse(line, `uses ${name}: it must be given it`)
    else used.add(exception)
  }
  return violations
}

function ambientOf({ ambient }: ModuleFacts, rung: string, isPure: boolean) {
  if (EDGES.includes(rung)) return []
  return ambient.filter(({ isDefault }) => isPure || !isDefault)
}

function judgeFile(sourceFolder: string, file: string, rung: string, specifier: string): string | undefined {
  const path = resolve(sourceFolder, dirname(file), specifier)
  const target = relative(sourceFolder, path).split(sep).join('/')
  if (target.startsWith('../')) return `imports ${specifier}, which lies outside of the sources`
  if (rung === 'web' && target.endsWith('.css')) return undefined
  if (!/\.[cm]?[jt]sx?$/.test(target)) return `imports ${specifier} without the extension of a module`
  if (!existsSync(path)) return `imports ${specifier}, which does not exist`
  const other = rungOf(target)
  if (other === undefined) return `imports ${target}, which is on no rung of the ladder`
  if (other === rung && rung !== ENTRY) return undefined
  if (other === ENTRY) return 'imports the package entry, which is for strangers'
  if (rung === ENTRY) return PURE_CORE.includes(other) ? undefined : `gives out ${other}, which is not pure`
  if (stepOf(other) >= stepOf(rung)) return `imports ${target}: ${other} is not below ${rung}`
  if (NOT_IMPORTED.includes(other)) return `imports ${target}: nobody imports ${other}`
  return undefined
}

function judgePackage(rung: string, isPure: boolean, specifier: string): string | undefined {
  if (isBuiltin(specifier)) return isPure ? `imports ${specifier}, which no browser has` : undefined
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
  const rungs = PACKAGE_RUNGS[name.replace(/^@types\//, '')]
  if (rungs !== undefined && !rungs.includes(rung)) return `imports ${name}, which is for ${rungs.join(', ')}`
  if (isPure && !PURE_PACKAGES.includes(name)) return `imports ${name}, which the pure core does without`
  return undefined
}

const stepOf = (rung: string) => LADDER.findIndex((step) => step.includes(rung))

/** The folder of a file, or its name without extension where it lies beside the folders. */
function rungOf(file: string): string | undefined {
  if (file === ENTRY) return ENTRY
  const [first = ''] = file.split('/')
  const rung = first.replace(/\.[cm]?[jt]s$/, '')
  return stepOf(rung) === -1 ? undefined : rung
}
