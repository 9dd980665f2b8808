import { type Code, get, int, set, tee, until, type Words } from './sha256-code.ts'

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

/** Locals that the rounds take: a to h, two of scratch, and W as a ring of sixteen. */
export const ROUND_LOCALS = 26

/**
 * The compression of one block, FIPS 180-4, section 6.2.2, over words of one kind.
 *
 * @param state where the eight words of the hash value stand in memory
 * @param first of the locals
 */
export function rounds(
  { add, and, xor, shr, rotr, constant, load, store, size }: Words,
  state: number,
  first: number,
) {
  const sixteen = Array.from({ length: 16 }, (_, t) => t)
  const w = (t: number): number => first + 10 + (t & 15)
  const word = (i: number): Code => int(state + size * i)

  /** Step 1, from W_16 on: W_t takes the place of W_(t-16). The sigmas are (4.6) and (4.7). */
  const schedule = (t: number): Code => {
    const [x, y] = [get(w(t - 15)), get(w(t - 2))]
    const sigma0 = xor(rotr(x, 7), rotr(x, 18), shr(x, 3))
    const sigma1 = xor(rotr(y, 17), rotr(y, 19), shr(y, 10))
    return set(w(t), add(get(w(t)), sigma0, get(w(t - 7)), sigma1))
  }

  /**
   * Step 3, given K_t + W_t. Instead of moving a to h, each round calls them by other names, so that after eight all
   * are back. Ch is (4.2) with one operation less; so is Maj (4.3), where b xor c is the last round's a xor b.
   */
  const round = (t: number, kw: Code): Code => {
    const name = (letter: number): number => first + ((letter - t) & 7)
    const [a, b, d, h] = [get(name(0)), get(name(1)), name(3), name(7)]
    const [e, f, g] = [get(name(4)), get(name(5)), get(name(6))]
    const [aXorB, bXorC] = [first + 8 + (t & 1), first + 9 - (t & 1)]
    const sum1 = xor(rotr(e, 6), rotr(e, 11), rotr(e, 25))
    const ch = xor(and(xor(f, g), e), g)
    const sum0 = xor(rotr(a, 2), rotr(a, 13), rotr(a, 22))
    const maj = xor(and(tee(aXorB, xor(a, b)), get(bXorC)), b)
    // What is known early is added first: a round waits for the two sums of the one before.
    return [set(h, add(get(h), kw, ch, sum1)), set(d, add(get(d), get(h))), set(h, add(get(h), maj, sum0))]
  }

  /** Step 2: a to h are the hash value so far. */
  const begin: Code = [
    INITIAL.map((_, i) => set(first + i, load(word(i)))),
    set(first + 9, xor(get(first + 1), get(first + 2))),
  ]

  /** Step 4: the hash value takes in a to h. */
  const end: Code = INITIAL.map((_, i) => store(word(i), add(get(first + i), load(word(i)))))

  return {
    /** Makes the hash value what it is before any block: section 5.3.3. */
    fresh: INITIAL.map((value, i) => store(word(i), constant(value))),

    /**
     * All rounds of a block, the first sixteen and then three times sixteen.
     *
     * @param message gives the block's word t
     * @param k gives K_t of sixteen rounds, `bytes` (an i32) beyond those of the first
     * @param counter an i32 local
     */
    block: (message: (t: number) => Code, k: (bytes: Code, t: number) => Code, counter: number): Code => [
      begin,
      sixteen.map((t) => [set(w(t), message(t)), round(t, add(get(w(t)), k(int(0), t)))]),
      set(counter, int(64)),
      until(
        counter,
        256,
        sixteen.map((t) => [schedule(t), round(t, add(get(w(t)), k(get(counter), t)))]),
        64,
      ),
      end,
    ],

    /** All rounds of a block, eight at a time, of which `prepare` puts K_t + W_t in eight locals. */
    readyBlock: (prepare: Code, kw: readonly number[], counter: number): Code => [
      begin,
      set(counter, int(0)),
      until(counter, 256, [prepare, kw.map((local, t) => round(t, get(local)))], 32),
      end,
    ],
  }
}
