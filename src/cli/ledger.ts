import { Command } from 'commander'
import type { Hex } from '../bytes/hex.ts'
import { changePublisher, PUBLISHER_CHANGES, type PublisherChange } from '../chain/administer.ts'
import { deployLedger } from '../chain/deploy.ts'
import { loadArtifact } from './artifacts.ts'
import { chainRpcOption, keystoreOption, ledgerOption, parseAddress } from './options.ts'
import { openSender, type SenderOptions, say, withSender } from './sender.ts'

/** `tidemark ledger`: a ledger contract of one's own, and who publishes to it. */
export const ledgerCommand = () => {
  const publisher = new Command('publisher').description('who may append to a ledger; done by its registrar')
  for (const change of PUBLISHER_CHANGES) {
    publisher.addCommand(
      withRegistrar(new Command(change))
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
      withRegistrar(new Command('deploy'))
        .description('create a ledger, administered by the key; every run creates another one')
        .action(deploy),
    )
    .addCommand(publisher)
}

/** A key of one's own, and no default node: what is made here stays. */
const withRegistrar = (command: Command) =>
  withSender(
    command.addOption(chainRpcOption().makeOptionMandatory()),
    keystoreOption().makeOptionMandatory(),
  )

async function deploy(options: SenderOptions): Promise<void> {
  const sender = await openSender(options, 'admin')
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
  const sender = await openSender(options, 'admin')
  const block = await changePublisher(sender, options.ledger, change, account)
  const status = change === 'suspend' ? 'suspended' : 'active'
  const when = block === undefined ? 'already, nothing was sent' : `since block ${block}`
  process.stdout.write(`publisher ${account} is ${status}: ${when}\n`)
}
