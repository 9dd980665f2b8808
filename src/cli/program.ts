import { Command, CommanderError } from 'commander'
import { describeError, EXIT, exitCodeOf } from './exit.ts'

const program = new Command('tidemark')
  .description('an audit ledger for public-data flows, anchored on a blockchain')
  .version('0.1.0')
  // An option belongs to the command that it stands behind: "verify" and "verify receipt" share some names.
  .enablePositionalOptions()
  .exitOverride()
  .configureOutput({ writeErr: (text) => process.stderr.write(text) })

/** Each is loaded when it is called: together they take half a second. */
const COMMANDS: Record<string, () => Promise<Command>> = {
  up: async () => (await import('./up.ts')).upCommand(),
  indexer: async () => (await import('./indexer.ts')).indexerCommand(),
  audit: async () => (await import('./audit.ts')).auditCommand(),
  send: async () => (await import('./send.ts')).sendCommand(),
  sample: async () => (await import('./sample.ts')).sampleCommand(),
  find: async () => (await import('./find.ts')).findCommand(),
  prove: async () => (await import('./prove.ts')).proveCommand(),
  withhold: async () => (await import('./withhold.ts')).withholdCommand(),
  erase: async () => (await import('./erase.ts')).eraseCommand(),
  history: async () => (await import('./history.ts')).historyCommand(),
  verify: async () => (await import('./verify.ts')).verifyCommand(),
  export: async () => (await import('./export.ts')).exportCommand(),
  reconcile: async () => (await import('./reconcile.ts')).reconcileCommand(),
  alerts: async () => (await import('./alerts.ts')).alertsCommand(),
  rules: async () => (await import('./rules.ts')).rulesCommand(),
  responsibility: async () => (await import('./responsibility.ts')).responsibilityCommand(),
  report: async () => (await import('./report.ts')).reportCommand(),
  source: async () => (await import('./source.ts')).sourceCommand(),
  token: async () => (await import('./token.ts')).tokenCommand(),
  keystore: async () => (await import('./keystore.ts')).keystoreCommand(),
  ledger: async () => (await import('./ledger.ts')).ledgerCommand(),
  registry: async () => (await import('./registry.ts')).registryCommand(),
  breaker: async () => (await import('./breaker.ts')).breakerCommand(),
  grant: async () => (await import('./grant.ts')).grantCommand(),
  fsck: async () => (await import('./fsck.ts')).fsckCommand(),
}

/** The command that is called, or all of them for a help page or a mistake. */
async function loadCommands([name = '']: readonly string[]): Promise<Command[]> {
  const called = Object.hasOwn(COMMANDS, name) ? [COMMANDS[name]] : Object.values(COMMANDS)
  return Promise.all(called.map((load) => load?.() ?? new Command(name)))
}

/** `tidemark`: the command line. Sets the exit code of the process. */
export async function run(): Promise<void> {
  // A reader such as `head` may close the pipe early; that is no fault.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(EXIT.ok)
  })

  try {
    for (const command of await loadCommands(process.argv.slice(2))) program.addCommand(throwOnExit(command))
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
