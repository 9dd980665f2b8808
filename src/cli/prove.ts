import { writeFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { createGatewayApi } from '../client/gateway-api.ts'
import { apiOption, viewerTokenOption } from './options.ts'
import { evidenceOption, noEvidenceOption, preferEvidence } from './with-evidence.ts'

interface ProveOptions {
  api: string
  token?: string
  source?: string
  disclose?: string
  /** undefined: if it can be had */
  authorization?: boolean
  /** undefined: if it can be had */
  evidence?: boolean
  out?: string
}

/** `tidemark prove`: fetches the bundle that convinces a stranger. */
export const proveCommand = () =>
  new Command('prove')
    .description('fetch the proof of a record')
    .argument('<id>', 'the id of the record')
    .addOption(new Option('--source <uri>', 'its source, when several use the id'))
    .addOption(new Option('--disclose <names>', 'members to open, such as person,agent'))
    .addOption(new Option('--authorization', 'fail if what authorised a call cannot be shown with it'))
    .addOption(new Option('--no-authorization', 'show that a call happened, not what authorised it'))
    .addOption(evidenceOption())
    .addOption(noEvidenceOption())
    .addOption(new Option('--out <file>', 'instead of standard output'))
    .addOption(apiOption())
    .addOption(viewerTokenOption())
    .action(prove)

async function prove(id: string, options: ProveOptions): Promise<void> {
  const { token, source, disclose, authorization, out } = options
  const names = disclose?.split(',').filter((name) => name !== '') ?? []
  const api = createGatewayApi(options.api, { token })
  const { bundle, missing } = await preferEvidence(options.evidence, (evidence) =>
    api.proof({
      id,
      disclose: names,
      ...(source !== undefined && { source }),
      ...(authorization !== undefined && { authorization }),
      evidence,
    }),
  )
  const text = `${JSON.stringify(JSON.parse(bundle), null, 2)}\n`
  if (out === undefined) process.stdout.write(text)
  else await writeFile(out, text)
  if (missing === undefined) return
  process.stderr.write(`tidemark: the proof shows the call, and not what authorised it: ${missing}\n`)
}
