import { existsSync } from 'node:fs'
import { join } from 'node:path'
import express, { Router } from 'express'
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

const YEAR_MS = 365 * 24 * 3_600_000

/** The console at its paths, and the verifier, a single file with a policy of its own in it, at /verify. */
export function servePages(folder = BUILT): Router {
  const pages = Router()
  const consoleFolder = join(folder, 'console')
  pages.use((_request, response, next) => {
    response.set({ 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer' })
    next()
  })
  pages.get(VIEW_PATHS, (_request, response) => {
    const page = join(consoleFolder, 'index.html')
    if (!existsSync(page)) throw notBuilt()
    response.set({ 'Content-Security-Policy': CONSOLE_POLICY, 'Cache-Control': 'no-cache' }).sendFile(page)
  })
  pages.get('/verify', (_request, response) => {
    const page = join(folder, 'verify/index.html')
    if (!existsSync(page)) throw notBuilt()
    response
      .set({ 'Content-Security-Policy': "frame-ancestors 'none'", 'Cache-Control': 'no-cache' })
      .sendFile(page)
  })
  // Their names change with their content.
  pages.use('/assets', express.static(join(consoleFolder, 'assets'), { immutable: true, maxAge: YEAR_MS }))
  return pages
}

const notBuilt = () =>
  new OperationError('STORE_FAILED', 'the pages are not built: npm run build:web', { retryable: false })
