import type { Request, RequestHandler } from 'express'
import { InputError } from '../errors.ts'
import type { Role } from '../store/roles.ts'
import type { Sources, Token } from '../store/sources.ts'
import { tokenOf } from './query.ts'

/** Whether pseudonyms are for everybody, or for whoever has a token that is good for them. */
export const READING_MODES = ['open', 'tokens'] as const
export type ReadingMode = (typeof READING_MODES)[number]

export interface AccessParts {
  tokens: Pick<Sources, 'findToken'>
  reading: ReadingMode
}

/** Who asks: anybody, or the holder of a token. */
export type Viewer = Role | { role: 'public' }

/** Decides who may see what; all that shows more than sealed records asks here. */
export interface Access {
  /** @throws {InputError} `BAD_TOKEN` when a token is sent that is unknown or revoked */
  viewerOf(request: Request): Viewer
  /**
   * Whether somebody may see who a record is about.
   *
   * @param person the tag that is asked for, or that the record has; undefined where it may be anybody's
   * @throws {InputError} `NO_CREDENTIALS` or `WRONG_ROLE`
   */
  expectPerson(viewer: Viewer, person: string | undefined): void
  /** Whether somebody may see private members. Throws as `expectPerson`. */
  expectPrivate(viewer: Viewer): void
  /**
   * The token of a request, where it has one of these roles.
   *
   * @param what it is needed for, as the beginning of a sentence
   * @throws {InputError} `NO_CREDENTIALS`, `BAD_TOKEN` or `WRONG_ROLE`
   */
  expectToken(request: Request, roles: readonly Role['role'][], what: string): Token
}

export function createAccess({ tokens, reading }: AccessParts): Access {
  const find = (request: Request): Token | undefined => {
    const secret = tokenOf(request)
    if (secret === undefined) return undefined
    const token = tokens.findToken(secret)
    if (token === undefined) throw new InputError('BAD_TOKEN', 'the token is not known here, or was revoked')
    return token
  }
  return {
    viewerOf: (request) => find(request)?.role ?? { role: 'public' },
    expectPerson(viewer, person) {
      if (reading === 'open' || viewer.role === 'auditor') return
      if (viewer.role === 'subject' && viewer.person === person) return
      throw refusal(
        viewer,
        "who a record is about is shown to auditors, and to each person under the person's own tag",
      )
    },
    expectPrivate(viewer) {
      if (viewer.role !== 'auditor') throw refusal(viewer, 'private members are shown to auditors')
    },
    expectToken(request, roles, what) {
      const token = find(request)
      if (token !== undefined && roles.includes(token.role.role)) return token
      throw refusal(token?.role ?? { role: 'public' }, `${what} a token of role ${roles.join(' or ')}`)
    },
  }
}

/** GET /v1/me: what the token of a request is good for. */
export const getMe =
  (access: Access): RequestHandler =>
  (request, response) =>
    void response.json(access.viewerOf(request))

function refusal(viewer: Viewer, what: string): InputError {
  if (viewer.role === 'public') return new InputError('NO_CREDENTIALS', `${what}: send a bearer token`)
  return new InputError('WRONG_ROLE', `${what}; this token is one of role ${viewer.role}`)
}
