import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { Command, Option } from 'commander'
import { createGatewayApi } from '../client/gateway-api.ts'
import { InputError, OperationError } from '../errors.ts'
import { INDEX_NAMES, type IndexName } from '../lookup/index.ts'
import { apiOption, viewerTokenOption } from './options.ts'
import { evidenceOption, noEvidenceOption, preferEvidence } from './with-evidence.ts'

type HistoryOptions = Partial<Record<IndexName | (typeof NARROWING)[number], string>> & {
  api: string
  token?: string
  out?: string
  runs?: boolean
  /** undefined: if it can be had */
  evidence?: boolean
}

/** Parameters that are passed on as they are. */
const NARROWING = ['source', 'from', 'to', 'first', 'end', 'disclose'] as const

const NAMED: Record<IndexName, string> = {
  person: '--person <tag>',
  authorization: '--authorization <id>',
  request: '--request <id>',
  resource: '--resource <id>',
  consumer: '--consumer <name>',
  provider: '--provider <name>',
  record: '--record <id>',
}

/** `tidemark history`: fetches all records under a key, with the proof that there are no others. */
export const historyCommand = () => {
  const command = new Command('history').description(
    'fetch all records under one key, with the proof that there are no others; check it with "tidemark verify"',
  )
  for (const flags of Object.values(NAMED)) command.addOption(new Option(flags, 'the key; exactly one'))
  return command
    .addOption(new Option('--source <uri>', 'of --record'))
    .addOption(new Option('--from <time>', 'earliest time of a record, such as 2026-03-01'))
    .addOption(new Option('--to <time>', 'the time that they are before'))
    .addOption(new Option('--first <index>', 'first ledger entry (default: 0)'))
    .addOption(
      new Option('--end <index>', 'one more than the last (default: as far as all is verified and final)'),
    )
    .addOption(new Option('--disclose <names>', 'pseudonyms to open, such as person'))
    .addOption(
      new Option(
        '--runs',
        'let the runs that the indexer found to be true speak for their batches: far shorter',
      ),
    )
    .addOption(evidenceOption())
    .addOption(noEvidenceOption())
    .addOption(new Option('--out <file>', 'instead of standard output'))
    .addOption(apiOption())
    .addOption(viewerTokenOption())
    .action(history)
}

async function history(options: HistoryOptions): Promise<void> {
  const { api, token, out } = options
  const names = INDEX_NAMES.filter((name) => options[name] !== undefined)
  if (names.length !== 1) {
    throw new InputError('BAD_ARGUMENT', `give exactly one of --${INDEX_NAMES.join(', --')}`)
  }
  const query = [...names, ...NARROWING].flatMap((name) => {
    const value = options[name]
    return value === undefined ? [] : [[name, value]]
  })
  if (options.runs === true) query.push(['runs', 'true'])
  const body = await preferEvidence(options.evidence, (evidence) =>
    createGatewayApi(api, { token }).history(Object.fromEntries([...query, ['evidence', String(evidence)]])),
  )
  if (out === undefined) {
    for await (const chunk of body) process.stdout.write(chunk)
    process.stdout.write('\n')
    return
  }
  await pipeline(body, createWriteStream(out)).catch(async (cause: unknown) => {
    // Half of a history is none.
    await rm(out, { force: true })
    if (cause instanceof OperationError) throw cause
    throw new InputError('BAD_ARGUMENT', `cannot write ${out}: ${String(cause)}`, {}, { cause })
  })
}
