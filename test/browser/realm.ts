/**
 * A program: loads `visitor.ts` and all that it imports into a realm that has only what every browser has, runs it
 * there with the visit on standard input, and writes its report to standard output.
 *
 * node --experimental-vm-modules realm.ts open|strict|bare
 */
import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { createContext, type Module, runInContext, SourceTextModule } from 'node:vm'

const [mode = 'open'] = process.argv.slice(2)

const realm = createContext(
  {},
  // As a content security policy without 'unsafe-eval' and 'wasm-unsafe-eval'.
  { codeGeneration: { strings: mode === 'open', wasm: mode === 'open' } },
)

const host = {
  encode: (value: string) => [...new TextEncoder().encode(value)],
  decode: (bytes: Uint8Array, label: string, options: object) =>
    new TextDecoder(label, options).decode(bytes),
  random: (length: number) => [...crypto.getRandomValues(new Uint8Array(length))],
  parseUrl: (url: string, base?: string) => new URL(url, base).href,
}

// The classes are made within the realm, so that their bytes and errors are of the realm too, as in a browser.
const furnish = runInContext(
  `(host) => {
    delete globalThis.console
    if (${JSON.stringify(mode)} === 'bare') delete globalThis.WebAssembly
    globalThis.TextEncoder = class TextEncoder {
      encode(text) { return new Uint8Array(host.encode(String(text))) }
    }
    globalThis.TextDecoder = class TextDecoder {
      constructor(label = 'utf-8', options = {}) { this.label = label; this.options = options }
      decode(bytes) {
        try { return host.decode(bytes, this.label, this.options) }
        catch (error) { throw new TypeError(error.message) }
      }
    }
    globalThis.URL = class URL {
      constructor(url, base) { this.href = host.parseUrl(url, base) }
    }
    globalThis.crypto = {
      getRandomValues(bytes) { bytes.set(host.random(bytes.length)); return bytes },
    }
  }`,
  realm,
) as (given: typeof host) => void
furnish(host)

const modules = new Map<string, SourceTextModule>()

/** The module of a URL, read once; TypeScript loses its types as it does on its way to a browser. */
function moduleAt(url: string): SourceTextModule {
  const known = modules.get(url)
  if (known !== undefined) return known
  if (!url.startsWith('file:')) throw new Error(`no browser has ${url}`)
  const source = readFileSync(fileURLToPath(url), 'utf8')
  const code = url.endsWith('.ts') ? stripTypeScriptTypes(source) : source
  const made = new SourceTextModule(code, { context: realm, identifier: url })
  modules.set(url, made)
  return made
}

const link = (specifier: string, from: Module): SourceTextModule =>
  moduleAt(
    specifier.startsWith('.') ? new URL(specifier, from.identifier).href : import.meta.resolve(specifier),
  )

const visitor = moduleAt(new URL('./visitor.ts', import.meta.url).href)
await visitor.link(link)
await visitor.evaluate()
const { run } = visitor.namespace as { run(visit: string): Promise<string> }
process.stdout.write(await run(await text(process.stdin)))
