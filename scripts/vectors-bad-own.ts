import type { JsonProof, JsonSubmissionProof, toJsonReceipt } from '../src/index.ts'
import type { TextEdit } from './vectors-bad.ts'
import type { Refusal } from './vectors-bad-rules.ts'
import { add, type Patch, remove, replace } from './vectors-patch.ts'

/** An alteration that no rule makes: how it is refused, what was done, and how. */
export type OwnAlteration = readonly [...refusal: Refusal, name: string, ...how: (Patch | TextEdit)[]]

/** Gives a value of a file of test/vectors. */
export type Read = (file: string, pointer: string) => unknown

/** The order of the group of secp256k1 (SEC 2, section 2.4.1). */
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const MANY = 20_000
const MAX32 = 2 ** 32 - 1
const MAX64 = String(2n ** 64n - 1n)
const MARK = '\u0001'

export const bytes = (size: number, byte = '77') => `0x${byte.repeat(size)}`

/** What is no number of its kind. */
const numbers = (decimal: string, uint32: string): OwnAlteration[] => [
  ...['', '-0', '-1', '+1', '1.0', ' 1', '1 ', '1e3', '0x1', '1n', '٣', '１', '1\0', String(2n ** 64n)].map(
    (text): OwnAlteration => [
      'read',
      'MALFORMED_BUNDLE',
      `${JSON.stringify(text)} for ${decimal}`,
      replace(decimal, text),
    ],
  ),
  ...[-1, 2 ** 32, 2 ** 53, 1e300, 5e-324, true, [], {}].map(
    (value): OwnAlteration => [
      'read',
      'MALFORMED_BUNDLE',
      `${JSON.stringify(value)} for ${uint32}`,
      replace(uint32, value),
    ],
  ),
]

/** Members that the objects of some languages have without being told. */
export const inherited = (start: string, code = 'MALFORMED_BUNDLE'): OwnAlteration[] =>
  ['__proto__', 'constructor', 'hasOwnProperty'].map((name) => [
    'read',
    code,
    `${name} after ${start}`,
    { find: start, put: `${start}"${name}":{"length":0},` },
  ])

/** A value in a hundred thousand lists. */
export const nested = (value: string, code: string): OwnAlteration => [
  'read',
  code,
  `${value} in very many lists`,
  { find: JSON.stringify(value), put: '[', close: ']', times: 100_000 },
]

/** The first text of a list, very many times. */
const crowded = (text: string, step: string, code: string, what: string): OwnAlteration => [
  step,
  code,
  `${what} ${MANY} times`,
  { find: JSON.stringify(text), put: `${MARK}${JSON.stringify(text)}` },
  { find: MARK, put: `${JSON.stringify(text)},`, times: MANY },
]

/** Signatures that others can make of a good one. */
export function signatures(place: string, signature: string, step: string): OwnAlteration[] {
  const [start, parity] = [signature.slice(0, -2), signature.slice(-2)]
  const other = parity === '1b' ? '1c' : '1b'
  const high = (ORDER - BigInt(`0x${start.slice(66)}`)).toString(16).padStart(64, '0')
  const bad = (name: string, value: string): OwnAlteration => [
    step,
    'BAD_SIGNATURE',
    name,
    replace(place, value),
  ]
  return [
    bad('the other half of the signature', `${start.slice(0, 66)}${high}${other}`),
    bad('the other parity', `${start}${other}`),
    bad('a parity from 0', `${start}${parity === '1b' ? '00' : '01'}`),
    bad('a signature of zeros', bytes(65, '00')),
    bad('a signature of ones', bytes(65, 'ff')),
  ]
}

