/** How often each kind of fault was really met. */
export class Tally {
  readonly #counts: Map<string, number>

  /** @param kinds every kind that there is */
  constructor(kinds: readonly string[]) {
    this.#counts = new Map(kinds.map((kind) => [kind, 0]))
  }

  add(kind: string, times = 1): void {
    const count = this.#counts.get(kind)
    if (count === undefined) throw new Error(`there is no fault of kind ${kind}`)
    this.#counts.set(kind, count + times)
  }

  /** Kinds that nobody has met. */
  missing(): string[] {
    return [...this.#counts].filter(([, count]) => count === 0).map(([kind]) => kind)
  }

  toString(): string {
    return [...this.#counts].map(([kind, count]) => `${kind} ${count}`).join(', ')
  }
}
