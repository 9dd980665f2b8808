import type { TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import type { DocumentedOperation, OpenApiDocument } from '../../src/api/openapi.ts'
import { type Answer, exchange } from './world.ts'

/** A JSON Schema as the document has it, its references resolved. */
export type Schema = { [keyword: string]: unknown }

/** The document that a server gives out, and what it says of the server's answers. */
export interface Contract {
  document: OpenApiDocument
  resolve(schema: unknown): Schema
  /** What is wrong with an answer, by the document; empty when it keeps to it. */
  faultsOf(method: string, path: string, answer: Answer): string[]
  /** What is wrong with a value, by a schema of the document. */
  faultsIn(schema: unknown, value: unknown): string[]
}

export async function fetchContract(url: string): Promise<Contract> {
  const document = JSON.parse((await exchange(url, 'GET', '/openapi.json')).text) as OpenApiDocument
  const validators = new Map<string, Validator>()

  function resolve(schema: unknown): Schema {
    return JSON.parse(JSON.stringify(schema), (_, value) => {
      const { $ref } = Object(value) as { $ref?: unknown }
      if (typeof $ref !== 'string') return value
      const found = document.components.schemas[$ref.replace('#/components/schemas/', '')]
      if (found === undefined) throw new Error(`${$ref} leads nowhere`)
      return resolve(found)
    }) as Schema
  }

  function validate(schema: unknown, value: unknown): string[] {
    const key = JSON.stringify(schema)
    // A schema out of a JSON document is a schema; TypeBox only knows its own by type.
    const validator = validators.get(key) ?? Compile(resolve(schema) as TSchema)
    validators.set(key, validator)
    return [...validator.Errors(value)].map(({ instancePath, message }) => `${instancePath} ${message}`)
  }

  function faultsOf(method: string, path: string, { status, headers, text }: Answer): string[] {
    const operation: DocumentedOperation | undefined = document.paths[path]?.[method.toLowerCase()]
    const documented = operation?.responses[status]
    if (documented === undefined) return [`${method} ${path} is not documented to answer ${status}: ${text}`]
    const mediaType = headers['content-type']?.split(';')[0] ?? ''
    if (Object.keys(documented.content).length === 0) return text === '' ? [] : [`${status} has no body`]
    const content = documented.content[mediaType]
    if (content === undefined) return [`${status} is not documented to be ${mediaType}`]
    const faults = validate(content.schema, mediaType.endsWith('json') ? JSON.parse(text) : text)
    if (headers['x-request-id'] === undefined) faults.push('the answer has no X-Request-Id')
    return faults
  }

  return { document, resolve, faultsOf, faultsIn: validate }
}
