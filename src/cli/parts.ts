/** Ends one part of a system. */
type Stop = () => unknown

/** What has been started so far. */
export interface Started {
  push(stop: Stop): void
  /** Ends everything, what was started last first. */
  stopAll(): Promise<void>
}

/** Starts the parts of a system one after the other; when one cannot be had, those before it are ended again. */
export async function startParts<System>(assemble: (started: Started) => Promise<System>): Promise<System> {
  const stops: Stop[] = []
  const started: Started = {
    push: (stop) => stops.push(stop),
    async stopAll() {
      for (const stop of stops.splice(0).reverse()) await stop()
    },
  }
  try {
    return await assemble(started)
  } catch (error) {
    await started.stopAll()
    throw error
  }
}
