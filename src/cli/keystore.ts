import { Command } from 'commander'
import { createKeystore, keystoreAddress } from './keystore-file.ts'
import { passwordOption } from './options.ts'
import { passwordOf, readPassword } from './password.ts'

/** `tidemark keystore`: keys that are kept encrypted. */
export const keystoreCommand = () =>
  new Command('keystore')
    .description('keys of publishers and registrars, encrypted')
    .addCommand(
      new Command('create')
        .description('make a random key, and print its address; a file that is there is not overwritten')
        .requiredOption('--out <file>', 'where the key is kept, encrypted')
        .addOption(passwordOption())
        .action(create),
    )
    .addCommand(
      new Command('address')
        .description('print the address that a keystore names; takes no password')
        .argument('<file>', 'the keystore')
        .action(address),
    )

async function create({ out, passwordFile }: { out: string; passwordFile?: string }): Promise<void> {
  const password = await readPassword(passwordOf(passwordFile), 'new')
  const created = await createKeystore(out, password)
  process.stderr.write(
    `the key is in ${out}: keep a copy of it and of its password, nobody can restore them\n`,
  )
  process.stdout.write(`${created}\n`)
}

async function address(file: string): Promise<void> {
  process.stdout.write(`${await keystoreAddress(file)}\n`)
}
