import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { HDNodeWallet, Wallet } from 'ethers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { changePublisher } from '../../src/chain/administer.ts'
import { DEV_MNEMONIC, devWallet, LOCAL_CHAIN_ID } from '../../src/chain/dev-accounts.ts'
import { createLedger } from '../../src/chain/ledger.ts'
import { embeddedChain } from '../../src/cli/embedded-chain.ts'
import { externalChain } from '../../src/cli/external-chain.ts'
import { identityPath, saveIdentity } from '../../src/cli/identity.ts'
import { createKeystore, keystoreAddress, openKeystore } from '../../src/cli/keystore-file.ts'
import { readPassword } from '../../src/cli/password.ts'
import { tidemark } from '../e2e/processes.ts'
import { temporaryFolder } from '../store/temporary.ts'
import {
  addressOf,
  CHAIN_ID,
  deployFor,
  type ForeignChain,
  fundedWallet,
  PASSWORD,
  startForeignChain,
  writeKeystore,
} from './external-world.ts'

let chain: ForeignChain
let publisher: Wallet
let admin: Wallet
let ledger: `0x${string}`
let keys: string
const NOWHERE = `0x${'ab'.repeat(20)}` as const

beforeAll(async () => {
  chain = await startForeignChain()
  publisher = await fundedWallet(chain.rpc)
  ;({ ledger, admin } = await deployFor(chain.rpc, publisher))
  keys = await mkdtemp(join(tmpdir(), 'tidemark-keys-'))
})
afterAll(async () => {
  await chain?.close()
  await rm(keys, { recursive: true, force: true })
})

const attach = async (change: Partial<Parameters<typeof externalChain>[0]> = {}, dataPath?: string) => {
  const options = { url: chain.url, ledger, signer: publisher, finality: { kind: 'tag' } as const, ...change }
  return externalChain(options)(dataPath ?? (await temporaryFolder()), () => undefined)
}

describe('a chain of somebody else', () => {
  test('is attached to with its id, its ledger and the publisher', async () => {
    const attached = await attach()
    expect(attached).toMatchObject({ url: chain.url, mayLag: true, identity: { chainId: CHAIN_ID, ledger } })
    expect(attached.identity.deploymentBlock).toBe(await createLedger(chain.rpc, ledger).deploymentBlock())
  })

  test('that cannot be reached says so, without what the path of its URL may hide', async () => {
    // Port 1 of the loopback interface: nobody listens there.
    const attaching = attach({ url: 'http://127.0.0.1:1/v2/secret-key' })
    await expect(attaching).rejects.toMatchObject({
      code: 'RPC_UNREACHABLE',
      message: expect.stringContaining('http://127.0.0.1:1'),
    })
    await expect(attaching).rejects.not.toMatchObject({ message: expect.stringContaining('secret') })
    const hidden = await attach({ url: `${chain.url}/?key=secret` })
    expect(hidden.url).toBe(`${chain.url}/…`)
  })

  test('without a ledger at the address says so, and binds the folder to nothing', async () => {
    const dataPath = await temporaryFolder()
    const attaching = attach({ ledger: NOWHERE }, dataPath)
    await expect(attaching).rejects.toMatchObject({
      code: 'CHAIN_FAILED',
      message: `there is no ledger at ${NOWHERE} on chain ${CHAIN_ID}: check --ledger and --rpc ("tidemark ledger deploy" makes one)`,
    })
    expect(await readdir(dataPath)).toEqual([])
  })

  test.each([
    ['not registered', 'add', async () => undefined],
    [
      'suspended',
      'reinstate',
      async (stranger: Wallet) => {
        const sender = { rpc: chain.rpc, signer: admin }
        await changePublisher(sender, ledger, 'add', addressOf(stranger))
        await changePublisher(sender, ledger, 'suspend', addressOf(stranger))
      },
    ],
  ])('whose ledger has the publisher %s says which command helps', async (state, verb, prepare) => {
    const stranger = await fundedWallet(chain.rpc)
    await prepare(stranger)
    const command = `npx tidemark ledger publisher ${verb} ${addressOf(stranger)} --ledger ${ledger} --rpc ${chain.url} --keystore FILE`
    await expect(attach({ signer: stranger })).rejects.toMatchObject({
      code: 'CHAIN_FAILED',
      retryable: false,
      message: expect.stringMatching(new RegExp(`is ${state}.*${command}`)),
    })
  })
})

