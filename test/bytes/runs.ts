/** How many examples a property tries: a few at every save, many where time is cheap. */
export const runs = (local: number) => ({ numRuns: process.env.CI === undefined ? local : 10 * local })
