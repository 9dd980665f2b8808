// Runs before start, test and the checks, on whatever Node is there: it must not need anything that it installs.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const stampPath = join(root, 'node_modules', '.tidemark-setup.json')

requireNode(20, 19)
const packages = digest(['package.json', 'package-lock.json'])
const contracts = digest(['package-lock.json', 'hardhat.config.ts', ...filesBelow('contracts')])
const pages = digest([
  'package-lock.json',
  'scripts/build-web.ts',
  // All that a browser is given comes from here.
  ...filesBelow('src').filter((path) => !/^src\/(?:api|audit|cli|gateway|indexer|store)\//.test(path)),
])
let stamp = readStamp()

if (stamp.packages !== packages) {
  say('installing the packages of the lock file; this takes a minute or two')
  runNpm(['ci', '--no-audit', '--no-fund', '--loglevel=error'])
  stamp = { packages }
  writeStamp()
}
if (stamp.contracts !== contracts || !existsSync(join(root, 'artifacts/contracts/Ledger.sol/Ledger.json'))) {
  say('compiling the contracts')
  runNpm(['run', '--silent', 'compile'])
  stamp.contracts = contracts
  writeStamp()
}
if (stamp.pages !== pages || !existsSync(join(root, 'dist/web/verify/index.html'))) {
  say('building the pages')
  runNpm(['run', '--silent', 'build:web'])
  stamp.pages = pages
  writeStamp()
}

function requireNode(major, minor) {
  const [haveMajor, haveMinor] = process.versions.node.split('.').map(Number)
  if (haveMajor > major || (haveMajor === major && haveMinor >= minor)) return
  fail(`Node ${major}.${minor} or later is needed, this is ${process.versions.node}`)
}

function runNpm(args) {
  // npm says where it is; without npm around us, the one on PATH will do.
  const npm = process.env.npm_execpath
  const result = npm
    ? spawnSync(process.execPath, [npm, ...args], { cwd: root, stdio: ['ignore', 2, 2] })
    : spawnSync('npm', args, { cwd: root, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' })
  if (result.status !== 0) fail(`npm ${args.join(' ')} failed: see above`)
}

function digest(paths) {
  const hash = createHash('sha256')
  for (const path of paths) hash.update(`${path}\0`).update(readFileSync(join(root, path)))
  return hash.digest('hex')
}

function filesBelow(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort()
}

function readStamp() {
  try {
    return JSON.parse(readFileSync(stampPath, 'utf8'))
  } catch {
    return {}
  }
}

function writeStamp() {
  writeFileSync(stampPath, `${JSON.stringify(stamp)}\n`)
}

function say(message) {
  process.stderr.write(`tidemark: ${message}\n`)
}

function fail(message) {
  say(message)
  process.exit(1)
}
