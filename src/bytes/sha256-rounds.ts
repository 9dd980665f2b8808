import { type Code, get, int, set, tee, type Words } from './sha256-code.ts'

const PRIMES = Array.from({ length: 312 }, (_, n) => n).filter((n) => n > 1 && !hasDivisor(n))
/** First 32 bits of the fractions of the cube roots of the first 64 primes: FIPS 180-4, section 4.2.2. */
export const K: readonly number[] = PRIMES.map((prime) => rootFraction(prime, 3n))
/** First 32 bits of the fractions of the square roots of the first 8 primes: FIPS 180-4, section 5.3.3. */
const INITIAL: readonly number[] = PRIMES.slice(0, 8).map((prime) => rootFraction(prime, 2n))

function hasDivisor(n: number): boolean {
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return true
  return false
}

function rootFraction(prime: number, degree: bigint): number {
  let root = 0n
  for (let bit = 1n << 36n; bit > 0n; bit >>= 1n) {
    if ((root + bit) ** degree <= BigInt(prime) << (32n * degree)) root += bit
  }
  return Number(root & 0xffffffffn)
}

/**
 * The compression of one block, FIPS 180-4, section 6.2.2, over words of one kind.
 *
 * @param state where the eight words of the hash value stand in memory
 * @param first of 26 locals: a to h, two of scratch, and W as a ring of sixteen
 */
export function rounds(
  { add, and, xor, shr, rotr, constant, load, store, size }: Words,
  state: number,
  first: number,
) {
  const w = (t: number): number => first + 10 + (t & 15)
  const word = (i: number): Code => int(state + size * i)

  return {
    /** The local that holds W_t. */
    w,

    /** The hash value before any block: section 5.3.3. */
    fresh: INITIAL.map((value, i) => store(word(i), constant(value))),

    /** Step 2: a to h are the hash value so far. */
    begin: [
      INITIAL.map((_, i) => set(first + i, load(word(i)))),
      set(first + 9, xor(get(first + 1), get(first + 2))),
    ],

    /** Step 1, from W_16 on: W_t takes the place of W_(t-16). The sigmas are (4.6) and (4.7). */
    schedule(t: number): Code {
      const [x, y] = [get(w(t - 15)), get(w(t - 2))]
      const sigma0 = xor(rotr(x, 7), rotr(x, 18), shr(x, 3))
      const sigma1 = xor(rotr(y, 17), rotr(y, 19), shr(y, 10))
      return set(w(t), add(get(w(t)), sigma0, get(w(t - 7)), sigma1))
    },

    /**
     * Step 3, given K_t + W_t. Instead of moving a to h, each round calls them by other names. Ch is (4.2) with
     * one operation less; so is Maj (4.3), where b xor c is the last round's a xor b.
     */
    round(t: number, kw: Code): Code {
      const name = (letter: number): number => first + ((letter - t) & 7)
      const [a, b, d, h] = [get(name(0)), get(name(1)), name(3), name(7)]
      const [e, f, g] = [get(name(4)), get(name(5)), get(name(6))]
      const [aXorB, bXorC] = [first + 8 + (t & 1), first + 9 - (t & 1)]
      const sum1 = xor(rotr(e, 6), rotr(e, 11), rotr(e, 25))
      const ch = xor(and(xor(f, g), e), g)
      const sum0 = xor(rotr(a, 2), rotr(a, 13), rotr(a, 22))
      const maj = xor(and(tee(aXorB, xor(a, b)), get(bXorC)), b)
      return [set(h, add(get(h), kw, sum1, ch)), set(d, add(get(d), get(h))), set(h, add(get(h), sum0, maj))]
    },

    /** Step 4: the hash value takes in a to h. */
    end: INITIAL.map((_, i) => store(word(i), add(get(first + i), load(word(i))))),
  }
}
