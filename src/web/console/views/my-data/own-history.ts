import { InputError, VerificationError } from '../../../../errors.ts'
import {
  type HistoryBatch,
  OFFLINE_FORMAT,
  parseHistory,
  parseRunHistory,
  RUN_HISTORY_FORMAT,
} from '../../../../proof/index.ts'
import { type FlowRecord, type GivenGrant, givenGrant, openRecord } from '../../../../record/index.ts'
import type { Checked } from '../../../verifier/checked.ts'
import type { LedgerNames } from '../../answers.ts'
import { type Bundle, checkHere, fetchBundle } from '../../bundle.ts'
import { type Use, usesOf } from './uses.ts'

/** All that the ledger holds about one person in a period, and what came of checking that it is all. */
export interface OwnHistory {
  bundle: Bundle
  checked: Checked
  ledger: LedgerNames
  records: FlowRecord[]
  uses: Use[]
  grants: OwnGrant[]
}

/** A grant of the person, by the first record of it. */
export interface OwnGrant extends GivenGrant {
  record: FlowRecord
}

/** @throws {ApiProblem} */
export async function loadOwnHistory(
  path: string,
  ledger: LedgerNames,
  asking: { token: string | undefined; signal: AbortSignal },
): Promise<OwnHistory> {
  const bundle = await fetchBundle(path, asking)
  const checked = await checkHere(bundle.text, ledger)
  const records = provenRecords(checked) ?? claimedRecords(bundle.text)
  return { bundle, checked, ledger, records, uses: usesOf(records), grants: grantsOf(records) }
}

const provenRecords = ({ facts }: Checked): FlowRecord[] | undefined =>
  facts?.kind === 'history' ? facts.verified.records.map(({ record }) => record) : undefined

/** What a history that is not verified says; none of it where it cannot be read. */
function claimedRecords(text: string): FlowRecord[] {
  try {
    const value: unknown = JSON.parse(text)
    const bundle: unknown = Object(value).format === OFFLINE_FORMAT ? Object(value).bundle : value
    return batchesOf(bundle).flatMap(
      ({ found }) => found?.items.map(({ record, disclosures }) => openRecord(record, disclosures)) ?? [],
    )
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof InputError || error instanceof VerificationError)
      return []
    throw error
  }
}

function batchesOf(bundle: unknown): HistoryBatch[] {
  if (Object(bundle).format !== RUN_HISTORY_FORMAT) return parseHistory(bundle).batches
  return parseRunHistory(bundle).parts.flatMap((part) => ('run' in part ? part.batches : [part]))
}

function grantsOf(records: readonly FlowRecord[]): OwnGrant[] {
  const grants = new Map<string, OwnGrant>()
  for (const record of records) {
    if (record.type !== 'tidemark.authorization.v1') continue
    const given = givenGrant(record)
    if (!grants.has(given.id)) grants.set(given.id, { ...given, record })
  }
  return [...grants.values()]
}
