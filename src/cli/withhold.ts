import { writeFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { InputError } from '../errors.ts'
import { type Withheld, withholdDisclosures } from '../proof/index.ts'
import { parseNames } from './options.ts'
import { readBundle } from './read-lines.ts'

interface WithholdOptions {
  members?: string[]
  keep?: string[]
  out?: string
}

/** `tidemark withhold`: takes disclosures out of a proof, without a network. */
export const withholdCommand = () =>
  new Command('withhold')
    .description('withhold what a proof discloses before it is handed on; it verifies as before')
    .argument('<file>', 'the proof; - for standard input')
    .addOption(new Option('--members <names>', 'to withhold, such as agent,note').argParser(parseNames))
    .addOption(
      new Option('--keep <names>', 'to withhold all members but these')
        .argParser(parseNames)
        .conflicts('members'),
    )
    .addOption(new Option('--out <file>', 'instead of standard output'))
    .action(withhold)

async function withhold(file: string, { members, keep, out }: WithholdOptions): Promise<void> {
  const bundle = withholdDisclosures(await readBundle(file), withheldOf(members, keep))
  const text = `${JSON.stringify(bundle, null, 2)}\n`
  if (out === undefined) process.stdout.write(text)
  else await writeFile(out, text)
}

function withheldOf(members: string[] | undefined, keep: string[] | undefined): Withheld {
  if (members !== undefined) return { members }
  if (keep !== undefined) return { allBut: keep }
  throw new InputError('BAD_ARGUMENT', 'name what to withhold by --members, or what not by --keep')
}
