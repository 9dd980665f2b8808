/** A bar on a terminal, nothing anywhere else. */
export interface Progress {
  update(done: number, total?: number): void
  end(): void
}

const WIDTH = 30
const REDRAW_MS = 100

/** @param stream usually stderr, so that stdout stays clean for pipes */
export function createProgress(stream: NodeJS.WriteStream, label: string, unit: string): Progress {
  if (!stream.isTTY) return { update: () => undefined, end: () => undefined }
  const startedAt = performance.now()
  let drawnAt = Number.NEGATIVE_INFINITY
  let last = ''

  function draw(done: number, total: number | undefined): void {
    const now = performance.now()
    const rate = Math.round((1000 * done) / Math.max(now - startedAt, 1))
    const share = total === undefined || total === 0 ? undefined : Math.min(done / total, 1)
    const bar = share === undefined ? '' : ` [${'#'.repeat(Math.round(share * WIDTH)).padEnd(WIDTH, '.')}]`
    last = `${label}${bar} ${done}${total === undefined ? '' : ` of ${total}`} ${unit}, ${rate} a second`
    stream.write(`\r\u001b[K${last}`)
    drawnAt = now
  }

  return {
    update(done, total) {
      if (performance.now() - drawnAt >= REDRAW_MS || done === total) draw(done, total)
    },
    end() {
      if (last !== '') stream.write('\n')
    },
  }
}