describe('a data folder', () => {
  test('belongs to one ledger, chain and publisher', async () => {
    const dataPath = await temporaryFolder()
    await attach({}, dataPath)
    await attach({}, dataPath)
    const other = await fundedWallet(chain.rpc)
    const second = await deployFor(chain.rpc, other)
    await expect(attach({ ledger: second.ledger }, dataPath)).rejects.toMatchObject({
      code: 'BAD_CONFIG',
      message: `${dataPath} belongs to ledger ${ledger}, not ${second.ledger}: name it with --ledger, or choose another folder with --data`,
    })
    await expect(attach({ signer: other }, dataPath)).rejects.toMatchObject({
      code: 'BAD_CONFIG',
      message: expect.stringContaining(
        `belongs to publisher ${addressOf(publisher)}, and the keystore holds the key of ${addressOf(other)}`,
      ),
    })
    const deploymentBlock = 0n
    const identity = { chainId: 1n, ledger, deploymentBlock, publisher: addressOf(publisher) }
    await saveIdentity(identityPath(dataPath), identity)
    await expect(attach({}, dataPath)).rejects.toMatchObject({
      code: 'BAD_CONFIG',
      message: expect.stringContaining(`belongs to chain 1, and the node is of chain ${CHAIN_ID}`),
    })
  })

  test('of an embedded chain is not used for another, nor the other way round', async () => {
    const embedded = await temporaryFolder()
    await saveIdentity(identityPath(embedded), { chainId: CHAIN_ID, ledger, deploymentBlock: 0n })
    await expect(attach({}, embedded)).rejects.toMatchObject({
      code: 'BAD_CONFIG',
      message: expect.stringContaining('on its embedded chain: start it without --rpc'),
    })
    const external = await temporaryFolder()
    await attach({}, external)
    await expect(embeddedChain(0)(external, () => undefined)).rejects.toMatchObject({
      code: 'BAD_CONFIG',
      message: expect.stringContaining(
        `belongs to ledger ${ledger} on chain ${CHAIN_ID}: start it with --rpc`,
      ),
    })
    expect(await readdir(external), 'no chain was begun').toEqual(['ledger.json'])
  })
})

describe('a development key', () => {
  const accounts = [0, 1, 9, 19].map((i) => {
    const { privateKey } = HDNodeWallet.fromPhrase(DEV_MNEMONIC, '', `m/44'/60'/0'/0/${i}`)
    return [i, new Wallet(privateKey)] as const
  })

  test.each(accounts)('(number %d) is refused, also out of a keystore', async (_, wallet) => {
    await chain.rpc.call('anvil_setBalance', [wallet.address, '0x8ac7230489e80000'])
    const path = await writeKeystore(await temporaryFolder(), wallet)
    const signer = await openKeystore(path, PASSWORD, () => undefined)
    const dataPath = await temporaryFolder()
    await expect(attach({ signer }, dataPath)).rejects.toMatchObject({
      code: 'BAD_CONFIG',
      message: expect.stringContaining(`not on ${CHAIN_ID}`),
    })
    expect(await readdir(dataPath)).toEqual([])
  })

  test('is refused for what a registrar does, too', async () => {
    const path = await writeKeystore(await temporaryFolder(), devWallet('admin', LOCAL_CHAIN_ID))
    const ended = await tidemark(['ledger', 'deploy', '--rpc', chain.url, '--keystore', path], {
      env: { TIDEMARK_KEYSTORE_PASSWORD: PASSWORD },
    })
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(ended.stderr).toContain(`not on ${CHAIN_ID}`)
  })
})

