import { Command, Option } from 'commander'
import type { Hex } from '../bytes/hex.ts'
import { changePublisher, PUBLISHER_CHANGES, type PublisherChange } from '../chain/administer.ts'
import { parseBytes } from '../chain/answers.ts'
import { deployLedger, deployRights, type RightsDeployment, type RightsIdentity } from '../chain/deploy.ts'
import type { Sender } from '../chain/transact.ts'
import { answer } from './answer.ts'
import { loadArtifact, loadRightsArtifacts } from './artifacts.ts'
import { chainRpcOption, jsonOption, keystoreOption, ledgerOption, parseAddress } from './options.ts'
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
        .description(
          'create a ledger, a registry and authorisations, administered by the key; every run creates others',
        )
        .addOption(new Option('--ledger-only', 'create the ledger alone').default(false))
        .addOption(role('--governance <address>', "gives and takes the registry's roles"))
        .addOption(role('--registrar <address>', 'enters sources and resources, and resets the breaker'))
        .addOption(role('--guardian <address>', 'trips the breaker'))
        .addOption(jsonOption())
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

const role = (flags: string, description: string) =>
  new Option(flags, `who ${description}; otherwise the key`).argParser(parseAddress).conflicts('ledgerOnly')

interface DeployOptions extends SenderOptions, Partial<RightsDeployment['roles']> {
  ledgerOnly: boolean
  json?: boolean
}

async function deploy(options: DeployOptions): Promise<void> {
  const sender = await openSender(options, 'admin')
  const artifact = await loadArtifact()
  const { address: ledger, deploymentBlock } = await deployLedger({ ...sender, artifact, publishers: [] })
  const admin = parseBytes(sender.signer.address, 'address', 20)
  say(`the ledger ${ledger} is in block ${deploymentBlock}, administered by ${admin}`)
  const rights = options.ledgerOnly ? undefined : await deployBeside(sender, admin, options)
  say('keep the addresses: every run of this command creates other contracts')
  const { registry, authorizations } = rights ?? {}
  // The ledger's alone on standard output, so that a script can keep it.
  answer(options, { ledger, registry, authorizations }, `${ledger}\n`)
}

async function deployBeside(
  sender: Sender,
  admin: Hex,
  { governance = admin, registrar = admin, guardian = admin }: DeployOptions,
): Promise<RightsIdentity> {
  const artifacts = await loadRightsArtifacts()
  const rights = await deployRights({ ...sender, artifacts, roles: { governance, registrar, guardian } })
  say(
    `the registry is ${rights.registry}: governance ${governance}, registrar ${registrar}, guardian ${guardian}`,
  )
  say(`the authorisations are ${rights.authorizations}`)
  if (new Set([governance, registrar, guardian]).size < 3) {
    say('one key has several roles: on a ledger that counts, each has its own')
  }
  return rights
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
