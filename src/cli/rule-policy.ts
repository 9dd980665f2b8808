import { Option } from 'commander'
import { DEFAULT_POLICY, parseRulePolicy, type RulePolicy } from '../rules/policy.ts'
import { readBundle } from './read-lines.ts'

export const rulesOption = () =>
  new Option('--rules <file>', 'thresholds, deadlines and trips of the rules as JSON (docs/rules.md)')

export const noRulesOption = () => new Option('--no-rules', 'let no rules work')

/**
 * What the options say of the rules.
 *
 * @returns undefined when none are to work
 * @throws {InputError} `BAD_CONFIG`
 */
export async function readRules(file: string | boolean | undefined): Promise<RulePolicy | undefined> {
  if (file === false) return undefined
  return typeof file === 'string' ? parseRulePolicy(await readBundle(file)) : DEFAULT_POLICY
}
