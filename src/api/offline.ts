import { type Evidence, toJsonOffline } from '../proof/index.ts'

/** The text of a bundle that comes in pieces, with its evidence after it. */
export async function* withEvidence(
  bundle: Iterable<string> | AsyncIterable<string>,
  evidence: Evidence,
): AsyncGenerator<string> {
  const { format, evidence: shown } = toJsonOffline({ bundle: undefined, evidence })
  yield `{"format":${JSON.stringify(format)},"bundle":`
  yield* bundle
  yield `,"evidence":${JSON.stringify(shown)}}`
}
