import type { TSchema } from 'typebox'
import type { Answer, Content, Operation, Parameter } from './operations.ts'
import { SCHEMAS } from './schemas.ts'

/** An OpenAPI 3.1 document, as far as its readers here look into it. */
export interface OpenApiDocument {
  openapi: string
  info: { title: string; version: string; description: string; license: { name: string; identifier: string } }
  servers: { url: string }[]
  paths: Record<string, Record<string, DocumentedOperation>>
  components: { schemas: Record<string, unknown> }
}

export interface DocumentedOperation {
  summary: string
  parameters: { name: string; in: string; required: boolean; description: string; schema: unknown }[]
  requestBody?: { required: boolean; content: DocumentedContent }
  responses: Record<
    string,
    { description: string; headers: Record<string, { description: string }>; content: DocumentedContent }
  >
}

type DocumentedContent = Record<
  string,
  { schema: unknown; 'x-line-schema'?: unknown; 'x-event-schemas'?: Record<string, unknown> }
>

const REQUEST_ID: Parameter = {
  name: 'X-Request-Id',
  in: 'header',
  required: false,
  description: 'Names the request in answers and logs; made up when it is missing or odd.',
  schema: { type: 'string' } as TSchema,
}

/** Written once from the schemas that also check what comes in. */
export function createOpenApi(version: string, operations: readonly Operation[]): OpenApiDocument {
  const paths: OpenApiDocument['paths'] = {}
  for (const operation of operations) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: describeOperation(operation) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tidemark',
      version,
      description: 'An audit ledger for public-data flows, anchored on a blockchain.',
      license: { name: 'Apache License 2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: { schemas: mapValues(SCHEMAS, inner) },
  }
}

function describeOperation({ summary, parameters, body, responses }: Operation): DocumentedOperation {
  return {
    summary,
    parameters: [...parameters, REQUEST_ID].map((one) => ({ ...one, schema: linked(one.schema) })),
    ...(body !== undefined && { requestBody: { required: true, content: describeContent(body) } }),
    responses: mapValues(responses, describeAnswer),
  }
}

const describeAnswer = ({ description, content, headers = {} }: Answer) => ({
  description,
  headers: mapValues({ 'X-Request-Id': 'the id that the request was given', ...headers }, (text) => ({
    description: text,
    schema: { type: 'string' },
  })),
  content: describeContent(content),
})

const describeContent = (content: Content): DocumentedContent =>
  mapValues(content, ({ schema, lines, events }) => ({
    schema: linked(schema),
    ...(lines !== undefined && { 'x-line-schema': linked(lines) }),
    ...(events !== undefined && { 'x-event-schemas': mapValues(events, linked) }),
  }))

const NAMES = new Map<unknown, string>(Object.entries(SCHEMAS).map(([name, schema]) => [schema, name]))

/** A schema as plain JSON, with a reference in place of every schema that has a name. */
function linked(schema: unknown): unknown {
  const name = NAMES.get(schema)
  return name === undefined ? inner(schema) : { $ref: `#/components/schemas/${name}` }
}

function inner(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(linked)
  if (typeof schema !== 'object' || schema === null) return schema
  return mapValues(schema as Record<string, unknown>, linked)
}

const mapValues = <T, U>(of: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(of).map(([key, value]) => [key, map(value)]))
