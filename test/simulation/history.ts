import { Wallet } from 'ethers'
import {
  type Header,
  type Item,
  type SealedBatch,
  sealBatch,
  type WaitingSubmission,
} from '../../src/batch/index.ts'
import { concatBytes, utf8 } from '../../src/bytes/bytes.ts'
import { type Hex, toHex } from '../../src/bytes/hex.ts'
import { sha256 } from '../../src/bytes/sha256.ts'
import { type SigningDomain, signSubmission } from '../../src/chain/signing.ts'
import type { Chance } from '../../src/client/sample-chance.ts'
import { type IndexName, indexValues } from '../../src/lookup/index.ts'
import { treeRoot } from '../../src/merkle/index.ts'
import { leafHash, parseRecord, type RecordTypeName, sealRecord } from '../../src/record/index.ts'
import { compress } from '../batch/items.ts'
import { exampleOf } from '../record/examples.ts'

/** What a record is found under. */
export interface Question {
  name: IndexName
  value: string
}

/** What a publisher seals under one number, and what it would have sealed there had the chain gone another way. */
export interface Sealed {
  /** as the chain gets it; of a batch whose count lies it is not what the files say */
  header: Header
  batch: SealedBatch
  /** everything that its records are found under */
  keys: Question[]
}

/** For each publisher its batches in their order, each in one or two versions. */
export type History = Map<Hex, [Sealed, ...Sealed[]][]>

const TYPES = [
  'tidemark.call.v1',
  'tidemark.call.v1',
  'tidemark.call.v1',
  'tidemark.authorization.v1',
  'tidemark.revocation.v1',
  'tidemark.heartbeat.v1',
] as const satisfies RecordTypeName[]
const RESOURCES = ['population', 'vehicles', 'water', 'permits'] as const
const OFFICES = ['traffic-office', 'tax-office', 'clinic'] as const
const OUTCOMES = ['success', 'success', 'refused', 'failed'] as const
const FIRST_DAY = Date.UTC(2026, 2, 1)
const PERIOD_MS = 3 * 86_400_000
const MOST_RECORDS = 12
/** Sources of their own, and one that all share. */
const OWN_SOURCES = 2
const SHARED_SOURCE = 'urn:shared'

/** All batches of a run, with real seals and signatures, a few of them at fault in ways that stay. */
export async function makeHistory(chance: Chance, domain: SigningDomain): Promise<History> {
  const writer = new Writer(chance, domain)
  const history: History = new Map()
  const publishers = chance.between(2, 3)
  const batches = chance.between(20, 60)
  for (let i = 0; i < publishers; i++)
    history.set(walletOf(`publisher ${i}`).address.toLowerCase() as Hex, [])
  for (let i = 0; i < batches; i++) {
    const number = chance.below(publishers)
    const [publisher, own] = [...history][number] as [Hex, [Sealed, ...Sealed[]][]] // below their number
    const first = await writer.seal(number, publisher, own.length)
    const versions: [Sealed, ...Sealed[]] = [first]
    if (chance.happens(25)) {
      const other = await writer.seal(number, publisher, own.length)
      // No header commits to submissions.json: that of a version with as many records could be taken for the other's.
      if (other.batch.header.recordCount !== first.batch.header.recordCount) versions.push(other)
    }
    own.push(versions)
  }
  return history
}

class Writer {
  readonly #chance: Chance
  readonly #domain: SigningDomain
  readonly #next = new Map<string, bigint>()

  constructor(chance: Chance, domain: SigningDomain) {
    this.#chance = chance
    this.#domain = domain
  }

  async seal(number: number, publisher: Hex, sequence: number): Promise<Sealed> {
    const chance = this.#chance
    const sources = Array.from({ length: OWN_SOURCES }, (_, i) => `urn:source:${number}:${i}`)
    const chosen = chance.happens(25) ? [SHARED_SOURCE] : [sources[chance.below(OWN_SOURCES)] as string]
    if (chance.happens(30)) chosen.push(SHARED_SOURCE)
    const submissions: WaitingSubmission[] = []
    for (const source of chosen) submissions.push(await this.#submission(source))
    const batch = sealBatch(publisher, BigInt(sequence), submissions, compress)
    const { header } = batch
    const lies = chance.happens(4)
    const values = submissions.flatMap(({ items }) =>
      items.flatMap(({ record, disclosures }) => [...indexValues(record, disclosures)]),
    )
    return {
      header: lies ? { ...header, recordCount: header.recordCount + 1 } : header,
      batch,
      keys: values.map(([name, value]) => ({ name, value })),
    }
  }

  async #submission(source: string): Promise<WaitingSubmission> {
    const chance = this.#chance
    const due = this.#next.get(source) ?? 0n
    // Now and then a number is left out, or taken twice.
    const sequence = chance.happens(5) ? due + 1n : chance.happens(5) && due > 0n ? due - 1n : due
    this.#next.set(source, sequence + 1n)
    const items: Item[] = []
    const vault: string[][] = []
    const salt = () => chance.bytes(16)
    for (let i = 0; i < chance.between(1, MOST_RECORDS); i++) {
      const sealed = sealRecord(parseRecord(this.#record(source, sequence, i)), salt)
      items.push({ record: sealed.record, disclosures: sealed.disclosures })
      vault.push(sealed.vault)
    }
    const waiting = { source, sequence, receivedAt: FIRST_DAY, signature: null, items, vault }
    if (chance.happens(15)) return waiting
    const signer = walletOf(chance.happens(5) ? 'a stranger' : source)
    const root = treeRoot(concatBytes(...items.map(({ record }) => leafHash(record))))
    const signature = await signSubmission(signer, this.#domain, {
      ...waiting,
      root,
      size: BigInt(items.length),
    })
    return { ...waiting, signature }
  }

  #record(source: string, sequence: bigint, position: number): unknown {
    const chance = this.#chance
    const type = chance.pick(TYPES)
    const example = exampleOf(type)
    const grant = toHex(new Uint8Array(32).fill(chance.below(6)))
    if ('authorization' in example.data) example.data.authorization = grant
    if ('person' in example.data) example.data.person = toPerson(chance.below(5))
    if (type === 'tidemark.call.v1') {
      example.data.consumer = chance.pick(OFFICES)
      example.data.provider = chance.pick(OFFICES)
      example.data.outcome = chance.pick(OUTCOMES)
      example.data.requestId = `r-${chance.below(200)}`
    }
    // An id that the source has used before, now and then.
    const id = chance.happens(2) ? `${sequence}-0` : `${sequence}-${position}`
    const time = new Date(FIRST_DAY + chance.below(PERIOD_MS)).toISOString()
    return { ...example, subject: chance.pick(RESOURCES), source, id, time }
  }
}

const toPerson = (number: number) => Buffer.from(sha256(utf8(`person ${number}`))).toString('base64url')

/** A key that only this text gives. */
const walletOf = (text: string) => new Wallet(toHex(sha256(utf8(text))))
