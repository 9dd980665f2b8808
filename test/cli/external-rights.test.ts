import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Wallet } from 'ethers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Hex } from '../../src/bytes/hex.ts'
import { changePublisher } from '../../src/chain/administer.ts'
import { deployRights, findRights, type RightsIdentity } from '../../src/chain/deploy.ts'
import { externalChain } from '../../src/cli/external-chain.ts'
import { identityPath } from '../../src/cli/identity.ts'
import { loadArtifact } from '../chain/fixture.ts'
import { endAfterTest, expectNoProcess, makeFolder, startUp, tidemark } from '../e2e/processes.ts'
import { temporaryFolder } from '../store/temporary.ts'
import {
  addressOf,
  deployFor,
  type ForeignChain,
  fundedWallet,
  PASSWORD,
  startForeignChain,
  writeKeystore,
} from './external-world.ts'

const ADDRESS = /^0x[0-9a-f]{40}$/
const env = { TIDEMARK_KEYSTORE_PASSWORD: PASSWORD }
const WHO = ['deployer', 'governance', 'registrar', 'guardian', 'publisher'] as const
type Who = (typeof WHO)[number]

let chain: ForeignChain
let folder: Awaited<ReturnType<typeof makeFolder>>
const wallets = {} as Record<Who, Wallet> // filled before the first test
const keys = {} as Record<Who, string>

beforeAll(async () => {
  folder = await makeFolder()
  chain = await startForeignChain('--slots-in-an-epoch', '0')
  for (const who of WHO) {
    wallets[who] = await fundedWallet(chain.rpc)
    keys[who] = await writeKeystore(folder.path, wallets[who], `${who}.json`)
  }
})
afterAll(async () => {
  await chain?.close()
  await expectNoProcess(folder.path)
  await folder.remove()
})

const as = async (who: Who, ...args: string[]) =>
  tidemark([...args, '--rpc', chain.url, '--keystore', keys[who]], { env })
const roleOptions = () =>
  (['governance', 'registrar', 'guardian'] as const).flatMap((who) => [`--${who}`, addressOf(wallets[who])])

describe('tidemark ledger deploy', () => {
  test('prints the ledger alone on standard output, and says the other contracts and their roles', async () => {
    const ended = await as('deployer', 'ledger', 'deploy')
    expect(ended.code, ended.stderr).toBe(0)
    expect(ended.stdout.trim()).toMatch(ADDRESS)
    const deployer = addressOf(wallets.deployer)
    expect(ended.stderr).toContain(`governance ${deployer}, registrar ${deployer}, guardian ${deployer}`)
    expect(ended.stderr).toContain('one key has several roles')
    const [, authorizations] = /the authorisations are (0x\w+)/.exec(ended.stderr) ?? []
    const { registry } = await findRights(chain.rpc, authorizations as Hex)
    expect(ended.stderr).toContain(`the registry is ${registry}`)
  })

  test('creates the ledger alone when told so', async () => {
    const ended = await as('deployer', 'ledger', 'deploy', '--ledger-only', '--json')
    expect(JSON.parse(ended.stdout)).toEqual({ ledger: expect.stringMatching(ADDRESS) })
    const both = await as('deployer', 'ledger', 'deploy', '--ledger-only', ...roleOptions())
    expect(both).toMatchObject({ code: 2, stdout: '' })
  })
})

