import { Command, Option } from 'commander'
import type { Hex } from '../bytes/hex.ts'
import { chainFacts, type Finality } from '../chain/facts.ts'
import { createLedger } from '../chain/ledger.ts'
import { createRpc, type Rpc } from '../chain/rpc.ts'
import { recoverReceiptSigner } from '../chain/signing.ts'
import { createGatewayApi } from '../client/gateway-api.ts'
import { OperationError } from '../errors.ts'
import type { Receipt } from '../proof/index.ts'
import { type KeptPromise, type ReceiptTrust, type ReceiptWitnesses, verifyReceipt } from '../verify/index.ts'
import { apiOption, finalityOption, jsonOption, parseAddress, rpcOption } from './options.ts'
import { readBundle } from './read-lines.ts'

interface VerifyReceiptOptions extends ReceiptTrust {
  rpc: string
  api: string
  finality: Finality
  json?: boolean
}

/** `tidemark verify receipt`: whether a gateway has signed a promise, and kept it. */
export const verifyReceiptCommand = () =>
  new Command('receipt')
    .description(
      'check a receipt and its promise; exit code 0 kept, 1 refuted or broken, 2 unreadable, 3 could not check, or not yet',
    )
    .argument('<file>', 'the receipt; - for standard input')
    .addOption(rpcOption())
    .addOption(new Option('--ledger <address>', 'the ledger that it must be of').argParser(parseAddress))
    .addOption(new Option('--publisher <address>', 'who must have signed it').argParser(parseAddress))
    .addOption(apiOption())
    .addOption(finalityOption())
    .addOption(jsonOption())
    .action(run)

async function run(file: string, options: VerifyReceiptOptions): Promise<void> {
  const { ledger, publisher } = options
  const receipt = await readBundle(file)
  const rpc = createRpc(options.rpc)
  const chain = chainFacts(rpc, { finality: options.finality })
  const trust = { ...(ledger !== undefined && { ledger }), ...(publisher !== undefined && { publisher }) }
  const kept = await verifyReceipt(receipt, chain, witnessesOf(rpc, options.api), trust)
  process.stdout.write(options.json === true ? `${JSON.stringify(toJson(kept))}\n` : describe(kept, options))
}

const witnessesOf = (rpc: Rpc, api: string): ReceiptWitnesses => ({
  signerOf: (receipt) =>
    recoverReceiptSigner(
      receipt,
      {
        ...receipt,
        size: BigInt(receipt.size),
        receivedAt: BigInt(receipt.receivedAt),
        anchorBy: BigInt(receipt.anchorBy),
      },
      receipt.signature,
    ),
  isPublisher: async (ledger: Hex, publisher: Hex) =>
    (await createLedger(rpc, ledger).publisher(publisher)).status !== 'none',
  fetchSubmission: (receipt) => fetchSubmission(rpc, api, receipt),
  now: Date.now,
})

/** A gateway's word that a submission is not there counts only if it is the publisher's own and knows all of the ledger. */
async function fetchSubmission(rpc: Rpc, apiUrl: string, receipt: Receipt): Promise<unknown> {
  const api = createGatewayApi(apiUrl)
  const { ledger: address, publisher } = receipt
  const size = await createLedger(rpc, address).size()
  const known = await api.identity()
  const bundle = await api.submissionProof(receipt.source, receipt.sequence)
  if (bundle !== undefined) return bundle
  if (known.ledger !== address || known.publisher !== publisher) {
    throw new OperationError(
      'GATEWAY_UNREACHABLE',
      `${apiUrl} is not the gateway of publisher ${publisher}: name it with --api`,
    )
  }
  if (known.lagging || known.size < size) {
    throw new OperationError('RPC_LAGS', `${apiUrl} does not know the whole ledger yet; try again soon`)
  }
  return undefined
}

const toJson = ({ receipt, submission }: KeptPromise) => ({
  verdict: 'kept',
  source: receipt.source,
  sequence: String(receipt.sequence),
  records: receipt.size,
  publisher: receipt.publisher,
  ledger: receipt.ledger,
  anchorBy: showMs(receipt.anchorBy),
  blockTime: showMs(1_000 * Number(submission.blockTime)),
  blockNumber: String(submission.anchor.blockNumber),
  ledgerIndex: String(submission.logIndex),
})

function describe({ receipt, submission }: KeptPromise, options: VerifyReceiptOptions): string {
  const pins = [
    options.ledger === undefined ? `that ${receipt.ledger} is the ledger: pin it with --ledger` : undefined,
    options.publisher === undefined
      ? `that ${receipt.publisher} is its publisher: pin it with --publisher`
      : undefined,
  ].filter((pin) => pin !== undefined)
  return `KEPT
  receipt   submission ${receipt.sequence} of ${receipt.source}, ${receipt.size} records
  signed    by publisher ${receipt.publisher}, who took it at ${showMs(receipt.receivedAt)}
  promised  by ${showMs(receipt.anchorBy)}
  anchored  block ${submission.anchor.blockNumber} at ${showMs(1_000 * Number(submission.blockTime))}, entry ${submission.logIndex} of ${receipt.ledger}
  trusted   the node at ${options.rpc}${pins.length === 0 ? '' : `, and ${pins.join('; ')}`}
`
}

/** A receipt may name times that no calendar reaches. */
const showMs = (timeMs: number) =>
  timeMs <= 8.64e15 ? new Date(timeMs).toISOString() : `${timeMs} ms after 1970`
