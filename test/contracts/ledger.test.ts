import { type BaseContract, id, type TypedDataField, type Wallet, ZeroHash } from 'ethers'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { call, deploy, eventsOf, provider, revertOf, send, wallet } from './chain.ts'
import { digest, type Header, hashNode, headerOf, headersOf, leafOf } from './header.ts'
import { EMPTY_ROOT, flipBit, inclusionPath, peakHeight, rootFromNodes, rootOf } from './oracle.ts'

const TOPIC = id(
  'Appended(uint64,address,(address,uint64,bytes32,uint32,bytes32,uint32,uint64,uint64),bytes32)',
)
const REGISTRAR = id('REGISTRAR_ROLE')
const [NONE, ACTIVE, SUSPENDED] = [0n, 1n, 2n]

const admin = wallet(0)
const publisher = wallet(1)
const other = wallet(2)
const stranger = wallet(3)
let ledger: BaseContract
let mine: BaseContract

const as = (who: typeof admin, method: string, ...args: unknown[]) =>
  send(ledger.connect(who), method, ...args)
const refusal = (who: typeof admin, method: string, ...args: unknown[]) =>
  revertOf(ledger, as(who, method, ...args))
const verdict = (method: string, ...args: unknown[]) => revertOf(ledger, call(ledger, method, ...args))
const mineOf = (first: bigint, count: number) => headersOf(publisher.address, first, count)
const stateOf = async (contract: BaseContract, account: string) => [
  ...(await call(contract, 'publisher', account)),
]

beforeEach(async () => {
  ledger = await deploy('Ledger.sol', admin.address)
  mine = ledger.connect(publisher)
  await send(ledger, 'addPublisher', publisher.address)
})

describe('a new ledger', () => {
  it('is empty and knows the block that created it', async () => {
    const receipt = await provider.getTransactionReceipt(ledger.deploymentTransaction()!.hash)
    expect(await call(ledger, 'deploymentBlock')).toBe(BigInt(receipt!.blockNumber))
    expect(await call(ledger, 'size')).toBe(0n)
    expect(await call(ledger, 'root')).toBe(EMPTY_ROOT)
    expect(await call(ledger, 'peaks')).toEqual([])
  })

  it('gives both roles to the admin and to nobody else', async () => {
    for (const role of [ZeroHash, REGISTRAR]) {
      expect(await call(ledger, 'hasRole', role, admin.address)).toBe(true)
      expect(await call(ledger, 'hasRole', role, stranger.address)).toBe(false)
      expect(await call(ledger, 'getRoleAdmin', role)).toBe(ZeroHash)
    }
    expect(await call(ledger, 'REGISTRAR_ROLE')).toBe(REGISTRAR)
  })
})

describe('the roles', () => {
  const powers = ['addPublisher', 'suspendPublisher', 'reinstatePublisher']

  it.each(powers)('let nobody but a registrar %s', async (method) => {
    for (const who of [stranger, publisher])
      expect(await refusal(who, method, other.address)).toBe(
        `AccessControlUnauthorizedAccount(${who.address},${REGISTRAR})`,
      )
  })

  it('let nobody but the admin appoint a registrar', async () => {
    expect(await refusal(stranger, 'grantRole', REGISTRAR, stranger.address)).toBe(
      `AccessControlUnauthorizedAccount(${stranger.address},${ZeroHash})`,
    )
    await as(admin, 'grantRole', REGISTRAR, other.address)
    await as(admin, 'renounceRole', REGISTRAR, admin.address)
    expect(await refusal(admin, 'addPublisher', stranger.address)).toMatch(
      /^AccessControlUnauthorizedAccount/,
    )
    await as(other, 'addPublisher', stranger.address)
    expect(await refusal(other, 'grantRole', REGISTRAR, stranger.address)).toMatch(
      /^AccessControlUnauthorizedAccount/,
    )
    await as(admin, 'revokeRole', REGISTRAR, other.address)
    expect(await refusal(other, 'suspendPublisher', stranger.address)).toMatch(
      /^AccessControlUnauthorizedAccount/,
    )
  })

  it('do not let the admin append', async () => {
    expect(await refusal(admin, 'append', mineOf(0n, 1))).toBe(`Ledger_PublisherUnknown(${admin.address})`)
  })
})

