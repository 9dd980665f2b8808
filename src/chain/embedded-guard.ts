/**
 * Ends a program when its owner is gone: `node embedded-guard.ts PROGRAM ARGUMENTS…`.
 *
 * Our stdin is a pipe from the owner, which the system closes however the owner ends, SIGKILL included. The program's
 * output is ours. The first line is its pid.
 */
import { spawn } from 'node:child_process'

const [program = '', ...args] = process.argv.slice(2)
const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] })
process.stdout.write(`pid ${child.pid}\n`)
child.on('error', (error) => {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
})
child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 0)))
process.stdin.on('end', () => child.kill('SIGKILL'))
process.stdin.on('error', () => child.kill('SIGKILL'))
process.stdin.resume()
