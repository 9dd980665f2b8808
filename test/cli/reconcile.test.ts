import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { sealBatch } from '../../src/batch/index.ts'
import { type FlowRecord, parseRecord, sealRecord } from '../../src/record/index.ts'
import { BatchFolder } from '../../src/store/batch-folder.ts'
import { callOf, ndjson } from '../api/world.ts'
import { compress, PUBLISHER } from '../batch/items.ts'
import { tidemark } from '../e2e/processes.ts'
import { temporaryFolder } from '../store/temporary.ts'

/** Both sides' records of one call. */
function bothSides(requestId: string, change: Record<string, unknown> = {}): [FlowRecord, FlowRecord] {
  const told = (side: 'consumer' | 'provider', more = {}) => {
    const record = parseRecord(callOf(`urn:${side}`, requestId))
    return { ...record, data: { ...record.data, side, requestId, ...more } }
  }
  return [told('consumer'), told('provider', change)]
}

const OTHER_PUBLISHER = `0x${'cd'.repeat(20)}` as const

const { consumer, provider } = bothSides('any')[0].data
const item = (record: FlowRecord) => {
  const { record: sealed, disclosures } = sealRecord(record)
  return { record: sealed, disclosures }
}
const results = (stdout: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

describe('tidemark reconcile', () => {
  test('with nothing but regular pairs is exit code 0, and passes over what is no call', async () => {
    const heartbeat = { ...callOf('urn:provider', 'beat'), type: 'tidemark.heartbeat.v1', subject: undefined }
    const data = { from: '2026-03-01T09:00:00.000Z', to: '2026-03-01T10:00:00.000Z' }
    const stdin = ndjson(...bothSides('r-1'), { ...heartbeat, data }, ...bothSides('r-2'))
    const ended = await tidemark(['reconcile', '-'], { stdin })
    expect(ended).toEqual({
      code: 0,
      stdout: '2 regular pairs, 0 orphan pairs, 0 orphans, 0 duplicates\n',
      stderr: '',
    })
  })

  test('says who is silent, who disagrees on what, and who repeats itself, with exit code 1', async () => {
    const [alone] = bothSides('r-1')
    const disagreeing = bothSides('r-2', { outcome: 'failed', rows: 7 })
    const repeated = bothSides('r-3')
    const path = join(await temporaryFolder(), 'records.ndjson')
    await writeFile(path, ndjson(alone, ...disagreeing, ...repeated, { ...repeated[0], id: 'again' }))
    const { code, stdout } = await tidemark(['reconcile', path])
    expect(code).toBe(1)
    const [kinds, ...tables] = stdout.split('\n')
    expect(kinds).toBe('1 regular pairs, 1 orphan pairs, 1 orphans, 1 duplicates')
    const rows = tables.map((line) => line.split(/ {2,}/))
    expect(rows).toContainEqual([provider, 'provider', '1'])
    expect(rows).toContainEqual([consumer, provider, 'outcome, rows', '1'])
    expect(rows).toContainEqual([consumer, 'consumer', '1'])
  })

  test('--json prints every result, one a line', async () => {
    const stdin = ndjson(...bothSides('r-1', { status: '500' }), bothSides('r-2')[1])
    const { code, stdout } = await tidemark(['reconcile', '-', '--json'], { stdin })
    expect(code).toBe(1)
    const listed = results(stdout)
    expect(listed).toHaveLength(2)
    expect(listed).toContainEqual(
      expect.objectContaining({
        kind: 'orphan pair',
        disagreements: [{ member: 'status', consumer: '200', provider: '500' }],
      }),
    )
    expect(listed).toContainEqual(
      expect.objectContaining({ kind: 'orphan', silent: 'consumer', requestId: 'r-2' }),
    )
  })

  test('compares the persons of sealed records whose disclosures stand beside them', async () => {
    const [one, other] = bothSides('r-1', { person: `${'B'.repeat(42)}A` })
    const { stdout } = await tidemark(['reconcile', '-', '--json'], { stdin: ndjson(item(one), item(other)) })
    expect(results(stdout)).toEqual([
      expect.objectContaining({
        kind: 'orphan pair',
        disagreements: [{ member: 'person', consumer: one.data.person, provider: other.data.person }],
      }),
    ])
    const bare = await tidemark(['reconcile', '-'], { stdin: ndjson(item(one).record, item(other).record) })
    expect(bare).toMatchObject({ code: 0, stdout: expect.stringMatching(/^1 regular pairs/) })
  })

  test('reads the rows of X-Road', async () => {
    const row = {
      ...{ clientXRoadInstance: 'DEV', clientMemberClass: 'ORG', clientMemberCode: '1' },
      ...{
        serviceXRoadInstance: 'DEV',
        serviceMemberClass: 'GOV',
        serviceMemberCode: '2',
        serviceCode: 'get',
      },
      ...{ xRequestId: 'x-1', messageId: 'm-1', requestInTs: 1_603_802_102_192, succeeded: true },
    }
    const refused = { securityServerType: 'Client', requestInTs: 1_603_802_102_192, succeeded: false }
    const rows = ['Client', 'Producer'].map((securityServerType) => ({ ...row, securityServerType }))
    const stdin = JSON.stringify([...rows, refused])
    const { code, stdout } = await tidemark(['reconcile', '-', '--from', 'xroad'], { stdin })
    expect(code).toBe(1)
    expect(stdout).toContain('1 regular pairs, 0 orphan pairs, 1 orphans, 0 duplicates')
    expect(stdout).toContain('(unnamed)  provider  1')
  })

  test('--batches finds pairs across batches and publishers', async () => {
    const root = await temporaryFolder()
    const folder = new BatchFolder(root)
    const told = [...bothSides('r-1'), ...bothSides('r-2', { rows: 9 })]
    for (const [sequence, record] of told.entries()) {
      const { record: sealed, disclosures, vault } = sealRecord(record)
      const items = [{ record: sealed, disclosures }]
      const submission = {
        source: record.source,
        sequence: 0n,
        receivedAt: 0,
        signature: null,
        items,
        vault: [vault],
      }
      const publisher = sequence === 1 ? OTHER_PUBLISHER : PUBLISHER
      await folder.save(sealBatch(publisher, BigInt(sequence), [submission], compress))
    }
    const ended = await tidemark(['reconcile', '--batches', root, '--json'])
    expect(ended.code, ended.stderr).toBe(1)
    expect(
      results(ended.stdout)
        .map(({ kind, requestId }) => [requestId, kind])
        .sort(),
    ).toEqual([
      ['r-1', 'regular pair'],
      ['r-2', 'orphan pair'],
    ])
    await writeFile(join(root, PUBLISHER, '000000000002', 'records.ndjson.zst'), 'cut')
    expect((await tidemark(['reconcile', '--batches', root])).code).toBe(3)
  })

  test('shows no name that would steer the terminal', async () => {
    const [call] = bothSides('r-1')
    const stdin = ndjson({ ...call, data: { ...call.data, provider: 'reg\u001b[2Jistry' } })
    const { stdout } = await tidemark(['reconcile', '-'], { stdin })
    expect(stdout).toContain('reg?[2Jistry')
  })

  test.each<[string, string[], string, RegExp]>([
    ['no file', [], '', /either a file or a folder/],
    ['both a file and a folder', ['-', '--batches', '.'], '', /either a file or a folder/],
    ['a file that is not there', ['/nowhere/calls.ndjson'], '', /cannot read \/nowhere/],
    ['a folder that is not there', ['--batches', '/nowhere'], '', /cannot read \/nowhere/],
    ['a line that is no record', ['-'], `${ndjson(...bothSides('r-1'))}{}\n`, /line 3: \/type/],
  ])('with %s is exit code 2', async (_, args, stdin, message) => {
    const ended = await tidemark(['reconcile', ...args], { stdin })
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(ended.stderr).toMatch(message)
  })

  test('with a folder that holds no batch is exit code 2', async () => {
    const root = await temporaryFolder()
    await mkdir(join(root, PUBLISHER))
    const ended = await tidemark(['reconcile', '--batches', root])
    expect(ended.code).toBe(2)
    expect(ended.stderr).toContain(`there is no batch in ${root}`)
  })
})
