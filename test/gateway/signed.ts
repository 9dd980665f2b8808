import { Wallet } from 'ethers'
import type { Hex } from '../../src/bytes/hex.ts'
import { toHex } from '../../src/bytes/hex.ts'
import { type SigningDomain, signSubmission } from '../../src/chain/signing.ts'
import { readDraft } from '../../src/gateway/draft.ts'
import { parseRecord, sealRecord } from '../../src/record/index.ts'
import type { Voucher } from '../../src/store/sealed-batches.ts'
import { exampleOf } from '../record/examples.ts'

/** A source's key, and one of somebody else. */
export const sourceKey = new Wallet(`0x${'51'.repeat(32)}`)
export const otherKey = new Wallet(`0x${'52'.repeat(32)}`)

export const addressOf = (wallet: Wallet): Hex => wallet.address.toLowerCase() as Hex // an ethers address in lowercase

/** Calls of a source as it sends them when it signs: sealed, with everything that opens them. */
export const sealedItems = (source: string, ...ids: string[]) =>
  ids.map((id) => {
    const { record, disclosures, vault } = sealRecord(
      parseRecord({ ...exampleOf('tidemark.call.v1'), source, id }),
    )
    return { record, disclosures: [...disclosures, ...vault] }
  })

/** The draft that the gateway makes of them. */
const sealedDraft = (items: readonly unknown[]) =>
  readDraft(
    items.map((value, i) => ({ line: i + 1, value })),
    100_000,
    'sealed',
  )

/** A submission signed by a wallet: its body and its headers. */
export async function signedSubmission(
  domain: SigningDomain,
  wallet: Wallet,
  sequence: number,
  items: ReturnType<typeof sealedItems>,
) {
  const draft = sealedDraft(items)
  const { root } = draft
  const signature = await signSubmission(wallet, domain, {
    source: draft.source,
    sequence: BigInt(sequence),
    root,
    size: BigInt(items.length),
  })
  const voucher: Voucher = { by: 'signed', signer: addressOf(wallet), signature }
  return {
    draft,
    voucher,
    root,
    body: items.map((item) => `${JSON.stringify(item)}\n`).join(''),
    headers: {
      'content-type': 'application/x-ndjson',
      'tidemark-sequence': String(sequence),
      'tidemark-root': toHex(root),
      'tidemark-signature': signature as string,
    },
  }
}
