/**
 * The ladder of the source tree: a file may import from its own rung and from the rungs below, types included.
 * Rungs that share a step stand beside each other and do not know each other.
 */
export const LADDER: readonly (readonly string[])[] = [
  ['errors'],
  ['bytes'],
  ['merkle'],
  ['record'],
  ['lookup'],
  ['batch'],
  ['proof'],
  ['verify'],
  ['rules'],
  ['chain', 'store'],
  ['gateway'],
  ['indexer'],
  ['audit'],
  ['client'],
  ['config', 'api', 'web'],
  ['cli'],
]

/** What runs in a browser as it is. `src/index.ts` gives out these rungs and no others. */
export const PURE_CORE = [
  'errors',
  'bytes',
  'merkle',
  'record',
  'lookup',
  'batch',
  'proof',
  'verify',
  'rules',
]

/** The package entry stands outside of the ladder. */
export const ENTRY = 'index.ts'

/** Rungs that nobody imports, not even from above. */
export const NOT_IMPORTED = ['web']

/** Packages that may be imported by these rungs alone. */
export const PACKAGE_RUNGS: Readonly<Record<string, readonly string[]>> = {
  ethers: ['chain', 'client', 'cli'],
  express: ['api', 'client'],
  '@noble/curves': ['web'],
  echarts: ['web'],
  pino: ['cli'],
  preact: ['web'],
  'prom-client': ['api'],
}

/** All that the pure core may import besides itself. */
export const PURE_PACKAGES = ['@noble/hashes', 'typebox']

/** Where the environment, arguments, console, clock and chance come from; everyone else is given them. */
export const EDGES = ['cli', 'api', 'config', 'web']

/** What a file does against a rule, and why it may. One that is no longer needed is a violation itself. */
export interface Exception {
  file: string
  what: string
  why: string
}

export const EXCEPTIONS: readonly Exception[] = [
  {
    file: 'chain/embedded-guard.ts',
    what: 'process.argv',
    why: 'it is a program of its own, started as a child process: its arguments are how it is given its work',
  },
]
