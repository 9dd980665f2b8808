/** What is measured: a server in a process of its own that takes submissions. */
export interface Subject {
  port: number
  /** of every process that belongs to it, by name; the first answers the requests */
  pids: Record<string, number>
  /** Waits until everything acknowledged can be found; when each stage was reached, as `performance.now` says. */
  settle?(records: number): Promise<Stages>
  /** Milliseconds since it was last asked. */
  loopDelay?(): Promise<{ p99: number; max: number }>
  /** Ends it and everything that belongs to it. */
  stop(): Promise<void>
  /** Bytes on disk by part, once it has ended. */
  disk(): Promise<Record<string, number>>
}

export interface Stages {
  sealed: number
  anchored: number
  searchable: number
}