describe('a publisher', () => {
  const address = other.address

  it('goes from none to active, suspended and active again, with an event for each step', async () => {
    expect(await stateOf(ledger, address)).toEqual([0n, NONE])
    expect(eventsOf(ledger, await as(admin, 'addPublisher', address))).toEqual([['PublisherAdded', address]])
    expect(await stateOf(ledger, address)).toEqual([0n, ACTIVE])
    expect(eventsOf(ledger, await as(admin, 'suspendPublisher', address))).toEqual([
      ['PublisherSuspended', address],
    ])
    expect(await stateOf(ledger, address)).toEqual([0n, SUSPENDED])
    expect(eventsOf(ledger, await as(admin, 'reinstatePublisher', address))).toEqual([
      ['PublisherReinstated', address],
    ])
    expect(await stateOf(ledger, address)).toEqual([0n, ACTIVE])
  })

  it('takes no other step', async () => {
    expect(await refusal(admin, 'suspendPublisher', address)).toBe(`Ledger_PublisherUnknown(${address})`)
    expect(await refusal(admin, 'reinstatePublisher', address)).toBe(`Ledger_PublisherUnknown(${address})`)
    await as(admin, 'addPublisher', address)
    expect(await refusal(admin, 'addPublisher', address)).toBe(`Ledger_PublisherActive(${address})`)
    expect(await refusal(admin, 'reinstatePublisher', address)).toBe(`Ledger_PublisherActive(${address})`)
    await as(admin, 'suspendPublisher', address)
    expect(await refusal(admin, 'addPublisher', address)).toBe(`Ledger_PublisherSuspended(${address})`)
    expect(await refusal(admin, 'suspendPublisher', address)).toBe(`Ledger_PublisherSuspended(${address})`)
  })

  it('cannot append while suspended, and goes on with its own sequence when reinstated', async () => {
    await send(mine, 'append', mineOf(0n, 3))
    await as(admin, 'suspendPublisher', publisher.address)
    expect(await stateOf(ledger, publisher.address)).toEqual([3n, SUSPENDED])
    expect(await refusal(publisher, 'append', mineOf(3n, 1))).toBe(
      `Ledger_PublisherSuspended(${publisher.address})`,
    )
    await as(admin, 'reinstatePublisher', publisher.address)
    await send(mine, 'append', mineOf(3n, 1))
    expect(await stateOf(ledger, publisher.address)).toEqual([4n, ACTIVE])
  })
})

