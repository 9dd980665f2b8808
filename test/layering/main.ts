import { join } from 'node:path'
import { checkLayers } from './check.ts'
import { EXCEPTIONS } from './rules.ts'

const { moduleCount, violations } = checkLayers(join(import.meta.dirname, '../../src'), EXCEPTIONS)
for (const { file, line, rule } of violations) console.error(`src/${file}:${line} ${rule}`)
console.log(`${moduleCount} modules, ${violations.length} violations of the ladder`)
process.exitCode = violations.length === 0 ? 0 : 1
