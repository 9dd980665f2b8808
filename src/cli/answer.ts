/** What a command answers on standard output: JSON for machines, or a text that ends its line. */
export function answer({ json }: { json?: boolean }, value: unknown, text: string): void {
  process.stdout.write(json === true ? `${JSON.stringify(value)}\n` : text)
}

/** A line for each member, and for each value of a list. */
export const showMembers = (members: Readonly<Record<string, unknown>>): string =>
  Object.entries(members)
    .flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((one) => [name, showValue(one)]))
    .map(([name = '', text = '']) => `${name.padEnd(15)} ${text}\n`)
    .join('')

function showValue(value: unknown): string {
  if (value === true) return 'yes'
  return value === null || value === false ? 'no' : String(value)
}
