#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'
import { EXIT } from './exit.ts'

// Node's own code for a crash is 1, which says "refuted" here.
process.on('uncaughtException', (error) => {
  process.stderr.write(`tidemark: a fault of the program: ${error.stack ?? error.message}\n`)
  process.exit(EXIT.fault)
})

// What was compiled once is kept: every later start takes half as long.
enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/tidemark', import.meta.url)))

const { run } = await import('./program.ts')
await run()
