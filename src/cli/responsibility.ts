import { Command, Option } from 'commander'
import { createGatewayApi } from '../client/gateway-api.ts'
import type { Language } from '../rules/rule.ts'
import { apiOption, jsonOption, parseSource } from './options.ts'
import { describeResponsibility } from './responsibility-text.ts'

interface ResponsibilityOptions {
  source: string
  api: string
  lang: Language
  json?: boolean
}

/** `tidemark responsibility`: who answers for a call. */
export const responsibilityCommand = () =>
  new Command('responsibility')
    .description('say who answers for a call or a refusal, under which grant, and who kept records of it')
    .argument('<id>', 'of the record')
    .addOption(new Option('--source <source>', 'of the record').argParser(parseSource).makeOptionMandatory())
    .addOption(new Option('--lang <language>', 'of the text').choices(['en', 'zh']).default('en'))
    .addOption(apiOption())
    .addOption(jsonOption())
    .action(responsibility)

async function responsibility(id: string, { source, api, lang, json }: ResponsibilityOptions): Promise<void> {
  const found = await createGatewayApi(api).responsibility(source, id)
  process.stdout.write(json === true ? `${JSON.stringify(found)}\n` : describeResponsibility(found, lang))
}
