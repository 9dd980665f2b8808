import { once } from 'node:events'
import { Command } from 'commander'
import { createGatewayApi } from '../client/gateway-api.ts'
import { apiOption, jsonOption, tokenOption } from './options.ts'

interface ListOptions {
  api: string
  all: boolean
  json?: boolean
}

interface HandleOptions {
  api: string
  token?: string
  note?: string
  json?: boolean
}

/** `tidemark alerts`: what is wrong, and what somebody did about it. */
export const alertsCommand = () =>
  new Command('alerts')
    .description('what is wrong with batches, and what rules found; who handles it says so here')
    .addCommand(
      new Command('list')
        .description('list what is not closed, newest first')
        .option('--all', 'also what is closed', false)
        .addOption(apiOption())
        .addOption(jsonOption())
        .action(list),
    )
    .addCommand(handling('report', 'reported', 'say that what a rule found has been reported'))
    .addCommand(handling('close', 'closed', 'close what a rule found'))

const handling = (verb: string, state: string, description: string) =>
  new Command(verb)
    .description(description)
    .argument('<id>', 'as list shows it')
    .option('--note <text>', 'for the record of it, where it is sealed')
    .addOption(tokenOption('of "tidemark token create --handle"'))
    .addOption(apiOption())
    .addOption(jsonOption())
    .action(async (id: string, { api, token, note, json }: HandleOptions) => {
      const handled = await createGatewayApi(api, { token }).handleAlert(id, {
        state,
        ...(note !== undefined && { note }),
      })
      process.stdout.write(
        json === true ? `${JSON.stringify(handled)}\n` : `alert ${id} is ${String(handled.state)}\n`,
      )
    })

async function list({ api, all, json }: ListOptions): Promise<void> {
  for await (const alert of createGatewayApi(api).alerts()) {
    if (!all && alert.closedAt !== undefined) continue
    const line = json === true ? JSON.stringify(alert) : describe(alert)
    if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain')
  }
}

/** A line for people; what servers say may hold what would steer a terminal. */
function describe({ id, raisedAt, deadline, state, closedAt, alert }: Record<string, unknown>): string {
  const { kind, rule, severity, affected, found, records } = Object(alert) as Record<string, unknown>
  const [first] = Array.isArray(records) ? (records as { source?: unknown; id?: unknown }[]) : []
  const line =
    kind === 'rule'
      ? [
          ...[id, timeOf(raisedAt), state, severity, rule],
          ...[`${affected} records, first ${first?.id} of ${first?.source}`],
          ...(state === 'open' ? [`to be reported by ${timeOf(deadline)}`] : []),
        ]
      : [id, timeOf(raisedAt), closedAt === undefined ? 'open' : 'closed', kind, found]
  return line.join('  ').replaceAll(/\p{C}/gu, '?')
}

function timeOf(value: unknown): string {
  const date = new Date(Number(value))
  return Number.isNaN(date.getTime()) ? '' : date.toISOString()
}
