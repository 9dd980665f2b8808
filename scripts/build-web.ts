/** Builds the pages that browsers are given into dist/web: the console, and the verifier as a single file. */
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { build, type InlineConfig, type Plugin } from 'vite'

const root = join(import.meta.dirname, '..')
const source = join(root, 'src/web')
const out = join(root, 'dist/web')

/** TypeBox tries whether code may be made of text: the policies forbid it, and a browser reports each try. */
const NO_CODE_OF_TEXT: Plugin = {
  name: 'no-code-of-text',
  load: (id) =>
    id.endsWith('/typebox/build/system/environment/evaluate.mjs')
      ? "export const CanEvaluate = () => false\nexport const Evaluate = () => { throw new EvalError('forbidden') }"
      : undefined,
}

const common: InlineConfig = {
  configFile: false,
  logLevel: 'warn',
  clearScreen: false,
  plugins: [NO_CODE_OF_TEXT],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
}

await build({
  ...common,
  root: join(source, 'console'),
  // An inlined image would need `data:` in the policy.
  build: {
    outDir: join(out, 'console'),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The charts', which the one view that draws them loads when it is shown.
    chunkSizeWarningLimit: 700,
  },
})
await buildVerifier()
compressAll()

/** Script and style lie in the page, so that a saved file is the whole of it; the policy names their hashes. */
async function buildVerifier(): Promise<void> {
  const folder = join(source, 'verifier')
  const built = await build({
    ...common,
    root: folder,
    build: {
      write: false,
      assetsInlineLimit: Number.MAX_SAFE_INTEGER,
      cssCodeSplit: false,
      modulePreload: { polyfill: false },
      rolldownOptions: { input: join(folder, 'main.tsx'), output: { codeSplitting: false } },
    },
  })
  const files = [built].flat().flatMap((one) => ('output' in one ? one.output : []))
  const script = files.flatMap((file) => (file.type === 'chunk' ? [file.code.trim()] : [])).join('\n')
  const style = files
    .flatMap((file) => (file.type === 'asset' && file.fileName.endsWith('.css') ? [String(file.source)] : []))
    .join('\n')
    .trim()
  // `</script` cannot end the script before its end; within strings and patterns the escape means the same.
  const safe = script.replaceAll('</script', '<\\/script')
  const policy = [
    "default-src 'none'",
    `script-src '${digest(safe)}'`,
    `style-src '${digest(style)}'`,
    // Only a node that the reader names is ever asked.
    'connect-src http: https:',
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ')
  const page = readFileSync(join(folder, 'index.html'), 'utf8')
    .replace(
      '<!-- policy, style -->',
      () => `<meta http-equiv="Content-Security-Policy" content="${policy}" />\n    <style>${style}</style>`,
    )
    .replace('<!-- script -->', () => `<script type="module">${safe}</script>`)
  mkdirSync(join(out, 'verify'), { recursive: true })
  writeFileSync(join(out, 'verify/index.html'), page)
}

function digest(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}

/** Beside each file what the server gives to a browser that takes it. */
function compressAll(): void {
  for (const entry of readdirSync(out, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || /[.](?:br|gz)$/.test(entry.name)) continue
    const path = join(entry.parentPath, entry.name)
    const content = readFileSync(path)
    const params = { [constants.BROTLI_PARAM_SIZE_HINT]: content.length }
    writeFileSync(`${path}.br`, brotliCompressSync(content, { params }))
    writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }))
  }
}
