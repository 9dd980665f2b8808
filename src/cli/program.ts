import { Command, CommanderError } from 'commander'
import { auditCommand } from './audit.ts'
import { describeError, EXIT, exitCodeOf } from './exit.ts'
import { findCommand } from './find.ts'
import { fsckCommand } from './fsck.ts'
import { historyCommand } from './history.ts'
import { indexerCommand } from './indexer.ts'
import { keystoreCommand } from './keystore.ts'
import { ledgerCommand } from './ledger.ts'
import { proveCommand } from './prove.ts'
import { reconcileCommand } from './reconcile.ts'
import { sampleCommand } from './sample.ts'
import { sendCommand } from './send.ts'
import { sourceCommand } from './source.ts'
import { tokenCommand } from './token.ts'
import { upCommand } from './up.ts'
import { verifyCommand } from './verify.ts'

const program = new Command('tidemark')
  .description('an audit ledger for public-data flows, anchored on a blockchain')
  .version('0.1.0')
  // An option belongs to the command that it stands behind: "verify" and "verify receipt" share some names.
  .enablePositionalOptions()
  .exitOverride()
  .configureOutput({ writeErr: (text) => process.stderr.write(text) })

for (const command of [
  upCommand(),
  indexerCommand(),
  auditCommand(),
  sendCommand(),
  sampleCommand(),
  findCommand(),
  proveCommand(),
  historyCommand(),
  verifyCommand(),
  reconcileCommand(),
  sourceCommand(),
  tokenCommand(),
  keystoreCommand(),
  ledgerCommand(),
  fsckCommand(),
]) {
  program.addCommand(throwOnExit(command))
}

/** `tidemark`: the command line. Sets the exit code of the process. */
export async function run(): Promise<void> {
  // A reader such as `head` may close the pipe early; that is no fault.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(EXIT.ok)
  })

  try {
    await program.parseAsync()
  } catch (error) {
    process.exitCode = report(error)
  }
}

/** Commander would end the process itself, with a code that means "refuted" here. */
function throwOnExit(command: Command): Command {
  for (const inner of command.commands) throwOnExit(inner)
  return command.exitOverride()
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.malformed
  const exitCode = exitCodeOf(error)
  if (process.argv.includes('--json')) {
    const verdict = exitCode === EXIT.refuted ? 'refuted' : 'failed'
    process.stdout.write(`${JSON.stringify({ verdict, error: describeError(error) })}\n`)
  } else {
    const { message, step } = describeError(error)
    const lead =
      exitCode === EXIT.refuted ? `REFUTED${step === undefined ? '' : ` at step ${String(step)}`}: ` : ''
    process.stderr.write(`tidemark: ${lead}${message}\n`)
  }
  return exitCode
}
