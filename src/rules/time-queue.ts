import type { Seen } from './rule.ts'

interface Held {
  seen: Seen
  /** which came first, among those of one time */
  arrival: number
}

/** Records that wait for their turn: a binary heap, the earliest on top. */
export class TimeQueue {
  readonly #heap: Held[] = []
  #arrivals = 0

  get size(): number {
    return this.#heap.length
  }

  /** The time of the earliest. */
  get firstMs(): number | undefined {
    return this.#heap[0]?.seen.timeMs
  }

  push(seen: Seen): void {
    const heap = this.#heap
    const held = { seen, arrival: this.#arrivals++ }
    let child = heap.length
    while (child > 0) {
      const parent = (child - 1) >> 1
      const above = heap[parent] as Held // parent < child
      if (!isBefore(held, above)) break
      heap[child] = above
      child = parent
    }
    heap[child] = held
  }

  /** Takes out the earliest; of one time, the one that came first. */
  pop(): Seen | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (last === undefined || first === last) return first?.seen
    let parent = 0
    for (;;) {
      let child = 2 * parent + 1
      const [left, right] = [heap[child], heap[child + 1]]
      if (left === undefined) break
      const lower = right !== undefined && isBefore(right, left) ? right : left
      if (lower === right) child++
      if (!isBefore(lower, last)) break
      heap[parent] = lower
      parent = child
    }
    heap[parent] = last
    return first?.seen
  }
}

const isBefore = (a: Held, b: Held) =>
  a.seen.timeMs < b.seen.timeMs || (a.seen.timeMs === b.seen.timeMs && a.arrival < b.arrival)
