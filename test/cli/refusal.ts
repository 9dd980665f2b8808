import { describeError, exitCodeOf } from '../../src/cli/exit.ts'
import { verifyCommand } from '../../src/cli/verify.ts'

/** What `tidemark verify` ends with, without a process of its own, for what it must refuse. */
export async function refusalOf(args: readonly string[]) {
  try {
    await verifyCommand().parseAsync(args, { from: 'user' })
  } catch (error) {
    const { code, step, message } = describeError(error)
    return { exit: exitCodeOf(error), code, step, message }
  }
  throw new Error(`it is accepted: tidemark verify ${args.join(' ')}`)
}
