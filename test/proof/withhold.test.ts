import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type JsonProof, OFFLINE_FORMAT, withholdDisclosures } from '../../src/proof/index.ts'
import { parseDisclosure } from '../../src/record/index.ts'
import { verifyProof } from '../../src/verify/index.ts'
import { submissionOf } from '../batch/items.ts'
import { runs } from '../bytes/runs.ts'
import { factsOf } from '../verify/chain.ts'
import { worldOf } from '../verify/world.ts'

const world = worldOf([[[4, 9]]])
const chain = factsOf(world.data)
const MEMBERS = ['person', 'agent', 'note'] as const
const membersOf = ({ disclosures }: JsonProof) => disclosures.map((text) => parseDisclosure(text).name)

/** The proof of a call that discloses all that it seals. */
function whole(): JsonProof {
  const proof = world.prove(1, 3)
  const { vault } = submissionOf('urn:tidemark:service:civil-registry', 1, 9)
  return { ...proof, disclosures: [...proof.disclosures, ...(vault[3] ?? [])] }
}

describe('whoever holds a proof', () => {
  test('withholds any members, and what is left verifies with these closed and no others', async () => {
    expect(membersOf(whole()).sort()).toEqual([...MEMBERS].sort())
    await fc.assert(
      fc.asyncProperty(fc.subarray([...MEMBERS]), fc.boolean(), async (named, areKept) => {
        const held = whole()
        const shown = withholdDisclosures(held, areKept ? { allBut: named } : { members: named }) as JsonProof
        const left = MEMBERS.filter((name) => named.includes(name) === areKept)
        expect(membersOf(shown).sort()).toEqual([...left].sort())
        expect(held, 'it is not changed').toEqual(whole())
        expect({ ...shown, disclosures: [] }).toEqual({ ...held, disclosures: [] })
        const { record, closedMembers } = await verifyProof(structuredClone(shown), chain)
        expect(closedMembers).toBe(MEMBERS.length - left.length)
        for (const name of MEMBERS) expect(Object.hasOwn(record.data, name)).toBe(left.includes(name))
        // Nothing of the withheld is left in any spelling.
        for (const text of held.disclosures.filter((one) => !shown.disclosures.includes(one))) {
          expect(JSON.stringify(shown)).not.toContain(text)
        }
      }),
      runs(50),
    )
  })

  test('withholds from what stands beside its evidence, which stays as it is', () => {
    const evidence = { blocks: [] }
    const offline = { format: OFFLINE_FORMAT, bundle: whole(), evidence }
    const shown = withholdDisclosures(offline, { allBut: ['person'] })
    expect(shown).toEqual({ ...offline, bundle: withholdDisclosures(whole(), { allBut: ['person'] }) })
  })

  test('is told when a member is not disclosed, so that no slip of the pen passes for withholding', () => {
    for (const withheld of [{ members: ['agnet'] }, { allBut: ['nobody'] }]) {
      expect(() => withholdDisclosures(whole(), withheld)).toThrow(
        expect.objectContaining({ name: 'InputError', code: 'NOT_FOUND' }),
      )
    }
  })

  test.each([
    ['something else', { format: 'tidemark-history/1' }, 'BAD_BUNDLE'],
    ['nothing', null, 'BAD_BUNDLE'],
    ['a proof with a member too many', { ...whole(), more: 1 }, 'MALFORMED_BUNDLE'],
    ['disclosures of another record', { ...whole(), disclosures: ['WyJzIl0'] }, 'BAD_DISCLOSURE'],
  ])('is refused for %s', (_, bundle, code) => {
    expect(() => withholdDisclosures(bundle, { members: [] })).toThrow(expect.objectContaining({ code }))
  })
})