export function ownOfProof(proof: JsonProof, read: Read): OwnAlteration[] {
  const other = read('authorized.json', '/proof') as JsonProof
  const [digest, next] = proof.record.data._sd ?? []
  const [disclosure = ''] = proof.disclosures
  const { path } = proof.inclusion
  const text = (name: string, pointer: string, value: string): OwnAlteration => [
    'batch',
    'ROOT_MISMATCH',
    name,
    replace(pointer, value),
  ]
  return [
    ...numbers('/log/index', '/inclusion/index'),
    ...inherited('{'),
    ...inherited('"record":{', 'MALFORMED_RECORD'),
    ...inherited('"data":{', 'MALFORMED_RECORD'),
    ...inherited('"inclusion":{'),
    ...inherited('"batch":{', 'MALFORMED_HEADER'),
    nested('1.0', 'MALFORMED_RECORD'),
    nested('lookup', 'MALFORMED_RECORD'),
    nested(disclosure, 'MALFORMED_BUNDLE'),
    nested(path[0] ?? '', 'MALFORMED_BUNDLE'),
    nested(proof.batch.publisher, 'MALFORMED_HEADER'),
    crowded(disclosure, 'record', 'BAD_DISCLOSURE', 'a disclosure'),
    crowded(path[0] ?? '', 'batch', 'MALFORMED_PATH', 'the first hash of the path'),
    crowded(proof.log.path[0] ?? '', 'log', 'MALFORMED_PATH', 'the first hash of the path of the log'),
    ['batch', 'INDEX_OUT_OF_RANGE', 'the greatest index', replace('/inclusion/index', MAX32)],
    ['batch', 'INDEX_OUT_OF_RANGE', 'no records', replace('/batch/recordCount', 0)],
    ['batch', 'MALFORMED_PATH', 'the greatest number of records', replace('/batch/recordCount', MAX32)],
    ['batch', 'MALFORMED_PATH', 'no path', replace('/inclusion/path', [])],
    [
      'batch',
      'ROOT_MISMATCH',
      'a path of zeros',
      replace(
        '/inclusion/path',
        path.map(() => bytes(32, '00')),
      ),
    ],
    ['batch', 'ROOT_MISMATCH', 'a path turned round', replace('/inclusion/path', path.toReversed())],
    ['batch', 'ROOT_MISMATCH', 'a root of zeros', replace('/batch/recordsRoot', bytes(32, '00'))],
    ['batch', 'INDEX_OUT_OF_RANGE', 'the batch of another proof', replace('/batch', other.batch)],
    ['batch', 'MALFORMED_PATH', 'the place of another proof', replace('/inclusion', other.inclusion)],
    [
      'batch',
      'ROOT_MISMATCH',
      'another record',
      replace('/record', other.record),
      replace('/disclosures', []),
    ],
    [
      'record',
      'BAD_DISCLOSURE',
      'the disclosures of another proof',
      replace('/disclosures', other.disclosures),
    ],
    ['record', 'BAD_DISCLOSURE', 'a record that these do not disclose', replace('/record', other.record)],
    ['anchor', 'HEADER_MISMATCH', 'the greatest index of the log', replace('/log/index', MAX64)],
    ['anchor', 'HEADER_MISMATCH', 'the log of another proof', replace('/log', other.log)],
    ['log', 'HEADER_MISMATCH', 'a log of nothing', replace('/log/size', '0')],
    ['log', 'HEADER_MISMATCH', 'the greatest log', replace('/log/size', MAX64)],
    [
      'log',
      'ROOT_MISMATCH',
      'a path of the log turned round',
      replace('/log/path', proof.log.path.toReversed()),
    ],
    ['anchor', 'NOT_ANCHORED', 'the greatest index of an event', replace('/anchor/logIndex', MAX32)],
    ['anchor', 'NOT_ANCHORED', 'the event of a stranger', replace('/anchor/logIndex', 0)],
    [
      'anchor',
      'HEADER_MISMATCH',
      'an event of the ledger that appends nothing',
      replace('/anchor/logIndex', 1),
    ],
    ['anchor', 'WRONG_CHAIN', 'chain 0', replace('/anchor/chainId', '0')],
    ['anchor', 'NOT_ANCHORED', 'the ledger of nobody', replace('/anchor/ledger', bytes(20, '00'))],
    ['anchor', 'NOT_CANONICAL', 'the first block', replace('/anchor/blockNumber', '0')],
    ['OperationError', 'RPC_LAGS', 'the anchor of another chain', replace('/anchor', other.anchor)],
    text('a hyphen of another kind', '/record/subject', 'civil\u2010registry/births'),
    text('a blank of no width', '/record/subject', 'civil-registry/births\u200b'),
    text('a name from right to left', '/record/subject', '\u202eshtrib/yrtsiger-livic'),
    text('letters with their accents apart', '/record/data/purpose', 'lice\u0301nce-renewal'),
    text('a NUL at the end', '/record/data/operation', 'lookup\0'),
    ['read', 'MALFORMED_RECORD', 'half of a surrogate pair', replace('/record/data/operation', '\udc00')],
    ['read', 'MALFORMED_BUNDLE', 'hex of wide digits', replace('/anchor/blockHash', `0x${'１'.repeat(64)}`)],
    [
      'read',
      'MALFORMED_BUNDLE',
      'hex after 0X',
      replace('/anchor/blockHash', proof.anchor.blockHash.replace('x', 'X')),
    ],
    [
      'read',
      'MALFORMED_BUNDLE',
      'hex and a line feed',
      replace('/anchor/blockHash', `${proof.anchor.blockHash}\n`),
    ],
    ['read', 'MALFORMED_RECORD', 'digests in another order', replace('/record/data/_sd', [next, digest])],
    ['read', 'MALFORMED_RECORD', 'a digest twice', replace('/record/data/_sd', [digest, digest])],
    [
      'read',
      'MALFORMED_RECORD',
      'a day that does not exist',
      replace('/record/time', '2026-02-30T09:30:03.000Z'),
    ],
    ['read', 'MALFORMED_RECORD', 'a leap second', replace('/record/time', '2026-03-01T09:30:60.000Z')],
    ['read', 'MALFORMED_RECORD', 'a number beyond 2^53 - 1', replace('/record/data/rows', 2 ** 53)],
    ['read', 'MALFORMED_RECORD', 'less than nothing', replace('/record/data/rows', -1)],
    ['read', 'MALFORMED_RECORD', 'a list of one text for a text', replace('/record/id', [proof.record.id])],
  ]
}

