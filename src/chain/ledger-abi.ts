import { Interface } from 'ethers'
import type { Header } from '../batch/header.ts'
import { type Hex, toHex } from '../bytes/hex.ts'
import { parseBytes } from './answers.ts'

const HEADER =
  '(address publisher, uint64 sequence, bytes32 recordsRoot, uint32 recordCount, bytes32 indexRoot, uint32 indexSize, uint64 firstTime, uint64 lastTime)'

/** The part of contracts/interfaces/ILedger.sol that this program calls; a test compares it with the compiled one. */
export const ledgerInterface = new Interface([
  'constructor(address admin)',
  `function append(${HEADER}[] headers)`,
  'function addPublisher(address account)',
  'function suspendPublisher(address account)',
  'function reinstatePublisher(address account)',
  'function size() view returns (uint64)',
  'function root() view returns (bytes32)',
  'function peaks() view returns (bytes32[])',
  'function publisher(address account) view returns (uint64 nextSequence, uint8 status)',
  'function deploymentBlock() view returns (uint256)',
  'error Ledger_NoHeaders()',
  'error Ledger_PublisherUnknown(address publisher)',
  'error Ledger_PublisherSuspended(address publisher)',
  'error Ledger_PublisherActive(address publisher)',
  'error Ledger_PublisherMismatch(address expected, address actual)',
  'error Ledger_SequenceGap(address publisher, uint64 expected, uint64 actual)',
  'error Ledger_NoRecords(uint64 sequence)',
  'error Ledger_NoIndex(uint64 sequence)',
  'error Ledger_TimesReversed(uint64 sequence, uint64 firstTime, uint64 lastTime)',
  'error AccessControlUnauthorizedAccount(address account, bytes32 neededRole)',
])

/** The calldata of `append(Header[])`. */
export function encodeAppend(headers: readonly Header[]): Hex {
  const structs = headers.map((header) => ({
    ...header,
    recordsRoot: toHex(header.recordsRoot),
    indexRoot: toHex(header.indexRoot),
  }))
  return parseBytes(ledgerInterface.encodeFunctionData('append', [structs]), 'calldata')
}
