import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { sealBatch } from '../../src/batch/index.ts'
import { sealRecord } from '../../src/record/index.ts'
import { RULES } from '../../src/rules/index.ts'
import type { RecordRef } from '../../src/rules/rule.ts'
import { BatchFolder } from '../../src/store/batch-folder.ts'
import { ndjson } from '../api/world.ts'
import { compress, PUBLISHER } from '../batch/items.ts'
import { tidemark } from '../e2e/processes.ts'
import { call, HOUR_MS, MONDAY_MS } from '../rules/seen.ts'
import { temporaryFolder } from '../store/temporary.ts'

const lines = (stdout: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

/** Both sides of an answered call, and the consumer's once more. */
const consumer = call(MONDAY_MS, { requestId: 'q' }).record
const provider = call(MONDAY_MS + 1, { requestId: 'q', side: 'provider' }).record
const again = call(MONDAY_MS + 1_000, { requestId: 'q' }).record

describe('tidemark rules', () => {
  test('finds nothing in what is in order, with exit code 0', async () => {
    const ended = await tidemark(['rules', '--input', '-'], { stdin: ndjson(provider, consumer) })
    expect(ended).toEqual({ code: 0, stdout: 'nothing found\n', stderr: '' })
  })

  test('tells every finding and what there are of each rule, with exit code 1', async () => {
    const stdin = ndjson(again, consumer, provider)
    const { code, stdout } = await tidemark(['rules', '--input', '-', '--lang', 'zh'], { stdin })
    expect(code).toBe(1)
    expect(stdout).toContain(`medium  重复请求: ${again.id} of urn:consumer; requestId q, afterMs 1000`)
    expect(stdout).toMatch(/duplicated-request +medium +1 +1 +重复请求/)
    const json = await tidemark(['rules', '--input', '-', '--json'], { stdin })
    expect(json.code).toBe(1)
    expect(lines(json.stdout)).toEqual([
      {
        rule: 'duplicated-request',
        severity: 'medium',
        records: [{ source: 'urn:consumer', id: again.id }],
        evidence: [{ source: 'urn:consumer', id: consumer.id }],
        values: { requestId: 'q', afterMs: 1_000 },
      },
    ])
  })

  test('goes by the rules and the thresholds that are named', async () => {
    const stdin = ndjson(consumer, provider, again)
    const other = await tidemark(['rules', '--input', '-', '--rule', 'missing-side'], { stdin })
    expect(other.code).toBe(0)
    const settings = join(await temporaryFolder(), 'settings.json')
    await writeFile(settings, '{ "repeatMs": 500 }')
    expect((await tidemark(['rules', '--input', '-', '--settings', settings], { stdin })).code).toBe(0)
    await writeFile(settings, '{ "repeat": 500 }')
    const bad = await tidemark(['rules', '--input', '-', '--settings', settings], { stdin })
    expect(bad).toMatchObject({ code: 2, stderr: 'tidemark: there is no setting repeat\n' })
  })

  test('reads sealed batches, and finds the numbers of submissions that are missing', async () => {
    const root = await temporaryFolder()
    const folder = new BatchFolder(root)
    for (const [batch, sequence] of [0n, 2n].entries()) {
      const record = call(MONDAY_MS + batch * HOUR_MS, {
        agent: 'someone',
        person: `${'A'.repeat(43)}`,
      }).record
      const { record: sealed, disclosures, vault } = sealRecord(record)
      const submission = { source: record.source, sequence, receivedAt: MONDAY_MS, signature: null }
      const items = [{ record: sealed, disclosures }]
      await folder.save(
        sealBatch(PUBLISHER, BigInt(batch), [{ ...submission, items, vault: [vault] }], compress),
      )
    }
    const { code, stdout } = await tidemark(['rules', '--batches', root, '--json'])
    expect(code).toBe(1)
    expect(lines(stdout).map(({ rule }) => rule)).toEqual(
      expect.arrayContaining(['silent-source', 'out-of-hours', 'missing-side']),
    )
    expect(lines(stdout)).toContainEqual(
      expect.objectContaining({ values: expect.objectContaining({ fault: 'gap', firstMissing: '1' }) }),
    )
  })

  test('lists all rules in both languages, as docs/rules.md has them', async () => {
    const english = await tidemark(['rules', '--list'])
    const chinese = await tidemark(['rules', '--list', '--lang', 'zh'])
    const page = await readFile(new URL('../../docs/rules.md', import.meta.url), 'utf8')
    for (const { name, severity, title, description } of RULES) {
      expect(english.stdout).toContain(`${name} (${severity}): ${title.en}\n  ${description.en}\n`)
      expect(chinese.stdout).toContain(`${name} (${severity}): ${title.zh}\n  ${description.zh}\n`)
      for (const text of [`## ${name}`, title.en, title.zh]) expect(page).toContain(text)
    }
    expect([english.code, chinese.code]).toEqual([0, 0])
  })

  test('finds in a sample month what its labels say', async () => {
    const root = await temporaryFolder()
    const labels = join(root, 'labels')
    const submissions = join(root, 'submissions')
    const records = join(root, 'records')
    const sampled = await tidemark([
      ...['sample', '--month', '--seed', '3', '--percent', '1'],
      ...['--labels', labels, '--submissions', submissions],
    ])
    expect(sampled).toMatchObject({ code: 0, stderr: '' })
    await writeFile(records, sampled.stdout)
    const { code, stdout } = await tidemark([
      ...['rules', '--input', records, '--submissions', submissions, '--json'],
      ...['--rule', 'silent-source', 'broken-promise', 'call-without-grant'],
    ])
    expect(code).toBe(1)
    const reported = lines(stdout).flatMap(({ rule, records: broken }) =>
      broken.map(({ source, id }: RecordRef) => ({ rule, source, id })),
    )
    const rules = new Set(reported.map(({ rule }) => rule))
    const labelled = lines(await readFile(labels, 'utf8')).filter(({ rule }) => rules.has(rule))
    const byId = (a: RecordRef, b: RecordRef) => (a.id < b.id ? -1 : 1)
    expect(reported.sort(byId)).toEqual(labelled.sort(byId))
    expect(rules.size).toBe(3)
  })

  test.each([
    [['rules'], 'name either'],
    [['rules', '--input', 'nowhere.ndjson'], 'cannot read nowhere.ndjson'],
    [['rules', '--batches', 'nowhere'], 'cannot read nowhere'],
    [['rules', '--rule', 'none'], 'Allowed choices'],
    [['sample', '--labels', 'x'], 'only a --month'],
  ])('%j is exit code 2', async (args, reason) => {
    const { code, stderr } = await tidemark(args)
    expect(code).toBe(2)
    expect(stderr).toContain(reason)
  })
})
