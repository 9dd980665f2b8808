import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Request, RequestHandler, Response } from 'express'
import { isHex } from '../bytes/hex.ts'
import { readUint64 } from '../bytes/integer.ts'
import { InputError } from '../errors.ts'
import { PUBLIC_FILES, type PublicFile } from '../indexer/file-limits.ts'
import type { BatchFolder } from '../store/batch-folder.ts'
import type { Access } from './access.ts'

/** Who may fetch batch files: anybody, whoever has a reader's token, nobody. */
export const BATCH_FILE_MODES = ['public', 'token', 'none'] as const
export type BatchFileMode = (typeof BATCH_FILE_MODES)[number]

export interface BatchFilesParts {
  batches: BatchFolder
  mode: BatchFileMode
}

/** GET /v1/batches/{publisher}/{sequence}/{file}: a file of a batch, never the vault; it never changes. */
export const getBatchFile =
  ({ batches, mode }: BatchFilesParts, access: Access): RequestHandler =>
  async (request, response, next) => {
    if (mode === 'none') throw new InputError('NO_BATCH_FILES', 'this publisher gives out no batch files')
    if (mode === 'token') access.expectToken(request, ['reader', 'auditor'], 'batch files are fetched with')
    const { publisher, sequence } = request.params
    const name = PUBLIC_FILES.find((file) => file === request.params.file)
    const number = readUint64(sequence)
    if (!isHex(publisher, 20) || number === undefined || name === undefined) throw nothingAt(request)
    // The path is made of what was parsed, so it leads nowhere else.
    const folder = batches.pathOf(publisher, number)
    const { size, mtimeNs } = await stat(join(folder, name), { bigint: true }).catch(() => {
      throw nothingAt(request)
    })
    // A file is renamed into its place and never written again: these two tell it from any other that was here.
    response.set('ETag', `"${size.toString(16)}-${mtimeNs.toString(16)}"`)
    response.set('Cache-Control', `${mode === 'public' ? 'public' : 'private'}, max-age=31536000, immutable`)
    response.type(MEDIA_TYPES[name])
    response.sendFile(name, { root: folder, dotfiles: 'allow' }, (error?: NodeJS.ErrnoException) => {
      if (error === undefined || response.headersSent) return
      next(refusal(error, request, response))
    })
  }

const MEDIA_TYPES: Record<PublicFile, string> = {
  'header.json': 'application/json',
  'submissions.json': 'application/json',
  'records.ndjson.zst': 'application/zstd',
  'tree.bin': 'application/octet-stream',
  'index.bin': 'application/octet-stream',
}

/** What `send` says becomes a problem like any other, which nobody may keep for a year. */
function refusal(error: NodeJS.ErrnoException, request: Request, response: Response): unknown {
  for (const name of ['ETag', 'Cache-Control', 'Last-Modified', 'Content-Type']) response.removeHeader(name)
  const { status } = error as { status?: unknown }
  if (status === 416) return new InputError('BAD_RANGE', 'the file has no such range')
  if (status === 412) return new InputError('PRECONDITION_FAILED', 'the file is another than If-Match names')
  return status === 404 ? nothingAt(request) : error
}

const nothingAt = ({ path }: Request) => new InputError('NOT_FOUND', `there is no batch file at ${path}`)
