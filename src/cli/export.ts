import { writeFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { utf8 } from '../bytes/bytes.ts'
import type { Hex } from '../bytes/hex.ts'
import { chainFacts, type Finality } from '../chain/facts.ts'
import { rightsFacts } from '../chain/rights-facts.ts'
import { createRpc } from '../chain/rpc.ts'
import { grantSigner } from '../chain/signing.ts'
import { InputError } from '../errors.ts'
import {
  checkpointText,
  coseReceiptToSign,
  encodeCoseReceipt,
  encodeTlogProof,
  headerInLog,
  noteKeyId,
  noteVerifierKey,
  OFFLINE_FORMAT,
  parseOffline,
  parseProof,
  recordInBatch,
  signedNote,
  type TreeInclusion,
} from '../proof/index.ts'
import { verifyAny } from '../verify/index.ts'
import { type NoteKey, readNoteKey } from './note-key.ts'
import { finalityOption, ledgerOption, rpcOption } from './options.ts'
import { readBundle } from './read-lines.ts'

interface ExportOptions {
  as: keyof typeof FORMATS
  of: keyof typeof TREES
  key: string
  out?: string
  rpc: string
  ledger?: Hex
  finality: Finality
}

const TREES = { batch: recordInBatch, log: headerInLog }

const FORMATS = {
  'tlog-proof': (inclusion: TreeInclusion, { publicKey, sign }: NoteKey): Uint8Array => {
    const text = checkpointText(inclusion)
    const signer = { name: inclusion.origin, publicKey, signature: sign(utf8(text)) }
    return utf8(encodeTlogProof(inclusion, signedNote(text, signer)))
  },
  'cose-receipt': (inclusion: TreeInclusion, { publicKey, sign }: NoteKey): Uint8Array => {
    const keyId = noteKeyId(inclusion.origin, publicKey)
    return encodeCoseReceipt(inclusion, keyId, sign(coseReceiptToSign(inclusion, keyId)))
  },
}

/** `tidemark export`: says of a proof in the formats of others what its own key has seen on the chain. */
export const exportCommand = () =>
  new Command('export')
    .description(
      'verify a proof against the chain, and sign what it shows as a C2SP tlog-proof or a COSE receipt',
    )
    .argument('<file>', 'the proof; - for standard input')
    .addOption(
      new Option('--as <format>', 'of the export').choices(Object.keys(FORMATS)).makeOptionMandatory(),
    )
    .addOption(
      new Option('--of <tree>', "the record in its batch, or the batch's header in the ledger's log")
        .choices(Object.keys(TREES))
        .default('batch'),
    )
    .addOption(
      new Option(
        '--key <file>',
        'an Ed25519 key of your own (PEM) that answers for the root',
      ).makeOptionMandatory(),
    )
    .addOption(new Option('--out <file>', 'instead of standard output'))
    .addOption(rpcOption())
    .addOption(ledgerOption())
    .addOption(finalityOption())
    .action(exportProof)

async function exportProof(file: string, options: ExportOptions): Promise<void> {
  const { ledger, finality, out } = options
  const key = await readNoteKey(options.key)
  const bundle = await readBundle(file)
  const rpc = createRpc(options.rpc)
  const trust = ledger === undefined ? {} : { ledger }
  const { kind } = await verifyAny(bundle, {
    chain: chainFacts(rpc, { finality }),
    rights: rightsFacts(rpc, grantSigner),
    trust,
  })
  if (kind !== 'proof') throw new InputError('BAD_ARGUMENT', `a ${kind} is not exported: give a proof`)
  const proof = Object(bundle).format === OFFLINE_FORMAT ? parseOffline(bundle).bundle : bundle
  const inclusion = TREES[options.of](parseProof(proof))
  const bytes = FORMATS[options.as](inclusion, key)
  if (out === undefined) process.stdout.write(bytes)
  else await writeFile(out, bytes)
  process.stderr.write(`tidemark: signed for ${noteVerifierKey(inclusion.origin, key.publicKey)}\n`)
}
