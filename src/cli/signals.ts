/** Resolves when the process is told to end. */
export function signalled(): Promise<undefined> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(undefined))
  })
}

const PARENT_POLL_MS = 500

/**
 * Resolves when the shell that `npm start` runs us in has ended: npm hands a SIGTERM to it alone, which is meant for us
 * too, and may come while we start.
 */
export function abandoned(): Promise<undefined> {
  const parent = process.ppid
  return new Promise((resolve) => {
    if (process.env.npm_lifecycle_event !== 'start') return
    const poll = setInterval(() => {
      if (process.ppid === parent) return
      clearInterval(poll)
      resolve(undefined)
    }, PARENT_POLL_MS)
    poll.unref()
  })
}
