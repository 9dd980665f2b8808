import { Command } from 'commander'
import type { Hex } from '../bytes/hex.ts'
import { changePublisher, PUBLISHER_CHANGES, type PublisherChange } from '../chain/administer.ts'
import { deployLedger } from '../chain/deploy.ts'
import { assertOwnKey } from '../chain/dev-accounts.ts'
import { fetchChainId } from '../chain/facts.ts'
import { createRpc } from '../chain/rpc.ts'
import type { Sender } from '../chain/transact.ts'
import { loadArtifact } from './artifacts.ts'
import { openKeystore } from './keystore-file.ts'
import {
  chainRpcOption,
  keystoreOption,
  ledgerOption,
  maxFeeOption,
  parseAddress,
  passwordOption,
} from './options.ts'
import { passwordOf, readPassword } from './password.ts'

interface SenderOptions {
  rpc: string
  keystore: string
  passwordFile?: string
  maxFeeGwei?: bigint
}

/** `tidemark ledger`: a ledger contract of one's own, and who publishes to it. */
export const ledgerCommand = () => {
  const publisher = new Command('publisher').description('who may append to a ledger; done by its registrar')
  for (const change of PUBLISHER_CHANGES) {
    publisher.addCommand(
      withSender(new Command(change))
        .description(`${change} a publisher, and wait until that is in a block`)
        .argument('<address>', "the publisher's", parseAddress)
        .addOption(ledgerOption().makeOptionMandatory())
        .action((account: Hex, options: SenderOptions & { ledger: Hex }) =>
          administer(change, account, options),
        ),
    )
  }
  return new Command('ledger')
    .description('the ledger contract on a chain of your own')
    .addCommand(
      withSender(new Command('deploy'))
        .description('create a ledger, administered by the key; every run creates another one')
        .action(deploy),
    )
    .addCommand(publisher)
}

const withSender = (command: Command) =>
  command
    .addOption(chainRpcOption().makeOptionMandatory())
    .addOption(keystoreOption().makeOptionMandatory())
    .addOption(passwordOption())
    .addOption(maxFeeOption())

async function openSender({ rpc: url, keystore, passwordFile, maxFeeGwei }: SenderOptions): Promise<Sender> {
  const password = await readPassword(passwordOf(passwordFile), 'known')
  const signer = await openKeystore(keystore, password, say)
  const rpc = createRpc(url)
  assertOwnKey(signer.address, await fetchChainId(rpc))
  return { rpc, signer, ...(maxFeeGwei !== undefined && { maxFeePerGas: maxFeeGwei }) }
}

const say = (message: string) => void process.stderr.write(`${message}\n`)

async function deploy(options: SenderOptions): Promise<void> {
  const sender = await openSender(options)
  const artifact = await loadArtifact()
  const { address, deploymentBlock } = await deployLedger({ ...sender, artifact, publishers: [] })
  say(`the ledger is in block ${deploymentBlock}, administered by ${sender.signer.address.toLowerCase()}`)
  say('keep its address: every run of this command creates another ledger')
  // The address alone on standard output, so that a script can keep it.
  process.stdout.write(`${address}\n`)
}

async function administer(
  change: PublisherChange,
  account: Hex,
  options: SenderOptions & { ledger: Hex },
): Promise<void> {
  const sender = await openSender(options)
  const block = await changePublisher(sender, options.ledger, change, account)
  const status = change === 'suspend' ? 'suspended' : 'active'
  const when = block === undefined ? 'already, nothing was sent' : `since block ${block}`
  process.stdout.write(`publisher ${account} is ${status}: ${when}\n`)
}