export function ownOfAuthorized(proof: JsonProof, read: Read): OwnAlteration[] {
  const { authorization: shown } = proof
  const given = read('authorized.json', '/good/2/proof/authorization/given')
  const account = read('authorized.json', '/good/1/proof/authorization') as JsonProof['authorization']
  const member = (name: string) => `/authorization/${name}`
  return [
    ...numbers(member('grant/notBefore'), member('grant/maxCalls')),
    ...inherited('"authorization":{'),
    ...inherited('"grant":{'),
    ...signatures(member('signature'), shown?.signature ?? '', 'signature'),
    nested(shown?.signature ?? '', 'MALFORMED_BUNDLE'),
    ['read', 'MALFORMED_BUNDLE', 'a signature and an event', add(member('given'), given)],
    ['read', 'MALFORMED_BUNDLE', 'a signature of 4097 bytes', replace(member('signature'), bytes(4_097))],
    [
      'signature',
      'NOT_ANCHORED',
      'an event of the registry for one of the grant',
      remove(member('signature')),
      add(member('given'), shown?.resource.set),
    ],
    ['signature', 'BAD_SIGNATURE', 'a signature of 4096 bytes', replace(member('signature'), bytes(4_096))],
    [
      'signature',
      'BAD_SIGNATURE',
      'the signature of another grant',
      replace(member('signature'), account?.signature),
    ],
    ['grant', 'WRONG_GRANT', 'another grant', replace(member('grant'), account?.grant)],
    ['grant', 'WRONG_GRANT', 'a grant that ends before it begins', replace(member('grant/notAfter'), '0')],
    ['grant', 'WRONG_GRANT', 'a grant for ever', replace(member('grant/notAfter'), MAX64)],
    [
      'registry',
      'RESOURCE_MISMATCH',
      'versions in another order',
      replace(member('resource/set'), shown?.resource.next),
      replace(member('resource/next'), shown?.resource.set),
    ],
    [
      'registry',
      'RESOURCE_MISMATCH',
      'a version that follows itself',
      replace(member('resource/next'), shown?.resource.set),
    ],
    ['registry', 'RESOURCE_MISMATCH', 'version 0', replace(member('resource/version'), 0)],
    [
      'revocation',
      'FALSE_REVOCATION',
      'a withdrawal at the end of time',
      replace(member('revocation/revokedAt'), MAX64),
    ],
    [
      'revocation',
      'NOT_CANONICAL',
      'the hash of block 6 for block 0',
      replace(member('revocation/blockNumber'), '0'),
    ],
  ]
}

