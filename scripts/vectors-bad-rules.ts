/** The step of a refusal, or the family of the error where there is no step; its code. */
export type Refusal = readonly [stepOrFamily: string, code: string]

/** How the alterations whose names match are refused; the first that matches decides. */
export type Rule = readonly [pattern: RegExp, stepOrFamily: string, code: string]

/** Section 13, step `read`, of any kind: what is not spelt as the format says. */
export const readRules: readonly Rule[] = [
  [/ \/format$/, 'InputError', 'BAD_BUNDLE'],
  [/^without \/batch$/, 'read', 'MALFORMED_BUNDLE'],
  [/^(without|null for|misspelt|more in) \/batch\b/, 'read', 'MALFORMED_HEADER'],
  [/^without \S*\/record$/, 'read', 'MALFORMED_BUNDLE'],
  [/^(without|null for|misspelt|more in) \S*\/record\b/, 'read', 'MALFORMED_RECORD'],
  [/^(without|null for|misspelt|more in) /, 'read', 'MALFORMED_BUNDLE'],
]

/** Members without which a call is still a record, though another. */
const SPARE =
  'traceparent|data/(purpose|legalBasis|sharing|level|authorization|status|rows|requestBytes|responseBytes|durationMs|requestDigest|responseDigest)'

/** Section 13, step 3: a record that a batch could hold, and this one does not. */
export const recordRules = (step: 'batch' | 'batches'): readonly Rule[] => [
  [new RegExp(`^without \\S*/record/(${SPARE})$`), step, 'ROOT_MISMATCH'],
  [/^misspelt \S*\/record\/data\/(status|level)$/, step, 'ROOT_MISMATCH'], // a text like any other
  [/^(without|another) \S*\/record\/data\/_sd\/0$/, step, 'ROOT_MISMATCH'],
  [/^another \S*\/record\/(specversion|type|traceparent)$/, 'read', 'MALFORMED_RECORD'],
  [
    /^another \S*\/record\/data\/(side|sharing|outcome|_sd_alg|_sd_pseudonyms\/0)$/,
    'read',
    'MALFORMED_RECORD',
  ],
  [/^another \S*\/record\//, step, 'ROOT_MISMATCH'],
]

/** Section 13, step 4, of an event; the event after it is one of the same kind, or there is none. */
export const placeRules = (place: string, step: string, nextEvent = 'HEADER_MISMATCH'): Rule[] => [
  [new RegExp(`^another ${place}/(blockNumber|blockHash)$`), step, 'NOT_CANONICAL'],
  [new RegExp(`^another ${place}/transactionHash$`), step, 'NOT_ANCHORED'],
  [new RegExp(`^another ${place}/logIndex$`), step, nextEvent],
]

/** Section 13, steps 4 and 5, of a bundle that shows a header by its members. */
export const anchoredRules: readonly Rule[] = [
  [/^another \/batch\/recordsRoot$/, 'batch', 'ROOT_MISMATCH'],
  [/^another \/batch\//, 'anchor', 'HEADER_MISMATCH'],
  [/^another \/log\/index$/, 'anchor', 'HEADER_MISMATCH'],
  [/^another \/log\/size$/, 'log', 'HEADER_MISMATCH'],
  [/^another \/log\/path\/0$/, 'log', 'ROOT_MISMATCH'],
  [/^without \/log\/path\/0$/, 'log', 'MALFORMED_PATH'],
  [/^more in \/log\/path$/, 'log', 'MALFORMED_PATH'],
  [/^another \/anchor\/chainId$/, 'anchor', 'WRONG_CHAIN'],
  ...placeRules('/anchor', 'anchor'),
]

const LISTS = '(/batches|/parts/0/batches)'

/** Section 13.3: what the batches of a history do not hold as it says. */
export const historyRules: readonly Rule[] = [
  [/^another \/key\/name$/, 'read', 'MALFORMED_BUNDLE'],
  [/^another \/range\/(from|to)$/, 'batches', 'MISSING_BATCH'],
  [/^another \/range\/size$/, 'log', 'HEADER_MISMATCH'],
  [new RegExp(`^(without ${LISTS}/0|more in ${LISTS})$`), 'batches', 'MISSING_BATCH'],
  [/^another \S*\/header$/, 'log', 'ROOT_MISMATCH'],
  [/^without \S*\/batches\/0\/lookup$/, 'batches', 'MISSING_BUCKET'],
  [/^another \S*\/lookup\/index$/, 'batches', 'INDEX_OUT_OF_RANGE'],
  [/^another \S*\/lookup\/bucket$/, 'batches', 'ROOT_MISMATCH'],
  [/^without \S*\/found$/, 'batches', 'MISSING_RECORD'],
  [/^without \S*\/found\/items\/0$/, 'batches', 'MISSING_RECORD'],
  [/^more in \S*\/found\/items$/, 'batches', 'FOREIGN_RECORD'],
  [/^another \S*\/found\/path$/, 'batches', 'ROOT_MISMATCH'],
  [/^without \S*\/disclosures\/0$/, 'batches', 'FOREIGN_RECORD'],
  [/^(misspelt|another) \S*\/disclosures\/0$/, 'batches', 'BAD_DISCLOSURE'],
  [/^more in \S*\/disclosures$/, 'batches', 'BAD_DISCLOSURE'],
  ...recordRules('batches'),
]

/** Section 13.5. */
export const authorizationRules: readonly Rule[] = [
  [/^another \/authorization\/(contract$|grant\/)/, 'grant', 'WRONG_GRANT'],
  [/^another \/authorization\/signature$/, 'signature', 'BAD_SIGNATURE'],
  [/^another \/authorization\/resource\/registry$/, 'registry', 'WRONG_REGISTRY'],
  [/^another \/authorization\/resource\/sharing$/, 'read', 'MALFORMED_BUNDLE'],
  [/^another \/authorization\/resource\/\w+$/, 'registry', 'RESOURCE_MISMATCH'],
  ...placeRules('/authorization/resource/(set|next)', 'registry', 'NOT_ANCHORED'),
  ...placeRules('/authorization/given', 'signature', 'NOT_ANCHORED'),
  [/^another \/authorization\/revocation\/revokedAt$/, 'revocation', 'FALSE_REVOCATION'],
  [/^another \/authorization\/revocation\//, 'revocation', 'NOT_CANONICAL'],
]

/** Section 13.6. */
export const offlineRules: readonly Rule[] = [
  [/^null for \/bundle$/, 'InputError', 'BAD_BUNDLE'],
  [/^another \S*\/header$/, 'OperationError', 'BLOCK_NOT_TRUSTED'],
  [/^without \S*\/(blocks|transactions|accounts|storage)\/0$/, 'OperationError', 'NOT_IN_EVIDENCE'],
  [/^without \S*\/consistency$/, 'OperationError', 'NOT_IN_EVIDENCE'],
  [/^more in \S*\/blocks$/, 'evidence', 'BAD_EVIDENCE'],
  [/^another \S*\/(index|address|slot)$/, 'evidence', 'BAD_EVIDENCE'],
  [/^(another|without) \S*(Proof|proof|consistency)\/0$/, 'evidence', 'BAD_EVIDENCE'],
  [/^more in \S*(Proof|proof|consistency)$/, 'evidence', 'BAD_EVIDENCE'],
]
