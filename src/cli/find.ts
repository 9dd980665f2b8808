import { once } from 'node:events'
import { Command, Option } from 'commander'
import { createGatewayApi } from '../client/gateway-api.ts'
import { InputError } from '../errors.ts'
import { apiOption, parseTime, parseWhole, viewerTokenOption } from './options.ts'

/** Parameters of GET /v1/records that are handed on as they are. */
const KEYS: Readonly<Record<string, string>> = {
  source: 'the source of one record; comes with --id',
  id: 'its id',
  person: 'tag of the person whose data it is about',
  authorization: 'id of a grant',
  request: 'requestId of a call',
  resource: 'catalogue id of the data resource',
  consumer: 'who was to get the data',
  provider: 'who has it',
}

type FindOptions = { [key: string]: string } & { api: string; token?: string; limit?: number }

/** Most that the API gives at once. */
const MAX_PAGE = 500

/** `tidemark find`: the records under a key, one JSON object a line. */
export const findCommand = () => {
  const command = new Command('find').description(
    'find records by one or more keys, newest first by place in the ledger, one JSON object a line',
  )
  for (const [name, description] of Object.entries(KEYS)) command.option(`--${name} <text>`, description)
  return command
    .addOption(new Option('--from <time>', 'not before this, RFC 3339').argParser(parseTimeText))
    .addOption(new Option('--to <time>', 'before this').argParser(parseTimeText))
    .addOption(new Option('--disclose <names>', 'pseudonyms to open, such as person'))
    .addOption(
      new Option('--limit <number>', 'no more than so many').argParser(
        parseWhole(1, Number.MAX_SAFE_INTEGER),
      ),
    )
    .addOption(apiOption())
    .addOption(viewerTokenOption())
    .action(find)
}

async function find({ api, token, limit = Number.POSITIVE_INFINITY, ...query }: FindOptions): Promise<void> {
  if (!Object.keys(KEYS).some((name) => query[name] !== undefined)) {
    throw new InputError('BAD_ARGUMENT', `say what to find: --${Object.keys(KEYS).join(', --')}`)
  }
  let left = limit
  const page = { ...query, limit: String(Math.min(limit, MAX_PAGE)) }
  for await (const found of createGatewayApi(api, { token }).records(page)) {
    if (!process.stdout.write(`${JSON.stringify(found)}\n`)) await once(process.stdout, 'drain')
    if (--left === 0) return
  }
}

const parseTimeText = (text: string): string => parseTime(text).toISOString()