describe('append', () => {
  it('logs every header with its index and the node that it completes', async () => {
    const headers = mineOf(0n, 4)
    const leaves = headers.map(leafOf)
    const receipt = await send(mine, 'append', headers)
    expect(receipt.logs.map(({ topics }) => topics[0])).toEqual(Array(4).fill(TOPIC))
    expect(eventsOf(ledger, receipt)).toEqual(
      headers.map((header, index) => [
        'Appended',
        BigInt(index),
        publisher.address,
        Object.values(header).map((value) => (typeof value === 'number' ? BigInt(value) : value)),
        [leaves[0], rootOf(leaves.slice(0, 2)), leaves[2], rootOf(leaves)][index],
      ]),
    )
  })

  it('keeps the peaks, and so the size and the root, where state proofs look for them', async () => {
    await send(mine, 'append', mineOf(0n, 6))
    const leaves = mineOf(0n, 6).map(leafOf)
    const peaks = [rootOf(leaves.slice(0, 4)), rootOf(leaves.slice(4))]
    const address = await ledger.getAddress()
    expect(await call(ledger, 'size')).toBe(6n)
    expect(await call(ledger, 'peaks')).toEqual(peaks)
    expect(await call(ledger, 'root')).toBe(rootOf(leaves))
    expect(BigInt(await provider.getStorage(address, 4))).toBe(6n)
    expect(await provider.getStorage(address, 5 + 2)).toBe(peaks[0])
    expect(await provider.getStorage(address, 5 + 1)).toBe(peaks[1])
  })

  it('lets publishers take turns, each with its own sequence', async () => {
    await as(admin, 'addPublisher', other.address)
    await send(mine, 'append', mineOf(0n, 2))
    await as(other, 'append', headersOf(other.address, 0n, 3))
    await send(mine, 'append', mineOf(2n, 1))
    const leaves = [...mineOf(0n, 2), ...headersOf(other.address, 0n, 3), ...mineOf(2n, 1)].map(leafOf)
    expect(await call(ledger, 'root')).toBe(rootOf(leaves))
    expect(await stateOf(ledger, other.address)).toEqual([3n, ACTIVE])
  })

  it('does nothing when a transaction is repeated', async () => {
    await send(mine, 'append', mineOf(0n, 3))
    const root = await call(ledger, 'root')
    expect((await send(mine, 'append', mineOf(0n, 3))).logs).toEqual([])
    expect(await call(ledger, 'root')).toBe(root)
    expect(await stateOf(ledger, publisher.address)).toEqual([3n, ACTIVE])
  })

  it('appends only what is new where old and new headers meet', async () => {
    await send(mine, 'append', mineOf(0n, 3))
    const old = mineOf(0n, 1)
    const receipt = await send(mine, 'append', [...mineOf(1n, 4), ...old, ...mineOf(5n, 1), ...old])
    expect(receipt.logs).toHaveLength(3)
    expect(await call(ledger, 'root')).toBe(rootOf(mineOf(0n, 6).map(leafOf)))
    expect(await stateOf(ledger, publisher.address)).toEqual([6n, ACTIVE])
  })

  it('never changes what was appended, whatever a repeated sequence says', async () => {
    await send(mine, 'append', mineOf(0n, 2))
    const root = await call(ledger, 'root')
    await send(mine, 'append', [headerOf(publisher.address, 0n, { recordsRoot: digest('other') })])
    expect(await call(ledger, 'root')).toBe(root)
  })

  it('refuses a gap, at the start and within a group', async () => {
    expect(await refusal(publisher, 'append', mineOf(1n, 1))).toBe(
      `Ledger_SequenceGap(${publisher.address},0,1)`,
    )
    expect(await refusal(publisher, 'append', [...mineOf(0n, 2), ...mineOf(3n, 1)])).toBe(
      `Ledger_SequenceGap(${publisher.address},2,3)`,
    )
    expect(await call(ledger, 'size')).toBe(0n)
  })

  it('refuses an empty call', async () => {
    expect(await refusal(publisher, 'append', [])).toBe('Ledger_NoHeaders()')
  })

  it('refuses a stranger', async () => {
    expect(await refusal(stranger, 'append', headersOf(stranger.address, 0n, 1))).toBe(
      `Ledger_PublisherUnknown(${stranger.address})`,
    )
  })

  it("refuses another publisher's header, first or last, new or old", async () => {
    await as(admin, 'addPublisher', other.address)
    await as(other, 'append', headersOf(other.address, 0n, 1))
    const mismatch = `Ledger_PublisherMismatch(${publisher.address},${other.address})`
    expect(await refusal(publisher, 'append', headersOf(other.address, 1n, 1))).toBe(mismatch)
    expect(await refusal(publisher, 'append', [...mineOf(0n, 1), ...headersOf(other.address, 0n, 1)])).toBe(
      mismatch,
    )
  })

  it.each<[Partial<Header>, string]>([
    [{ recordCount: 0 }, 'Ledger_NoRecords(0)'],
    [{ indexSize: 0 }, 'Ledger_NoIndex(0)'],
    [{ firstTime: 8n, lastTime: 7n }, 'Ledger_TimesReversed(0,8,7)'],
  ])('refuses a header with %o', async (change, error) => {
    expect(await refusal(publisher, 'append', [headerOf(publisher.address, 0n, change)])).toBe(error)
  })

  it('accepts the smallest and the largest header', async () => {
    await send(mine, 'append', [
      headerOf(publisher.address, 0n, { recordCount: 1, indexSize: 1, firstTime: 0n, lastTime: 0n }),
      headerOf(publisher.address, 1n, {
        recordCount: 2 ** 32 - 1,
        indexSize: 2 ** 32 - 1,
        firstTime: 2n ** 64n - 1n,
        lastTime: 2n ** 64n - 1n,
      }),
    ])
    expect(await call(ledger, 'size')).toBe(2n)
  })

  it('refuses a header whose words carry bits beyond their type', async () => {
    const data = ledger.interface.encodeFunctionData('append', [mineOf(0n, 1)])
    const words = [0, 1, 3, 5, 6, 7]
    const headerStart = 2 + 8 + 2 * 64
    for (const word of words) {
      const dirty = flipBit(data, (headerStart + word * 64 - 2) * 4 + 3)
      await expect(
        provider.call({ from: publisher.address, to: await ledger.getAddress(), data: dirty }),
      ).rejects.toThrow()
    }
    await provider.call({ from: publisher.address, to: await ledger.getAddress(), data })
  })

  it('keeps the root of all headers and their events, whatever the groups and repetitions', async () => {
    const group = fc.record({ back: fc.nat({ max: 3 }), count: fc.integer({ min: 1, max: 12 }) })
    await fc.assert(
      fc.asyncProperty(fc.array(group, { minLength: 1, maxLength: 6 }), async (groups) => {
        const fresh = await deploy('Ledger.sol', admin.address)
        await send(fresh, 'addPublisher', publisher.address)
        const nodes: string[] = []
        let next = 0
        for (const { back, count } of groups) {
          const first = Math.max(0, next - back)
          const receipt = await send(fresh.connect(publisher), 'append', mineOf(BigInt(first), count))
          for (const [, index, , , node] of eventsOf(fresh, receipt)) {
            expect(index).toBe(BigInt(nodes.length))
            nodes.push(String(node))
          }
          next = Math.max(next, first + count)
        }
        const leaves = mineOf(0n, next).map(leafOf)
        expect(await call(fresh, 'root')).toBe(rootOf(leaves))
        expect(await stateOf(fresh, publisher.address)).toEqual([BigInt(next), ACTIVE])
        for (let size = 0; size <= next; size++)
          expect(rootFromNodes(nodes, size)).toBe(rootOf(leaves.slice(0, size)))
      }),
      { numRuns: 10 },
    )
  })
})