test('A NEW DEPARTMENT: contracts with separate roles, its source, key and resource, a gateway, a trip, a restart', async () => {
  const deployed = await as('deployer', 'ledger', 'deploy', '--json', ...roleOptions())
  const { ledger, authorizations } = JSON.parse(deployed.stdout)
  expect(deployed.stderr).not.toContain('several roles')
  const on = ['--authorizations', authorizations]
  const run = async (who: Who, ...args: string[]) => {
    const ended = await as(who, ...args, ...on)
    expect(ended.code, ended.stderr).toBe(0)
    return ended.stdout
  }
  const digest = `0x${'5a'.repeat(32)}`
  await run('registrar', 'registry', 'source', 'add', 'urn:tax')
  await run('registrar', 'registry', 'key', 'add', 'urn:tax', addressOf(wallets.publisher))
  const set = ['registry', 'resource', 'set', 'births', '--owner', 'urn:tax', '--sharing', 'prohibited']
  await run('registrar', ...set, '--digest', digest)
  for (const who of ['deployer', 'guardian', 'governance'] as const) {
    const refused = await as(who, 'registry', 'source', 'add', 'urn:stranger', ...on)
    expect(refused).toMatchObject({ code: 3, stdout: '' })
    expect(refused.stderr).toContain('only a registrar may do this: use the key of one')
  }
  expect((await as('registrar', 'breaker', 'trip', 'everything', '--reason', 'x', ...on)).stderr).toContain(
    'only a guardian may do this',
  )
  const keyless = await tidemark(['registry', 'source', 'add', 'urn:x', '--rpc', chain.url, ...on])
  expect(keyless).toMatchObject({ code: 2, stdout: '' })
  expect(keyless.stderr).toContain('make a key of your own')

  await changePublisher(
    { rpc: chain.rpc, signer: wallets.deployer },
    ledger,
    'add',
    addressOf(wallets.publisher),
  )
  const passwordFile = join(folder.path, 'password')
  await writeFile(passwordFile, PASSWORD)
  const data = ['--data', join(folder.path, 'data')]
  const up = [...data, '--port', '0', '--rpc', chain.url, '--ledger', ledger, '--keystore', keys.publisher]
  const password = ['--password-file', passwordFile]
  const guard = [...on, '--guardian-keystore', keys.guardian]
  const first = endAfterTest(await startUp([...up, ...password, ...guard]))
  expect(await first.stop()).toBe(0)
  // The folder keeps the contracts: neither `up` nor the other commands need their address again.
  const second = endAfterTest(await startUp([...up, ...password, '--guardian-keystore', keys.guardian]))
  const trip = ['breaker', 'trip', 'resource', 'births', '--reason', 'a leak']
  expect((await as('guardian', ...trip, ...data)).stdout).toMatch(/is tripped: since block \d+\n$/)
  expect(await second.stop()).toBe(0)
  const wrong = await tidemark(['up', ...up, ...password, ...on, '--guardian-keystore', keys.publisher])
  expect(wrong).toMatchObject({ code: 3, stdout: '' })
  expect(wrong.stderr).toContain(`${addressOf(wallets.publisher)} is no guardian of the registry`)
}, 120_000)

describe('a data folder', () => {
  let ledger: Hex
  let rights: RightsIdentity

  beforeAll(async () => {
    ;({ ledger } = await deployFor(chain.rpc, wallets.publisher))
    rights = await deploy()
  })

  const deploy = async () =>
    deployRights({
      rpc: chain.rpc,
      signer: wallets.deployer,
      artifacts: {
        registry: await loadArtifact('Registry'),
        authorizations: await loadArtifact('Authorizations'),
      },
      roles: {
        governance: addressOf(wallets.governance),
        registrar: addressOf(wallets.registrar),
        guardian: addressOf(wallets.guardian),
      },
    })
  const attach = (dataPath: string, change: { authorizations?: Hex; guardian?: Wallet } = {}) =>
    externalChain({
      url: chain.url,
      ledger,
      signer: wallets.publisher,
      finality: { kind: 'tag' },
      ...change,
    })(dataPath, () => undefined)

  test('follows the authorisations that it was first told of, and refuses others', async () => {
    const dataPath = await temporaryFolder()
    expect((await attach(dataPath)).rights).toBeUndefined()
    const { authorizations } = rights
    expect((await attach(dataPath, { authorizations })).rights).toEqual(rights)
    expect((await attach(dataPath)).rights).toEqual(rights)
    const other = await deploy()
    await expect(attach(dataPath, { authorizations: other.authorizations })).rejects.toMatchObject({
      code: 'BAD_CONFIG',
      message: `${dataPath} follows the authorisations ${authorizations}, not ${other.authorizations}: name the former with --authorizations, or choose another folder with --data`,
    })
    await expect(attach(await temporaryFolder(), { authorizations: ledger })).rejects.toMatchObject({
      name: 'OperationError',
    })
  })

  test('says of a guardian at its start that it is none, or that there is nothing to guard, and stays as it was', async () => {
    const dataPath = await temporaryFolder()
    await attach(dataPath)
    const before = await readFile(identityPath(dataPath), 'utf8')
    await expect(attach(dataPath, { guardian: wallets.guardian })).rejects.toMatchObject({
      code: 'BAD_CONFIG',
      message: expect.stringContaining('--guardian-keystore needs --authorizations'),
    })
    const { authorizations } = rights
    await expect(attach(dataPath, { authorizations, guardian: wallets.registrar })).rejects.toMatchObject({
      code: 'CHAIN_FAILED',
      message: expect.stringContaining(
        `${addressOf(wallets.registrar)} is no guardian of the registry ${rights.registry}`,
      ),
    })
    expect(await readFile(identityPath(dataPath), 'utf8')).toBe(before)
    expect((await attach(dataPath, { authorizations, guardian: wallets.guardian })).guardian).toBe(
      wallets.guardian,
    )
  })
})
