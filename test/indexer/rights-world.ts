import { readFile } from 'node:fs/promises'
import { Wallet } from 'ethers'
import type { Hex } from '../../src/bytes/hex.ts'
import { administerGrants } from '../../src/chain/administer-grants.ts'
import { administerRegistry } from '../../src/chain/administer-registry.ts'
import type { RightsIdentity } from '../../src/chain/deploy.ts'
import { devWallet, LOCAL_CHAIN_ID } from '../../src/chain/dev-accounts.ts'
import type { Rpc } from '../../src/chain/rpc.ts'
import type { Signer } from '../../src/chain/signer.ts'
import { signGrant } from '../../src/chain/signing.ts'
import { transact } from '../../src/chain/transact.ts'
import { type Grant, grantId, nameId } from '../../src/record/index.ts'

export const EVERYTHING = { kind: 'everything', id: `0x${'00'.repeat(32)}` } as const
export const FAR_FUTURE = 2n ** 40n

export const addressOf = (wallet: { address: string }) => wallet.address.toLowerCase() as Hex // an address

/** Who does what in a test: a registrar and guardian, and a subject that can pay for transactions. */
export function administer(rpc: Rpc, rights: RightsIdentity) {
  const admin = devWallet('admin', LOCAL_CHAIN_ID)
  const subject = devWallet('publisher', LOCAL_CHAIN_ID)
  const domain = { chainId: LOCAL_CHAIN_ID, contract: rights.authorizations }
  return {
    domain,
    subject,
    registrar: administerRegistry({ rpc, signer: admin }, rights.registry),
    guardian: administerRegistry({ rpc, signer: devWallet('guardian', LOCAL_CHAIN_ID) }, rights.registry),
    bySubject: administerGrants({ rpc, signer: subject }, rights.authorizations),
    /** whose key is one of the consumer */
    byConsumer: administerGrants({ rpc, signer: admin }, rights.authorizations),
    consumerKey: addressOf(admin),
  }
}

/** An account with code, whose owner signs for it. */
export async function deployAccount(rpc: Rpc, owner: Hex): Promise<Hex> {
  const artifact = new URL(
    '../../artifacts/contracts/test/SmartAccount.sol/SmartAccount.json',
    import.meta.url,
  )
  const { bytecode } = JSON.parse(await readFile(artifact, 'utf8'))
  const data = `${bytecode}${owner.slice(2).padStart(64, '0')}` as Hex // compiled code and one word
  const { contractAddress } = await transact({ rpc, signer: devWallet('admin', LOCAL_CHAIN_ID) }, { data })
  return String(contractAddress).toLowerCase() as Hex // an address
}

/** A grant of the given names, by a wallet of no balance unless another is given. */
export async function makeGrant(
  domain: { chainId: bigint; contract: Hex },
  change: Partial<Grant> & { names?: [consumer: string, resource: string, purpose: string] } = {},
  signer: Signer = Wallet.createRandom(),
) {
  const { names: [consumer, resource, purpose] = ['urn:tax', 'births', 'school'], ...terms } = change
  const grant: Grant = {
    subject: signer.address.toLowerCase() as Hex, // an address
    consumer: nameId(consumer),
    resource: nameId(resource),
    purpose: nameId(purpose),
    notBefore: 0n,
    notAfter: FAR_FUTURE,
    maxCalls: 0,
    nonce: 0n,
    ...terms,
  }
  return { id: grantId(domain, grant), grant, signature: await signGrant(signer, domain, grant) }
}

/** The record that a grant travels in. */
export const grantRecord = (
  source: string,
  recordId: string,
  { id, grant, signature }: { id: Hex; grant: Grant; signature: Hex },
) => ({
  specversion: '1.0',
  id: recordId,
  source,
  type: 'tidemark.authorization.v1',
  time: '2026-03-04T05:06:07.000Z',
  data: {
    authorization: id,
    grant: {
      ...grant,
      notBefore: Number(grant.notBefore),
      notAfter: Number(grant.notAfter),
      nonce: String(grant.nonce),
    },
    signature,
  },
})
