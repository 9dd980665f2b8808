/** A uint64 from its only JSON spelling, a decimal string without leading zeros; undefined for anything else. */
export function readUint64(value: unknown): bigint | undefined {
  if (typeof value !== 'string' || !/^(?:0|[1-9][0-9]{0,19})$/.test(value)) return undefined
  const number = BigInt(value)
  return number < 1n << 64n ? number : undefined
}

export const isUint32 = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 32
