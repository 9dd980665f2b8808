import type { RequestHandler } from 'express'
import type { DocumentedOperation, OpenApiDocument } from './openapi.ts'

/** No script, nothing from anywhere else: what the page needs is in it and in /docs.css. */
const POLICY =
  "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h2 { border-top: 1px solid; padding-top: 1.5rem; overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100% }
td { border: 1px solid #8888; padding: .25rem .5rem; vertical-align: top }
pre { overflow: auto; background: #8882; padding: .5rem }
:root { color-scheme: light dark }
`

/** GET /docs: the document as a page for people. */
export function getDocs(document: OpenApiDocument): RequestHandler {
  const page = renderPage(document)
  return (_request, response) => {
    response.set('Content-Security-Policy', POLICY).type('html').send(page)
  }
}

export const getDocsStyle: RequestHandler = (_request, response) => {
  response.type('css').send(STYLE)
}

function renderPage({ info, paths, components }: OpenApiDocument): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => renderOperation(method, path, operation)),
  )
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) =>
      `<details id="${toHtml(name)}"><summary>${toHtml(name)}</summary><pre>${toHtml(JSON.stringify(schema, null, 2))}</pre></details>`,
  )
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${toHtml(info.title)} API</title>
<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="docs.css"></head>
<body><h1>${toHtml(info.title)} API ${toHtml(info.version)}</h1>
<p>${toHtml(info.description)} For machines: <a href="openapi.json">openapi.json</a>.</p>
${operations.join('\n')}
<h2>Schemas</h2>
${schemas.join('\n')}
</body></html>
`
}

function renderOperation(method: string, path: string, operation: DocumentedOperation): string {
  const { summary, parameters, requestBody, responses } = operation
  return `<h2>${toHtml(method.toUpperCase())} ${toHtml(path)}</h2><p>${toHtml(summary)}</p>
${table(
  'Parameters',
  parameters.map((one) => [
    `<code>${toHtml(one.name)}</code>`,
    `${toHtml(one.in)}${one.required ? ', required' : ''}`,
    toHtml(one.description),
    `<code>${toHtml(JSON.stringify(one.schema))}</code>`,
  ]),
)}
${table('Body', Object.entries(requestBody?.content ?? {}).map(renderContent))}
${table(
  'Answers',
  Object.entries(responses).map(([status, { description, headers, content }]) => [
    status,
    toHtml(description),
    Object.keys(headers).map(toHtml).join(', '),
    Object.entries(content)
      .map((one) => renderContent(one).join(' '))
      .join('<br>'),
  ]),
)}`
}

type DocumentedMedia = DocumentedOperation['responses'][string]['content'][string]

function renderContent([mediaType, content]: [string, DocumentedMedia]): string[] {
  const lines = content['x-line-schema']
  const events = Object.entries(content['x-event-schemas'] ?? {})
  const of =
    events.length > 0
      ? events.map(([name, schema]) => `each <code>${toHtml(name)}</code> ${link(schema)}`).join(', ')
      : lines === undefined
        ? link(content.schema)
        : `each line ${link(lines)}`
  return [`<code>${toHtml(mediaType)}</code>`, of]
}

function link(schema: unknown): string {
  const { $ref } = Object(schema) as { $ref?: unknown }
  if (typeof $ref !== 'string') return `<code>${toHtml(JSON.stringify(schema))}</code>`
  const name = toHtml($ref.slice($ref.lastIndexOf('/') + 1))
  return `<a href="#${name}">${name}</a>`
}

const table = (title: string, rows: readonly string[][]): string =>
  rows.length === 0
    ? ''
    : `<h3>${title}</h3><table>${rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('\n')}</table>`

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const toHtml = (text: string): string => text.replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign)
