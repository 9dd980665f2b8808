import type { Hex } from '../bytes/hex.ts'
import type { Authorizations } from '../chain/authorizations.ts'
import { OperationError } from '../errors.ts'
import { decide, decideWithoutGrant, type Reason, type Use } from '../record/index.ts'
import { type Database, inTransaction } from '../store/database.ts'
import type { RightsBlock } from '../store/rights-log.ts'
import type { KnownGrant, Rights } from './rights.ts'

/** What somebody wants decided. */
export interface Question {
  use: Use
  grantId: Hex | undefined
  /** whether the call is counted against its grant, if it is allowed under one */
  isCounted: boolean
}

export interface Decision {
  reason: Reason
  /** that it was decided at: the block's, or now if that is later. Seconds since 1970 */
  time: bigint
  /** whose state it speaks for */
  block: RightsBlock
  /** calls that the grant allows after this; absent where it allows any number, or decided nothing */
  remaining?: bigint
}

interface DecisionParts {
  database: Database
  rights: Rights
  contract: Authorizations
  /** milliseconds since 1970 */
  now: () => number
}

interface Waiting {
  questions: readonly Question[]
  resolve: (decisions: Decision[] | undefined) => void
  reject: (error: unknown) => void
}

/** Records of one grant whose signatures are asked about: anybody may submit records of it with false ones. */
const MOST_SIGNATURES = 8
/** Answers about signatures that are remembered, all of one block. */
const MOST_ASKED = 10_000
/** Blocks that may come while the contract is asked. */
const MOST_BLOCKS = 5

/**
 * Decides on uses as the contract would, as of the last block that was read, with the grants that came as records and the
 * calls that were counted here.
 *
 * Calls are counted before the answer is given: all that wait are decided one after the other, in one transaction.
 */
export class Decisions {
  readonly #parts: DecisionParts
  #waiting: Waiting[] = []
  /** what the contract said, at a block, of grants that no key of their subject has signed */
  readonly #asked = new Map<Hex, KnownGrant | undefined>()
  #askedAt: Hex | undefined

  constructor(parts: DecisionParts) {
    this.#parts = parts
  }

  /**
   * @returns one for each question, all as of one block
   * @throws {OperationError} `STARTING` before the first block, `STORE_FAILED` when calls cannot be counted, and when a
   *   contract must be asked about a signature and cannot
   */
  async decide(questions: readonly Question[]): Promise<Decision[]> {
    for (let tries = 0; tries < MOST_BLOCKS; tries++) {
      const decisions = questions.some(({ isCounted }) => isCounted)
        ? await this.#decideTogether(questions)
        : this.#decideAll(questions)
      if (decisions !== undefined) return decisions
      await this.#ask(questions)
    }
    throw new OperationError(
      'RPC_LAGS',
      'blocks come faster than the contract can be asked about a signature',
    )
  }

  /** Undefined where a signature has to be asked about first. */
  #decideAll(questions: readonly Question[]): Decision[] | undefined {
    if (this.#unasked(questions).length > 0) return undefined
    return questions.map((question) => this.#decideOne(question))
  }

  #decideTogether(questions: readonly Question[]): Promise<Decision[] | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ questions, resolve, reject })
      if (this.#waiting.length === 1) setImmediate(() => this.#flush())
    })
  }

  #flush(): void {
    const waiting = this.#waiting.splice(0)
    try {
      const answers = inTransaction(this.#parts.database, () =>
        waiting.map(({ questions }) => this.#decideAll(questions)),
      )
      for (const [i, { resolve }] of waiting.entries()) resolve(answers[i])
    } catch (error) {
      for (const { reject } of waiting) reject(error)
    }
  }

  #decideOne({ use, grantId, isCounted }: Question): Decision {
    const { rights } = this.#parts
    const block = this.#block()
    const time = this.#time(block)
    const standing = rights.standing(use)
    const known = grantId === undefined ? undefined : this.#known(grantId)
    if (known === undefined || decideWithoutGrant(standing) !== undefined) {
      return { reason: decide(use, standing, undefined, time), time, block }
    }
    const calls = known.calls + rights.grants.uses(known.id)
    const { terms, signed, paused, revokedAt } = known
    const grant = { terms, signed, paused, revoked: revokedAt !== 0n, calls }
    const reason = decide(use, standing, grant, time)
    if (reason !== 'Allowed' && reason !== 'Exhausted') return { reason, time, block }
    const isUsed = reason === 'Allowed' && isCounted
    if (isUsed) rights.grants.use(known.id)
    if (terms.maxCalls === 0) return { reason, time, block }
    const left = BigInt(terms.maxCalls) - calls - (isUsed ? 1n : 0n)
    return { reason, time, block, remaining: left > 0n ? left : 0n }
  }

  #block(): RightsBlock {
    const block = this.#parts.rights.cursor?.block
    if (block === undefined) {
      throw new OperationError('STARTING', 'the registry has not been read yet')
    }
    return block
  }

  /** On a chain where nothing happens, a grant expires all the same. */
  #time({ time }: RightsBlock): bigint {
    const now = BigInt(Math.floor(this.#parts.now() / 1_000))
    return now > time ? now : time
  }

  /** A grant, with what the contract has said of its signature where that was asked. */
  #known(id: Hex): KnownGrant | undefined {
    const known = this.#parts.rights.grant(id)
    return known?.signed === false ? (this.#asked.get(id) ?? known) : known
  }

  /** Those that depend on a signature that no key made, and that the contract has not been asked about at this block. */
  #unasked(questions: readonly Question[]): { use: Use; id: Hex }[] {
    const { hash } = this.#block()
    if (this.#askedAt !== hash || this.#asked.size >= MOST_ASKED) {
      this.#asked.clear()
      this.#askedAt = hash
    }
    const { rights } = this.#parts
    return questions.flatMap(({ use, grantId }) => {
      if (grantId === undefined || this.#asked.has(grantId)) return []
      if (decideWithoutGrant(rights.standing(use)) !== undefined) return []
      return rights.grant(grantId)?.signed === false ? [{ use, id: grantId }] : []
    })
  }

  async #ask(questions: readonly Question[]): Promise<void> {
    const { hash } = this.#block()
    const unasked = new Map(this.#unasked(questions).map(({ use, id }) => [id, use]))
    await Promise.all(
      [...unasked].map(async ([id, use]) => {
        const genuine = await this.#genuine(id, use, hash)
        if (this.#askedAt === hash) this.#asked.set(id, genuine)
      }),
    )
  }

  /** The record of a grant whose signature its subject, a contract, says is its own. */
  async #genuine(id: Hex, use: Use, blockHash: Hex): Promise<KnownGrant | undefined> {
    const { rights, contract } = this.#parts
    for (const candidate of rights.candidates(id, MOST_SIGNATURES)) {
      const { terms, signature } = candidate
      if (signature === undefined) continue
      const reason = await contract.decideWith(use, terms, signature, { blockHash })
      if (BEFORE_SIGNATURES.includes(reason)) {
        throw new OperationError(
          'RPC_LAGS',
          `the node decides by another registry than that of block ${blockHash}`,
        )
      }
      if (reason !== 'NotSigned') return { ...candidate, signed: true }
    }
    return undefined
  }
}

/** What the contract looks at before a signature; there the registry has left the decision to the grant. */
const BEFORE_SIGNATURES: readonly Reason[] = [
  'UnknownSource',
  'UnknownResource',
  'Tripped',
  'Prohibited',
  'Unconditional',
  'NoGrant',
]