describe('appendBySignature', () => {
  const types: Record<string, TypedDataField[]> = {
    Append: [
      { name: 'headers', type: 'Header[]' },
      { name: 'deadline', type: 'uint256' },
    ],
    Header: [
      { name: 'publisher', type: 'address' },
      { name: 'sequence', type: 'uint64' },
      { name: 'recordsRoot', type: 'bytes32' },
      { name: 'recordCount', type: 'uint32' },
      { name: 'indexRoot', type: 'bytes32' },
      { name: 'indexSize', type: 'uint32' },
      { name: 'firstTime', type: 'uint64' },
      { name: 'lastTime', type: 'uint64' },
    ],
  }
  const never = 2n ** 256n - 1n

  async function sign(
    who: Pick<Wallet, 'signTypedData'>,
    headers: Header[],
    deadline = never,
    verifier = ledger,
  ) {
    const { chainId } = await provider.getNetwork()
    const domain = { name: 'Tidemark', version: '1', chainId, verifyingContract: await verifier.getAddress() }
    return who.signTypedData(domain, types, { headers, deadline })
  }

  it('appends what the publisher signed, whoever sends it', async () => {
    const headers = mineOf(0n, 3)
    const receipt = await as(stranger, 'appendBySignature', headers, never, await sign(publisher, headers))
    expect(eventsOf(ledger, receipt).map(([, , account]) => account)).toEqual(
      Array(3).fill(publisher.address),
    )
    expect(await call(ledger, 'root')).toBe(rootOf(headers.map(leafOf)))
    expect(await stateOf(ledger, publisher.address)).toEqual([3n, ACTIVE])
  })

  it('tells its domain as EIP-5267 wants it', async () => {
    const { chainId } = await provider.getNetwork()
    const [, name, version, chain, verifier] = await call(ledger, 'eip712Domain')
    expect([name, version, chain, verifier]).toEqual(['Tidemark', '1', chainId, await ledger.getAddress()])
  })

  it('refuses a signature that was used, also where the publisher appended by itself', async () => {
    const headers = mineOf(0n, 2)
    const signature = await sign(publisher, headers)
    await send(mine, 'append', mineOf(0n, 1))
    expect(await refusal(stranger, 'appendBySignature', headers, never, signature)).toBe(
      `Ledger_SequenceReplayed(${publisher.address},1,0)`,
    )
    const rest = mineOf(1n, 1)
    await as(stranger, 'appendBySignature', rest, never, await sign(publisher, rest))
    expect(await refusal(stranger, 'appendBySignature', rest, never, await sign(publisher, rest))).toBe(
      `Ledger_SequenceReplayed(${publisher.address},2,1)`,
    )
  })

  it('is good until the deadline, to the second', async () => {
    const headers = mineOf(0n, 1)
    const now = (await provider.getBlock('latest'))!.timestamp
    const deadline = BigInt(now + 1000)
    const signature = await sign(publisher, headers, deadline)
    await provider.send('evm_setNextBlockTimestamp', [now + 1000])
    await as(stranger, 'appendBySignature', headers, deadline, signature)
    const late = mineOf(1n, 1)
    const past = BigInt(now + 999)
    expect(await refusal(stranger, 'appendBySignature', late, past, await sign(publisher, late, past))).toBe(
      `Ledger_SignatureExpired(${past})`,
    )
  })

  it('refuses a signature by another key, for another ledger, deadline or header', async () => {
    const headers = mineOf(0n, 2)
    const invalid = `Ledger_SignatureInvalid(${publisher.address})`
    const elsewhere = await deploy('Ledger.sol', admin.address)
    const changed = headers.with(1, headerOf(publisher.address, 1n, { recordCount: 4095 }))
    for (const signature of [
      await sign(stranger, headers),
      await sign(publisher, headers, never, elsewhere),
      await sign(publisher, headers, never - 1n),
      await sign(publisher, changed),
      await sign(publisher, headers.slice(0, 1)),
      '0x',
    ])
      expect(await refusal(stranger, 'appendBySignature', headers, never, signature)).toBe(invalid)
    expect(await call(ledger, 'size')).toBe(0n)
  })

  it('refuses any flipped bit of the signature', async () => {
    const headers = mineOf(0n, 1)
    const signature = await sign(publisher, headers)
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 65 * 8 - 1 }), async (bit) => {
        const outcome = await verdict('appendBySignature', headers, never, flipBit(signature, bit))
        expect(outcome).toBe(`Ledger_SignatureInvalid(${publisher.address})`)
      }),
      { numRuns: 40 },
    )
  })

  it('refuses an empty call', async () => {
    expect(await refusal(stranger, 'appendBySignature', [], never, '0x')).toBe('Ledger_NoHeaders()')
  })

  it('refuses headers of two publishers', async () => {
    await as(admin, 'addPublisher', other.address)
    const headers = [...mineOf(0n, 1), ...headersOf(other.address, 0n, 1)]
    expect(await refusal(stranger, 'appendBySignature', headers, never, await sign(publisher, headers))).toBe(
      `Ledger_PublisherMismatch(${publisher.address},${other.address})`,
    )
  })

  it('refuses a stranger, a suspended publisher, a gap and a header that makes no sense', async () => {
    const attempt = async (who: typeof admin, headers: Header[]) =>
      refusal(admin, 'appendBySignature', headers, never, await sign(who, headers))
    expect(await attempt(stranger, headersOf(stranger.address, 0n, 1))).toBe(
      `Ledger_PublisherUnknown(${stranger.address})`,
    )
    expect(await attempt(publisher, mineOf(1n, 1))).toBe(`Ledger_SequenceGap(${publisher.address},0,1)`)
    expect(await attempt(publisher, [headerOf(publisher.address, 0n, { indexSize: 0 })])).toBe(
      'Ledger_NoIndex(0)',
    )
    await as(admin, 'suspendPublisher', publisher.address)
    expect(await attempt(publisher, mineOf(0n, 1))).toBe(`Ledger_PublisherSuspended(${publisher.address})`)
  })

  it('asks an account with code by ERC-1271', async () => {
    const account = await deploy('test/SmartAccount.sol', other.address)
    const address = await account.getAddress()
    await as(admin, 'addPublisher', address)
    const headers = headersOf(address, 0n, 2)
    expect(await refusal(stranger, 'appendBySignature', headers, never, await sign(stranger, headers))).toBe(
      `Ledger_SignatureInvalid(${address})`,
    )
    await as(stranger, 'appendBySignature', headers, never, await sign(other, headers))
    expect(await stateOf(ledger, address)).toEqual([2n, ACTIVE])
  })

  it('takes an account whose code knows no ERC-1271 for one that does not sign', async () => {
    const address = await ledger.getAddress()
    await as(admin, 'addPublisher', address)
    const headers = headersOf(address, 0n, 1)
    expect(await refusal(stranger, 'appendBySignature', headers, never, await sign(publisher, headers))).toBe(
      `Ledger_SignatureInvalid(${address})`,
    )
  })
})

