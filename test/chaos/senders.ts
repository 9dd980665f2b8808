import { setTimeout as delay } from 'node:timers/promises'
import { Chance } from '../../src/client/sample-chance.ts'
import { callOf, exchange, NDJSON, ndjson } from '../api/world.ts'

/** What a source was told, and what it had sent. */
export interface Acknowledged {
  source: string
  sequence: number
  ids: string[]
  /** of the receipt */
  root: string
  publisher: string
}

/** A source that hands over submission after submission, each until it is acknowledged, over every death of its gateway. */
export class Sender {
  readonly source: string
  readonly acknowledged: Acknowledged[] = []
  /** what it tried to send last, acknowledged or not */
  sent = 0
  /** answers that a gateway must never give */
  readonly wrong: string[] = []
  readonly #url: () => string | undefined
  readonly #chance: Chance
  #ending = false
  #abandoned = false
  readonly #working: Promise<void>

  constructor(source: string, seed: string, url: () => string | undefined) {
    this.source = source
    this.#url = url
    this.#chance = new Chance(`${seed} ${source}`)
    this.#working = this.#work()
  }

  /** Resolves when the submission in hand is acknowledged. */
  async finish(): Promise<void> {
    this.#ending = true
    await this.#working
  }

  /** Gives up what it has in hand. */
  abandon(): void {
    this.#ending = true
    this.#abandoned = true
  }

  async #work(): Promise<void> {
    for (let sequence = 0; !this.#ending && this.wrong.length === 0; sequence++) {
      const count = this.#chance.between(1, 12)
      const ids = idsOf(this.source, sequence, count)
      const body = ndjson(...ids.map((id) => callOf(this.source, id)))
      this.sent = sequence + 1
      const receipt = await this.#submit(sequence, body)
      if (receipt === undefined) return
      const { root, publisher } = receipt
      this.acknowledged.push({ source: this.source, sequence, ids, root, publisher })
      // An answer that never arrived is as good as none: the same again must give the same receipt.
      if (this.#chance.happens(20)) {
        const again = await this.#submit(sequence, body)
        if (again !== undefined && JSON.stringify(again) !== JSON.stringify(receipt)) {
          this.wrong.push(`${this.source} #${sequence}: the second receipt is not the first`)
        }
      }
      await delay(this.#chance.between(0, 20))
    }
  }

  async #submit(sequence: number, body: string): Promise<Record<'root' | 'publisher', string> | undefined> {
    while (!this.#abandoned) {
      const url = this.#url()
      const headers = { ...NDJSON, 'tidemark-sequence': String(sequence) }
      const answer =
        url && (await exchange(url, 'POST', '/v1/submissions', { headers, body }).catch(() => undefined))
      if (answer && answer.status === 201) return JSON.parse(answer.text).receipt
      if (answer && answer.status !== 503) {
        this.wrong.push(`${this.source} #${sequence}: ${answer.status} ${answer.text}`)
        return undefined
      }
      await delay(20)
    }
    return undefined
  }
}

const idsOf = (source: string, sequence: number, count: number) =>
  Array.from({ length: count }, (_, i) => `${source}/${sequence}/${i}`)
