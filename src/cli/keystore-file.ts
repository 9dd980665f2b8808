import { randomBytes } from 'node:crypto'
import { open, readFile, rm, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { isError, isKeystoreJson, Wallet } from 'ethers'
import { type Hex, isHex, toHex } from '../bytes/hex.ts'
import { InputError, OperationError } from '../errors.ts'
import { isMissing, syncDirectory } from '../store/durable.ts'

/**
 * Makes a random key and keeps it encrypted (Web3 Secret Storage, version 3, scrypt), readable by its owner alone and
 * synced to disk.
 *
 * @returns the key's address
 * @throws {InputError} `BAD_ARGUMENT` when something is there already: it may be a key
 * @throws {OperationError} `STORE_FAILED`
 */
export async function createKeystore(path: string, password: string): Promise<Hex> {
  const wallet = new Wallet(toHex(randomBytes(32)))
  const text = await wallet.encrypt(password)
  try {
    const file = await open(path, 'wx', 0o600)
    try {
      await file.writeFile(`${text}\n`)
      await file.sync()
    } catch (error) {
      await rm(path, { force: true })
      throw error
    } finally {
      await file.close()
    }
    await syncDirectory(dirname(resolve(path)))
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') {
      throw new InputError('BAD_ARGUMENT', `${path} is there already, and is not overwritten`)
    }
    throw new OperationError('STORE_FAILED', `could not write ${path}: ${(cause as Error).message}`, {
      cause,
    })
  }
  return wallet.address.toLowerCase() as Hex // an ethers address in lowercase
}

/**
 * The key in a keystore.
 *
 * @param onWarning told when others than its owner may read the file
 * @throws {InputError} `BAD_CONFIG`: no such file, no keystore, wrong password
 */
export async function openKeystore(
  path: string,
  password: string,
  onWarning: (message: string) => void,
): Promise<Wallet> {
  const text = await loadKeystore(path)
  const { mode } = await stat(path)
  if ((mode & 0o077) !== 0) onWarning(`others may read ${path}: chmod 600 it`)
  try {
    return new Wallet((await Wallet.fromEncryptedJson(text, password)).privateKey)
  } catch (cause) {
    if (isError(cause, 'INVALID_ARGUMENT') && cause.argument === 'password') {
      throw new InputError('BAD_CONFIG', `the password does not open ${path}`)
    }
    throw notKeystore(path, cause)
  }
}

/**
 * The address that a keystore names; it takes no password, and the key is not looked at.
 *
 * @throws {InputError} `BAD_CONFIG`: no such file, no keystore, or it names no address
 */
export async function keystoreAddress(path: string): Promise<Hex> {
  const { address } = JSON.parse(await loadKeystore(path)) as { address?: unknown }
  const hex = `0x${String(address).replace(/^0x/i, '').toLowerCase()}`
  if (!isHex(hex, 20)) throw new InputError('BAD_CONFIG', `${path} does not name its address`)
  return hex
}

async function loadKeystore(path: string): Promise<string> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    const reason = isMissing(cause)
      ? `there is no keystore ${path}: "tidemark keystore create --out FILE" makes one`
      : `cannot read ${path}: ${(cause as Error).message}`
    throw new InputError('BAD_CONFIG', reason, {}, { cause })
  }
  if (!isKeystoreJson(text)) throw notKeystore(path)
  return text
}

const notKeystore = (path: string, cause?: unknown) =>
  new InputError(
    'BAD_CONFIG',
    `${path} is not a keystore that can be read (Web3 Secret Storage, version 3)`,
    {},
    { cause },
  )
