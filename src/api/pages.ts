import { existsSync } from 'node:fs'
import { extname, join } from 'node:path'
import { type Request, type RequestHandler, type Response, Router } from 'express'
import { OperationError } from '../errors.ts'

/** What `npm run build:web` makes; npm start and npm test see to it. */
const BUILT = join(import.meta.dirname, '../../dist/web')

/** The console's own script and style and this server, nothing else. */
const CONSOLE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ')

/** As src/web/console/views.ts has them. */
const VIEW_PATHS = ['/', '/explore', '/departments', '/my-data', '/alerts', '/ledger']

const YEAR_SECONDS = 365 * 24 * 3_600

const BUILT_NAME = /^[\w-]+[.][\w.-]+(?<![.](?:br|gz))$/

/** The best first, with the ends of the names of files that have them. */
const ENCODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const

/** Of every answer that is no page: nothing in it is ever run, framed or taken for what it is not. */
export const GUARDS = {
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
}

/** Also, what somebody is shown for a token stays on no disk and in no proxy, unless the route says otherwise. */
export const guardAnswers: RequestHandler = (request, response, next) => {
  response.set(GUARDS)
  if (request.get('authorization') !== undefined) response.set('Cache-Control', 'no-store')
  next()
}

/** The console at its paths, and the verifier, a single file with a policy of its own in it, at /verify. */
export function servePages(folder = BUILT): Router {
  const pages = Router()
  const servePage =
    (page: string, policy: string): RequestHandler =>
    (request, response) => {
      if (!existsSync(join(folder, page))) throw notBuilt()
      response.set({
        'Content-Security-Policy': policy,
        'Cache-Control': 'no-cache',
        'Referrer-Policy': 'no-referrer',
      })
      sendBuilt(request, response, folder, page)
    }
  pages.get(VIEW_PATHS, servePage('console/index.html', CONSOLE_POLICY))
  pages.get('/verify', servePage('verify/index.html', "frame-ancestors 'none'"))
  pages.get('/assets/:file', (request, response, next) => {
    const { file } = request.params
    const asset = join('console/assets', file)
    if (!BUILT_NAME.test(file) || !existsSync(join(folder, asset))) return next()
    // Its name changes with its content.
    response.set('Cache-Control', `public, max-age=${YEAR_SECONDS}, immutable`)
    sendBuilt(request, response, folder, asset)
  })
  return pages
}

/** In the smallest form that the browser takes; the build has made them all. */
function sendBuilt(request: Request, response: Response, folder: string, path: string): void {
  const [encoding, suffix] = ENCODINGS.find(([name]) => request.acceptsEncodings(name) === name) ?? []
  response.vary('Accept-Encoding').type(extname(path))
  if (encoding !== undefined) response.set('Content-Encoding', encoding)
  response.sendFile(`${path}${suffix ?? ''}`, { root: folder, cacheControl: false, acceptRanges: false })
}

const notBuilt = () =>
  new OperationError('STORE_FAILED', 'the pages are not built: npm run build:web', { retryable: false })
