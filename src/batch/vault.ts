import { utf8 } from '../bytes/bytes.ts'
import { isUint32 } from '../bytes/integer.ts'
import { OperationError } from '../errors.ts'
import { parseDisclosure } from '../record/index.ts'
import { FRAME_RECORDS, frameLines } from './frames.ts'

/** The private disclosures of one record. */
export interface VaultLine {
  position: number
  disclosures: string[]
}

/** Frame k holds the private disclosures of records 256 k to 256 k + 255, a line for each record that has some. */
export function vaultFrames(vault: readonly (readonly string[])[]): Uint8Array[] {
  const frames: string[] = []
  vault.forEach((disclosures, position) => {
    if (position % FRAME_RECORDS === 0) frames.push('')
    if (disclosures.length > 0)
      frames[frames.length - 1] += vaultLine({ position, disclosures: [...disclosures] })
  })
  return frames.map(utf8)
}

/** The text of a frame without some of its disclosures; a record that has none left has no line either. */
export function withoutDisclosures(
  text: string,
  isErased: (position: number, member: string) => boolean,
): Uint8Array {
  let kept = ''
  for (const { position, disclosures } of frameLines(text).map(parseVaultLine)) {
    const left = disclosures.filter((disclosure) => !isErased(position, parseDisclosure(disclosure).name))
    if (left.length > 0) kept += vaultLine({ position, disclosures: left })
  }
  return utf8(kept)
}

const vaultLine = (line: VaultLine): string => `${JSON.stringify(line)}\n`

/** @throws {OperationError} `STORE_DAMAGED` */
export function parseVaultLine(line: string): VaultLine {
  const { position, disclosures } = Object(readJson(line)) as Record<string, unknown>
  if (
    !isUint32(position) ||
    !Array.isArray(disclosures) ||
    !disclosures.every((text) => typeof text === 'string')
  )
    throw damaged()
  return { position, disclosures }
}

function readJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (cause) {
    throw damaged(cause)
  }
}

const damaged = (cause?: unknown) =>
  new OperationError('STORE_DAMAGED', 'a line of the vault is not {position, disclosures}', {
    cause,
    retryable: false,
  })
