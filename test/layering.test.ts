import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { checkLayers } from './layering/check.ts'
import { EXCEPTIONS, LADDER } from './layering/rules.ts'

const source = join(import.meta.dirname, '../src')
const folder = mkdtempSync(join(tmpdir(), 'layering-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A tree where nothing is wrong: every rung has a file that exports a value and a type. */
const GOOD: Record<string, string> = Object.fromEntries(
  LADDER.flat().map((rung) => [
    ['errors', 'config'].includes(rung) ? `${rung}.ts` : `${rung}/one.ts`,
    'export const one = 1\nexport type One = typeof one\n',
  ]),
)

let trees = 0

/** Writes a tree with some files of its own into a new folder, and checks it. */
function check(files: Record<string, string>, exceptions: typeof EXCEPTIONS = []) {
  const tree = join(folder, String(trees++), 'src')
  for (const [file, text] of Object.entries({ ...GOOD, ...files })) {
    mkdirSync(dirname(join(tree, file)), { recursive: true })
    writeFileSync(join(tree, file), text)
  }
  return checkLayers(tree, exceptions)
}

test('our own sources keep to the ladder', () => {
  const { moduleCount, violations } = checkLayers(source, EXCEPTIONS)
  expect(violations).toEqual([])
  expect(moduleCount).toBeGreaterThan(50)
})

test('a tree where nothing is wrong has no violations', () => {
  expect(check({})).toEqual({ moduleCount: LADDER.flat().length, violations: [] })
})

test.each<[string, string, string]>([
  ['a value from below', 'merkle/two.ts', "import { one } from '../bytes/one.ts'"],
  ['a type from below', 'verify/two.ts', "import type { One } from '../proof/one.ts'"],
  ['its own folder', 'store/two.ts', "import { one } from './one.ts'"],
  ['a folder of its own folder', 'chain/deep/two.ts', "import { one } from '../one.ts'"],
  ['errors, from bytes', 'bytes/two.ts', "import { one } from '../errors.ts'"],
  ['the api, from the cli', 'cli/two.ts', "import { one } from '../api/one.ts'"],
  ['the configuration, from the cli', 'cli/two.ts', "import { one } from '../config.ts'"],
  ['ethers, where keys are handled', 'client/two.ts', "import { Wallet } from 'ethers'"],
  ['express, in the api', 'api/two.ts', "import express from 'express'"],
  [
    'node, outside of the core',
    'chain/two.ts',
    "import { readFile } from 'node:fs/promises'\nBuffer.from([])",
  ],
  ['what a browser has', 'bytes/two.ts', "new TextEncoder().encode('x')\nnew URL('https://a.b')"],
  [
    'packages of the core',
    'record/two.ts',
    "import Type from 'typebox'\nimport { sha256 } from '@noble/hashes/sha2.js'",
  ],
  ['a date that is given', 'record/two.ts', 'export const at = (ms: number) => new Date(ms).toISOString()'],
  [
    'the clock as a default, outside of the core',
    'gateway/two.ts',
    'export const f = (now = Date.now) => now()',
  ],
  [
    'the clock as a default member',
    'chain/two.ts',
    'export function f({ now = () => Date.now() } = {}) { return now() }',
  ],
  ['the clock at an edge', 'cli/two.ts', 'console.log(Date.now(), process.env.HOME, process.argv)'],
  ['a name that only looks like the clock', 'store/two.ts', 'const Date = { now: () => 1 }\nDate.now()'],
  [
    'a member that is called like a global',
    'bytes/two.ts',
    'export const f = (a: { process: 1 }) => a.process',
  ],
  ['other members of process', 'store/two.ts', 'export const id = process.pid'],
  ['a barrel of its folder', 'proof/index.ts', "export { one } from './one.ts'"],
  [
    'the entry, of the pure core',
    'index.ts',
    "export * from './verify/one.ts'\nexport type { One } from './bytes/one.ts'",
  ],
])('a file may use %s', (_, file, text) => {
  expect(check({ [file]: text }).violations).toEqual([])
})

test.each<[string, string, string, string]>([
  [
    'a value from above',
    'merkle/two.ts',
    "import { one } from '../record/one.ts'",
    'record is not below merkle',
  ],
  [
    'a type from above',
    'proof/two.ts',
    "import type { One } from '../verify/one.ts'",
    'verify is not below proof',
  ],
  ['a type among values', 'proof/two.ts', "import { type One } from '../verify/one.ts'", 'not below'],
  ['a namespace', 'bytes/two.ts', "import * as all from '../merkle/one.ts'", 'not below'],
  ['an import for its effects', 'bytes/two.ts', "import '../merkle/one.ts'", 'not below'],
  ['a re-export', 'lookup/index.ts', "export { one } from '../batch/one.ts'", 'batch is not below lookup'],
  ['a re-export of a type', 'lookup/index.ts', "export type { One } from '../batch/one.ts'", 'not below'],
  ['a re-export of all', 'lookup/index.ts', "export * from '../batch/one.ts'", 'not below'],
  ['a dynamic import', 'record/two.ts', "export const f = () => import('../chain/one.ts')", 'not below'],
  [
    'a dynamic import of a template',
    'record/two.ts',
    'export const f = () => import(`../chain/one.ts`)',
    'not below',
  ],
  [
    'a dynamic import that no one can read',
    'chain/two.ts',
    'export const f = (x: string) => import(x)',
    'only running it would tell',
  ],
  ['import = require', 'record/two.ts', "import one = require('../chain/one.ts')", 'not below'],
  [
    'an exported import = require',
    'record/two.ts',
    "export import one = require('../chain/one.ts')",
    'not below',
  ],
  ['require', 'store/two.ts', "const one = require('../chain/one.ts')", 'not below'],
  ['the type of an import', 'record/two.ts', "export type A = import('../chain/one.ts').One", 'not below'],
  ['typeof an import', 'record/two.ts', "export type A = typeof import('../chain/one.ts')", 'not below'],
  [
    'the URL of a module',
    'store/two.ts',
    "export const url = new URL('../chain/one.ts', import.meta.url)",
    'not below',
  ],
  [
    'a resolved module',
    'store/two.ts',
    "export const url = import.meta.resolve('../chain/one.ts')",
    'not below',
  ],
  ['a reference', 'store/two.ts', '/// <reference path="../chain/one.ts" />\nexport {}', 'not below'],
  [
    'an import in a string of another line',
    'bytes/two.ts',
    "import {\n  one,\n} from '../merkle/one.ts'",
    'not below',
  ],
  ['bytes, from errors', 'errors.ts', "import { one } from './bytes/one.ts'", 'bytes is not below errors'],
  [
    'the store, from the chain',
    'chain/two.ts',
    "import type { One } from '../store/one.ts'",
    'store is not below chain',
  ],
  [
    'the chain, from the store',
    'store/two.ts',
    "import type { One } from '../chain/one.ts'",
    'chain is not below store',
  ],
  ['the api, from the web', 'web/two.ts', "import { one } from '../api/one.ts'", 'api is not below web'],
  ['the cli, from the api', 'api/two.ts', "import { one } from '../cli/one.ts'", 'cli is not below api'],
  [
    'the configuration, from the gateway',
    'gateway/two.ts',
    "import { one } from '../config.ts'",
    'config is not below',
  ],
  ['the web, from the cli', 'cli/two.ts', "import { one } from '../web/one.ts'", 'nobody imports web'],
  ['the package entry', 'cli/two.ts', "import { one } from '../index.ts'", 'for strangers'],
  [
    'more than the core in the entry',
    'index.ts',
    "export { one } from './chain/one.ts'",
    'chain, which is not pure',
  ],
  ['what is not there', 'cli/two.ts', "import { one } from './three.ts'", 'does not exist'],
  ['a module without its extension', 'cli/two.ts', "import { one } from './one'", 'without the extension'],
  ['what lies outside', 'cli/two.ts', "import { one } from '../../test/one.ts'", 'outside of the sources'],
  ['a folder that the ladder does not know', 'utils/two.ts', 'export {}', 'on no rung'],
  [
    'ethers outside of its rungs',
    'gateway/two.ts',
    "import type { Wallet } from 'ethers'",
    'ethers, which is for',
  ],
  [
    'metrics below the api',
    'gateway/two.ts',
    "import { Counter } from 'prom-client'",
    'prom-client, which is for api',
  ],
  ['logging below the cli', 'api/two.ts', "import { pino } from 'pino'", 'pino, which is for cli'],
  ['a part of ethers', 'indexer/two.ts', "import { id } from 'ethers/hash'", 'ethers, which is for'],
  [
    'express outside of its rungs',
    'cli/two.ts',
    "import type { Request } from 'express'",
    'express, which is for',
  ],
  [
    'the types of express',
    'cli/two.ts',
    "import type { Request } from '@types/express'",
    'express, which is for',
  ],
  ['node in the core', 'batch/two.ts', "import { createHash } from 'node:crypto'", 'no browser has'],
  [
    'node in the core without its prefix',
    'batch/two.ts',
    "import type { Stats } from 'fs'",
    'no browser has',
  ],
  [
    'another package in the core',
    'verify/two.ts',
    "import { MerkleTree } from 'merkletreejs'",
    'does without',
  ],
  [
    'Buffer in the core',
    'merkle/two.ts',
    'export const f = (a: Uint8Array) => Buffer.from(a)',
    'uses Buffer',
  ],
  ['the type Buffer in the core', 'merkle/two.ts', 'export const f = (a: Buffer) => a', 'uses Buffer'],
  ['a global Buffer in the core', 'merkle/two.ts', 'export const f = () => globalThis.Buffer', 'uses Buffer'],
  ['process in the core', 'merkle/two.ts', 'export const pid = process.pid', 'uses process'],
  ['the clock', 'gateway/two.ts', 'export const now = Date.now()', 'uses Date.now'],
  ['the clock as a value', 'gateway/two.ts', 'export const now = { clock: Date.now }', 'uses Date.now'],
  ['the clock by another way', 'gateway/two.ts', "export const now = Date['now']()", 'uses Date.now'],
  [
    'the clock through the global object',
    'gateway/two.ts',
    'export const now = globalThis.Date.now()',
    'uses Date.now',
  ],
  ['the clock taken apart', 'gateway/two.ts', 'const { now } = Date', 'uses Date.now'],
  [
    'the clock in the body of a default',
    'gateway/two.ts',
    'export const f = (g = () => { return Date.now() }) => g',
    'uses Date.now',
  ],
  [
    'the clock as a default, in the core',
    'batch/two.ts',
    'export const f = (now = Date.now) => now()',
    'uses Date.now',
  ],
  ['a new date', 'store/two.ts', 'export const now = new Date()', 'uses new Date()'],
  ['a new date without brackets', 'store/two.ts', 'export const now = new Date', 'uses new Date()'],
  ['a date as text', 'store/two.ts', 'export const now = Date()', 'uses new Date()'],
  ['chance', 'audit/two.ts', 'export const x = Math.random()', 'uses Math.random'],
  ['the environment', 'store/two.ts', 'export const home = process.env.HOME', 'uses process.env'],
  ['the environment taken apart', 'store/two.ts', 'const { env: e } = process', 'uses process.env'],
  ['the environment by import', 'store/two.ts', "import { env } from 'node:process'", 'uses process.env'],
  ['the arguments', 'chain/two.ts', 'export const a = process.argv', 'uses process.argv'],
  ['the console', 'client/two.ts', 'console.error(1)', 'uses console'],
  ['the console through the global object', 'client/two.ts', 'globalThis.console.error(1)', 'uses console'],
  ['a barrel that is not of a folder', 'proof/all.ts', "export { one } from './one.ts'", 'only index.ts may'],
  [
    'a barrel in two steps',
    'proof/all.ts',
    "import { one } from './one.ts'\nexport { one as two }",
    'only index.ts may',
  ],
])('a file may not use %s', (_, file, text, rule) => {
  const files = file === 'cli/two.ts' && text.includes('index.ts') ? { 'index.ts': 'export {}' } : {}
  const { violations } = check({ ...files, [file]: text })
  expect(violations).toHaveLength(1)
  expect(violations[0]).toMatchObject({ file, rule: expect.stringContaining(rule) })
})

describe('the check itself', () => {
  test('names the line', () => {
    const { violations } = check({ 'bytes/two.ts': "\n\nimport { one } from '../merkle/one.ts'\n" })
    expect(violations).toEqual([
      { file: 'bytes/two.ts', line: 3, rule: 'imports merkle/one.ts: merkle is not below bytes' },
    ])
  })

  test('fails when there is nothing to read', () => {
    const empty = join(folder, 'empty')
    mkdirSync(empty)
    expect(() => checkLayers(empty)).toThrow('no module to check')
    expect(() => checkLayers(join(folder, 'absent'))).toThrow()
  })

  test('reads every kind of module', () => {
    for (const extension of ['ts', 'mts', 'cts', 'js', 'mjs', 'cjs', 'tsx', 'jsx']) {
      const file = `store/two.${extension}`
      expect(check({ [file]: "import '../chain/one.ts'" }).violations).toMatchObject([{ file }])
    }
  })

  test('is not taken in by comments and texts', () => {
    const text = [
      "// import { one } from '../merkle/one.ts'",
      '/* Buffer, process.env */',
      'export const text = "import(\'../merkle/one.ts\') Buffer Date.now()"',
    ].join('\n')
    expect(check({ 'bytes/two.ts': text }).violations).toEqual([])
  })

  test('excepts what it is told to, and complains of exceptions that are not needed', () => {
    const exceptions = [{ file: 'chain/two.ts', what: 'process.argv', why: 'a test' }]
    const text = 'export const a = process.argv'
    expect(check({ 'chain/two.ts': text }, exceptions).violations).toEqual([])
    expect(check({ 'chain/three.ts': text, 'chain/two.ts': text }, exceptions).violations).toHaveLength(1)
    expect(check({}, exceptions).violations).toMatchObject([
      { file: 'chain/two.ts', rule: expect.stringContaining('no longer needs') },
    ])
  })
})
