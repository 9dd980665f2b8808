import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { InputError } from '../errors.ts'

/** Where a password comes from. */
export interface PasswordSource {
  /** the first thing looked at; one line break at its end does not count */
  file: string | undefined
  environment: NodeJS.ProcessEnv
  /** asked when there is neither, if it is one */
  terminal: { input: NodeJS.ReadableStream & { isTTY?: boolean }; output: NodeJS.WritableStream }
}

export const passwordOf = (file: string | undefined): PasswordSource => ({
  file,
  environment: process.env,
  terminal: { input: process.stdin, output: process.stderr },
})

/**
 * @param purpose a new password is asked for twice
 * @throws {InputError} `BAD_ARGUMENT` when there is none, or it is empty
 */
export async function readPassword(source: PasswordSource, purpose: 'known' | 'new'): Promise<string> {
  const password = await find(source, purpose)
  if (password === '') throw new InputError('BAD_ARGUMENT', 'the password is empty')
  return password
}

async function find({ file, environment, terminal }: PasswordSource, purpose: 'known' | 'new') {
  if (file !== undefined) return readPasswordFile(file)
  if (environment.TIDEMARK_KEYSTORE_PASSWORD !== undefined) return environment.TIDEMARK_KEYSTORE_PASSWORD
  if (terminal.input.isTTY !== true) {
    throw new InputError(
      'BAD_ARGUMENT',
      "the keystore's password is missing: give --password-file or TIDEMARK_KEYSTORE_PASSWORD, or run it in a terminal",
    )
  }
  const password = await ask(terminal, "the keystore's password: ")
  if (purpose === 'new' && (await ask(terminal, 'once more: ')) !== password) {
    throw new InputError('BAD_ARGUMENT', 'the two passwords differ')
  }
  return password
}

async function readPasswordFile(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).replace(/\r?\n$/, '')
  } catch (cause) {
    throw new InputError('BAD_ARGUMENT', `cannot read the password from ${path}`, {}, { cause })
  }
}

/** A line that is not shown while it is typed. */
async function ask({ input, output }: PasswordSource['terminal'], question: string): Promise<string> {
  output.write(question)
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input, output: nowhere, terminal: true })
  try {
    return await new Promise((resolve, reject) => {
      const leave = () => reject(new InputError('BAD_ARGUMENT', 'no password was given'))
      lines.once('SIGINT', leave)
      lines.once('close', leave)
      lines.once('line', resolve)
    })
  } finally {
    lines.close()
    output.write('\n')
  }
}