export function ownOfSubmission(bundle: JsonSubmissionProof): OwnAlteration[] {
  const { leaves, range } = bundle
  const [first = '', second = ''] = leaves
  return [
    ...numbers('/log/size', '/range/first'),
    ...inherited('{'),
    ...inherited('"range":{'),
    nested(first, 'MALFORMED_BUNDLE'),
    crowded(first, 'batch', 'INDEX_OUT_OF_RANGE', 'a leaf'),
    crowded(range.path[0] ?? '', 'batch', 'MALFORMED_PATH', 'the first hash of the path'),
    [
      'batch',
      'ROOT_MISMATCH',
      'leaves in another order',
      replace('/leaves', [second, first, ...leaves.slice(2)]),
    ],
    ['batch', 'ROOT_MISMATCH', 'a leaf twice', replace('/leaves/1', first)],
    ['batch', 'MALFORMED_PATH', 'the last leaf left out', remove(`/leaves/${leaves.length - 1}`)],
    [
      'batch',
      'MALFORMED_PATH',
      'the first leaf left out, and the place after it',
      remove('/leaves/0'),
      replace('/range/first', 3),
    ],
    ['batch', 'MALFORMED_PATH', 'the first place', replace('/range/first', 0)],
    ['batch', 'INDEX_OUT_OF_RANGE', 'the greatest place', replace('/range/first', MAX32)],
    ['batch', 'MALFORMED_PATH', 'no path', replace('/range/path', [])],
    ['batch', 'ROOT_MISMATCH', 'a path turned round', replace('/range/path', range.path.toReversed())],
    ['batch', 'INDEX_OUT_OF_RANGE', 'a batch of nothing', replace('/batch/recordCount', 0)],
  ]
}

export const ownOfReceipt = (receipt: ReturnType<typeof toJsonReceipt>): OwnAlteration[] => [
  ...numbers('/sequence', '/source'),
  ...inherited('{'),
  ...signatures('/signature', receipt.signature, 'publisher'),
  nested(receipt.source, 'MALFORMED_BUNDLE'),
  ['read', 'MALFORMED_BUNDLE', 'half of a surrogate pair', replace('/source', '\ud800')],
  ['read', 'MALFORMED_BUNDLE', 'records beyond 2^53 - 1', replace('/size', String(2 ** 53))],
  [
    'publisher',
    'BAD_SIGNATURE',
    'times put for each other',
    replace('/receivedAt', receipt.anchorBy),
    replace('/anchorBy', receipt.receivedAt),
  ],
  ['publisher', 'BAD_SIGNATURE', 'an earlier promise', replace('/anchorBy', '0')],
  [
    'publisher',
    'BAD_SIGNATURE',
    'a source of another case',
    replace('/source', receipt.source.toUpperCase()),
  ],
  ['publisher', 'BAD_SIGNATURE', 'a publisher that is the ledger', replace('/publisher', receipt.ledger)],
]
