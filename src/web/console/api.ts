/** A problem document of the API (RFC 9457), or what stands for one when there was no answer. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem'
  /** 0 when nothing was answered */
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

/**
 * Asks this server; nothing else is ever asked.
 *
 * @param token the reader's bearer token, where there is one
 * @throws {ApiProblem}
 */
export async function ask(
  path: string,
  { token, ...init }: RequestInit & { token?: string | undefined } = {},
): Promise<Response> {
  const headers = new Headers(init.headers)
  if (token !== undefined) headers.set('Authorization', `Bearer ${token}`)
  const response = await fetch(path, { ...init, headers }).catch((cause: unknown) => {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause
    throw new ApiProblem(0, 'UNREACHABLE', String(cause))
  })
  if (response.ok) return response
  const problem = Object(await response.json().catch(() => undefined)) as Record<string, unknown>
  throw new ApiProblem(
    response.status,
    String(problem.code ?? response.status),
    String(problem.detail ?? problem.title ?? response.statusText),
  )
}
