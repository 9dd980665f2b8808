import { type AuditReport, type Bar, type Finding, MAX_FINDINGS } from './report.ts'

/** No script, nothing from anywhere else: all that the page needs is in it. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

const STYLE = `
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { border: 1px solid #8888; padding: .25rem .5rem; vertical-align: top; text-align: left; overflow-wrap: anywhere }
.verified { color: #080 } .false { color: #c00 } .unchecked { color: #b60 }
svg { width: 100%; height: 10rem; background: #8881 } rect { fill: #47a }
figure { margin: 1rem 0 } figcaption { font-size: .9rem }
`

/** The report as one page that needs nothing else; whatever came from outside stands there as text. */
export function renderPage(report: AuditReport, headline: string): string {
  const { verdict, charts, findings, counts } = report
  const total = counts.reduce((sum, { count }) => sum + count, 0)
  const facts: [name: string, value: string | number][] = [
    ['Ledger', `${report.ledger} on chain ${report.chainId}`],
    ['Final block', `${report.block.number} (${report.block.hash}) of ${report.block.time}`],
    ['Headers', `${report.size}, root ${report.root}`],
    ['Entries checked', `from ${report.range.first} to before ${report.range.end}`],
    ['Batches', describe(report.batches)],
    ['Records verified', report.records],
    ['Sources', report.sources],
    ['Receipts', describe(report.receipts)],
    ...counts.map(({ kind, verdict, count }): [string, string] => [kind, `${count} (${verdict})`]),
  ]
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Audit of ledger ${toHtml(report.ledger)}</title>
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width"><style>${STYLE}</style></head>
<body><h1 class="${verdict}">${toHtml(headline)}</h1>
<table>${facts.map(([name, value]) => `<tr><th>${toHtml(name)}</th><td>${toHtml(String(value))}</td></tr>`).join('\n')}</table>
<h2>Findings</h2>
${total > findings.length ? `<p>The first ${MAX_FINDINGS} of ${total}.</p>` : ''}
${total === 0 ? '<p>None.</p>' : renderFindings(findings)}
<h2>Records</h2>
${renderChart('By day (UTC)', charts.byDay)}
${renderChart('By hour (UTC)', charts.byHour)}
${renderChart('By publisher', charts.byPublisher)}
</body></html>
`
}

const renderFindings = (findings: readonly Finding[]): string =>
  `<table><tr><th>verdict</th><th>kind</th><th>where</th><th>expected</th><th>found</th></tr>
${findings.map(renderFinding).join('\n')}</table>`

const renderFinding = (finding: Finding): string =>
  `<tr><td class="${finding.verdict}">${finding.verdict}</td>${[
    finding.kind,
    placeOf(finding),
    finding.expected,
    finding.found,
  ]
    .map((text) => `<td>${toHtml(text)}</td>`)
    .join('')}</tr>`

/** Which batch, submission and records a finding is about. */
export function placeOf({ ledgerIndex, publisher, batch, submission, positions = [] }: Finding): string {
  const [first, ...more] = positions
  const parts = [
    ledgerIndex && `entry ${ledgerIndex}, batch ${batch} of ${publisher}`,
    submission && `submission ${submission.sequence} of ${submission.source}`,
    first === undefined ? undefined : `record ${first}${more.length > 0 ? ` and ${more.length} more` : ''}`,
  ]
  return parts.filter((part) => part !== undefined).join(', ')
}

function renderChart(title: string, bars: readonly Bar[]): string {
  const most = Math.max(1, ...bars.map(({ records }) => records))
  const rects = bars.map(({ label, records }, i) => {
    const height = (100 * records) / most
    return `<rect x="${i + 0.1}" y="${(100 - height).toFixed(2)}" width="0.8" height="${height.toFixed(2)}"><title>${toHtml(label)}: ${records}</title></rect>`
  })
  const [first, last] = [bars[0]?.label ?? '', bars.at(-1)?.label ?? '']
  const span = first === last ? first : `${first} to ${last}`
  return `<figure><svg role="img" aria-label="${toHtml(title)}" viewBox="0 0 ${Math.max(1, bars.length)} 100" preserveAspectRatio="none">${rects.join('')}</svg>
<figcaption>${toHtml(title)}: ${toHtml(span)}; the highest bar is ${most} records</figcaption></figure>`
}

const describe = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ')

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text for between tags and within quotes; what no page may hold, or would turn the reading around, becomes a mark. */
const toHtml = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[^\P{C}\n\t]/gu, '\ufffd')
    .replace(/[&<>"']/g, (sign) => ENTITIES[sign] as string)