describe('a keystore', () => {
  test('is made with a random key, for its owner alone, and opens with its password', async () => {
    const path = join(keys, 'made.json')
    const address = await createKeystore(path, PASSWORD)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await keystoreAddress(path)).toBe(address)
    const warnings: string[] = []
    const wallet = await openKeystore(path, PASSWORD, (warning) => warnings.push(warning))
    expect(addressOf(wallet)).toBe(address)
    expect(warnings).toEqual([])
    expect(JSON.parse(await readFile(path, 'utf8')).Crypto.kdfparams.n, 'the standard cost').toBe(131_072)
  })

  test('is never overwritten', async () => {
    const path = join(await temporaryFolder(), 'key.json')
    await writeFile(path, 'a key')
    await expect(createKeystore(path, PASSWORD)).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
      message: `${path} is there already, and is not overwritten`,
    })
    expect(await readFile(path, 'utf8')).toBe('a key')
  })

  test('that others may read is warned of, and works', async () => {
    const path = await writeKeystore(await temporaryFolder(), publisher)
    await chmod(path, 0o644)
    const warnings: string[] = []
    await openKeystore(path, PASSWORD, (warning) => warnings.push(warning))
    expect(warnings).toEqual([`others may read ${path}: chmod 600 it`])
  })

  test('says what is wrong with it', async () => {
    const folder = await temporaryFolder()
    const open = (path: string, password = PASSWORD) => openKeystore(path, password, () => undefined)
    const path = await writeKeystore(folder, publisher)
    await expect(open(path, 'wrong')).rejects.toMatchObject({
      code: 'BAD_CONFIG',
      message: `the password does not open ${path}`,
    })
    const missing = join(folder, 'missing.json')
    await expect(open(missing)).rejects.toMatchObject({
      code: 'BAD_CONFIG',
      message: `there is no keystore ${missing}: "tidemark keystore create --out FILE" makes one`,
    })
    for (const text of [
      '',
      'no JSON',
      '{}',
      '{"version":3}',
      '{"version":3,"crypto":{"kdf":"none"}}',
      '[]',
    ]) {
      const bad = join(folder, 'bad.json')
      await writeFile(bad, text)
      await expect(open(bad), text).rejects.toMatchObject({
        code: 'BAD_CONFIG',
        message: `${bad} is not a keystore that can be read (Web3 Secret Storage, version 3)`,
      })
    }
  })
})

describe('the password of a keystore', () => {
  const terminal = (...lines: string[]) => {
    const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined })
    const output = new PassThrough()
    for (const line of lines) setTimeout(() => input.write(`${line}\r`), 0)
    return { input, output }
  }
  const nobody = { input: new PassThrough(), output: new PassThrough() }

  test('comes from a file, from the environment, or from whoever sits there, in this order', async () => {
    const file = join(await temporaryFolder(), 'password')
    await writeFile(file, 'from the file \n')
    const environment = { TIDEMARK_KEYSTORE_PASSWORD: 'from the environment' }
    expect(await readPassword({ file, environment, terminal: nobody }, 'known')).toBe('from the file ')
    expect(await readPassword({ file: undefined, environment, terminal: nobody }, 'known')).toBe(
      'from the environment',
    )
    const seat = terminal('typed')
    const shown: string[] = []
    seat.output.on('data', (chunk) => shown.push(String(chunk)))
    expect(await readPassword({ file: undefined, environment: {}, terminal: seat }, 'known')).toBe('typed')
    expect(shown.join('')).not.toContain('typed')
  })

  test.each([
    ['nobody sits there', () => nobody, 'is missing'],
    ['it is empty', () => terminal(''), 'is empty'],
    ['whoever sits there interrupts', () => terminal('\u0003'), 'no password was given'],
  ])('is refused when %s', async (_, seat, message) => {
    const source = { file: undefined, environment: {}, terminal: seat() }
    await expect(readPassword(source, 'known')).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
      message: expect.stringContaining(message),
    })
  })

  test('when it is new, is asked for twice', async () => {
    const source = (...lines: string[]) => ({
      file: undefined,
      environment: {},
      terminal: terminal(...lines),
    })
    await expect(readPassword(source('once', 'twice'), 'new')).rejects.toMatchObject({
      message: 'the two passwords differ',
    })
    expect(await readPassword(source('same', 'same'), 'new')).toBe('same')
  })

  test('in a file that is not there names the file', async () => {
    const source = { file: '/nowhere/password', environment: {}, terminal: nobody }
    await expect(readPassword(source, 'known')).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
      message: 'cannot read the password from /nowhere/password',
    })
  })
})