describe('verification', () => {
  const size = 13
  const records = Array.from({ length: 11 }, (_, i) => digest(`record ${i}`))
  const headers = Array.from({ length: size }, (_, i) =>
    headerOf(publisher.address, BigInt(i), { recordsRoot: rootOf(records), recordCount: records.length }),
  )
  const leaves = headers.map(leafOf)
  const pathOf = (index: number, of = size) =>
    inclusionPath(leaves.slice(0, of), index).slice(0, peakHeight(index, of))

  beforeEach(async () => {
    await send(mine, 'append', headers)
  })

  it('hashes a header as the log does', async () => {
    for (const header of headers) expect(await call(ledger, 'headerHash', header)).toBe(leafOf(header))
  })

  it('accepts every header, and every record of it', async () => {
    for (const [index, header] of headers.entries()) {
      expect(await verdict('verifyHeader', header, index, pathOf(index))).toBe('no revert')
      const recordIndex = index % records.length
      const recordPath = inclusionPath(records, recordIndex)
      expect(
        await verdict(
          'verifyRecord',
          records[recordIndex],
          recordIndex,
          recordPath,
          header,
          index,
          pathOf(index),
        ),
      ).toBe('no revert')
    }
  })

  it('keeps a header path valid until its peak is merged into a larger one', async () => {
    const path = pathOf(8)
    const more = async () => send(mine, 'append', mineOf(await call(ledger, 'size'), 1))
    for (const length of [14, 15]) {
      await more()
      expect(await verdict('verifyHeader', headers[8], 8, path), `at ${length}`).toBe('no revert')
    }
    await more()
    expect(await verdict('verifyHeader', headers[8], 8, path)).toBe('MerkleLog_PathLength(4,2)')
  })

  it('refuses a header path of another length', async () => {
    const whole = inclusionPath(leaves, 2)
    expect(whole).toHaveLength(4)
    expect(await verdict('verifyHeader', headers[2], 2, whole)).toBe('MerkleLog_PathLength(3,4)')
    expect(await verdict('verifyHeader', headers[2], 2, whole.slice(0, 2))).toBe('MerkleLog_PathLength(3,2)')
    expect(await verdict('verifyHeader', headers[12], 12, [leaves[0]])).toBe('MerkleLog_PathLength(0,1)')
  })

  it('refuses an index that the log has not reached', async () => {
    expect(await verdict('verifyHeader', headers[0], size, [])).toBe(
      `MerkleLog_IndexOutOfRange(${size},${size})`,
    )
  })

  it('refuses a record path of another length, also for a promoted record', async () => {
    const last = records.length - 1
    const path = inclusionPath(records, last)
    expect(path).toHaveLength(2)
    const check = (recordPath: string[], index = last) =>
      verdict('verifyRecord', records[last], index, recordPath, headers[3], 3, pathOf(3))
    expect(await check(path)).toBe('no revert')
    expect(await check(path.slice(1))).toBe('MerkleLog_PathLength(2,1)')
    expect(await check([hashNode(records[0]!, records[1]!), ...path])).toBe('MerkleLog_PathLength(2,3)')
    expect(await check(path, records.length)).toBe('MerkleLog_IndexOutOfRange(11,11)')
  })

  it('refuses a record of a batch that is not in the log', async () => {
    const forged = headerOf(publisher.address, 3n, { recordsRoot: records[0]!, recordCount: 1 })
    expect(await verdict('verifyRecord', records[0], 0, [], forged, 3, pathOf(3))).toMatch(
      /^MerkleLog_RootMismatch/,
    )
  })

  it('refuses any flipped bit in the record, its path, the header, its path, or an index', async () => {
    const widths: Record<keyof Header, number> = {
      publisher: 160,
      sequence: 64,
      recordsRoot: 256,
      recordCount: 32,
      indexRoot: 256,
      indexSize: 32,
      firstTime: 64,
      lastTime: 64,
    }
    const fields = Object.keys(widths) as (keyof Header)[]
    const flipField = (header: Header, field: keyof Header, bit: number): Header => {
      const value = header[field]
      const at = bit % widths[field]
      if (typeof value === 'string') return { ...header, [field]: flipBit(value.toLowerCase(), at) }
      return { ...header, [field]: BigInt(value) ^ (1n << BigInt(at)) }
    }
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), fc.nat(), fc.nat({ max: 255 }), async (a, b, part, bit) => {
        const [recordIndex, index] = [a % records.length, b % size]
        const header = headers[index]!
        const hashes = [records[recordIndex]!, ...inclusionPath(records, recordIndex), ...pathOf(index)]
        const recordLength = inclusionPath(records, recordIndex).length
        const choice = part % (hashes.length + fields.length + 2)
        const claim = { hashes, header, recordIndex, index: BigInt(index) }
        const field = fields[choice - hashes.length]
        if (choice < hashes.length) claim.hashes = hashes.with(choice, flipBit(hashes[choice]!, bit))
        else if (field !== undefined) claim.header = flipField(header, field, bit)
        else if (choice === hashes.length + fields.length)
          claim.recordIndex = (recordIndex ^ (1 << (bit % 32))) >>> 0
        else claim.index ^= 1n << BigInt(bit % 64)
        expect(
          await verdict(
            'verifyRecord',
            claim.hashes[0],
            claim.recordIndex,
            claim.hashes.slice(1, 1 + recordLength),
            claim.header,
            claim.index,
            claim.hashes.slice(1 + recordLength),
          ),
        ).toMatch(/^MerkleLog_/)
      }),
      { numRuns: 150 },
    )
  })
})

describe('the interface', () => {
  it('has the topic that indexers look for', () => {
    expect(ledger.interface.getEvent('Appended')?.topicHash).toBe(TOPIC)
  })

  it('takes no ether', async () => {
    const transfer = { to: await ledger.getAddress(), value: 1n }
    await expect(stranger.estimateGas(transfer)).rejects.toThrow()
  })
})