describe('a publisher of a ledger', () => {
  test('is added, suspended and reinstated; doing it again does nothing', async () => {
    const sender = { rpc: chain.rpc, signer: admin }
    const account = addressOf(new Wallet(Wallet.createRandom().privateKey))
    const status = async () => (await createLedger(chain.rpc, ledger).publisher(account)).status
    await expect(changePublisher(sender, ledger, 'suspend', account)).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
      message: `publisher ${account} is not registered: use add`,
    })
    expect(await changePublisher(sender, ledger, 'add', account)).toBeTypeOf('bigint')
    expect(await status()).toBe('active')
    expect(await changePublisher(sender, ledger, 'add', account)).toBeUndefined()
    expect(await changePublisher(sender, ledger, 'suspend', account)).toBeTypeOf('bigint')
    expect(await changePublisher(sender, ledger, 'suspend', account)).toBeUndefined()
    expect(await status()).toBe('suspended')
    await expect(changePublisher(sender, ledger, 'add', account)).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
      message: `publisher ${account} is suspended: use reinstate`,
    })
    expect(await changePublisher(sender, ledger, 'reinstate', account)).toBeTypeOf('bigint')
    expect(await status()).toBe('active')
  })

  test("is not changed by a stranger, who hears the contract's own reason", async () => {
    const stranger = await fundedWallet(chain.rpc)
    const change = changePublisher({ rpc: chain.rpc, signer: stranger }, ledger, 'add', NOWHERE)
    await expect(change).rejects.toMatchObject({
      code: 'CHAIN_FAILED',
      message: expect.stringContaining(`AccessControlUnauthorizedAccount(${stranger.address}`),
    })
  })
})

test.each([
  ['--rpc alone', ['--rpc', 'http://127.0.0.1:1'], '--rpc needs --ledger and --keystore'],
  ['a keystore alone', ['--keystore', 'key.json'], 'the options for a chain of your own need --rpc'],
  ['two chains', ['--rpc', 'http://127.0.0.1:1', '--chain-port', '0'], 'cannot be used with'],
  ['no URL', ['--rpc', 'localhost:8545'], 'must be a URL'],
  ['no fee', ['--max-fee-gwei', '0'], 'must be a number of gwei above 0'],
])('tidemark up with %s is exit code 2', async (_, args, message) => {
  const ended = await tidemark(['up', ...args])
  expect(ended.code).toBe(2)
  expect(ended.stderr).toContain(message)
})

test('tidemark up with a keystore that its password does not open is exit code 2, before anything is made', async () => {
  const folder = await temporaryFolder()
  const keystore = await writeKeystore(folder, publisher)
  const data = join(folder, 'data')
  const options = ['--rpc', chain.url, '--ledger', ledger, '--keystore', keystore, '--data', data]
  const ended = await tidemark(['up', ...options], { env: { TIDEMARK_KEYSTORE_PASSWORD: 'wrong' } })
  expect(ended.code).toBe(2)
  expect(ended.stderr).toContain(`the password does not open ${keystore}`)
  expect(await readdir(folder)).toEqual(['key.json'])
})
