import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ndjson } from '../api/world.ts'
import { endAfterTest, startUp, tidemark } from '../e2e/processes.ts'
import { call, HOUR_MS, MONDAY_MS } from '../rules/seen.ts'
import { eventually, temporaryFolder } from '../store/temporary.ts'

test('tidemark alerts lists what rules found, and who has the token reports and closes it', {
  timeout: 120_000,
}, async () => {
  const data = await temporaryFolder()
  const rules = join(data, 'rules.json')
  await writeFile(rules, '{"reorderMs":0,"deadlineMinutes":{"high":30}}')
  const up = endAfterTest(
    await startUp([
      ...['--data', join(data, 'up'), '--port', '0', '--chain-port', '0', '--seal-after', '50'],
      ...['--rules', rules],
    ]),
  )
  const api = ['--api', up.url]
  const planted = call(MONDAY_MS + 9 * HOUR_MS, { sharing: 'prohibited', side: 'provider' })
  const sent = await tidemark(['send', '-', '--wait', ...api], { stdin: ndjson(planted.record) })
  expect(sent.code, sent.stderr).toBe(0)
  const [found] = await eventually(async () => {
    const { stdout } = await tidemark(['alerts', 'list', ...api, '--json'])
    const all = stdout.split('\n').filter((line) => line.includes('call-without-grant'))
    return all.length > 0 ? all : undefined
  })
  const { id, raisedAt, deadline, alert } = JSON.parse(found ?? '')
  expect(Number(deadline) - Number(raisedAt)).toBe(30 * 60_000)
  expect(alert.records).toMatchObject([{ id: planted.id }])
  const list = await tidemark(['alerts', 'list', ...api])
  expect(list.stdout).toMatch(
    new RegExp(`^${id}  .*Z  open  high  call-without-grant  1 records, first ${planted.id} of`, 'm'),
  )

  const { stdout: secret } = await tidemark(['token', 'create', '--handle', '--data', join(data, 'up')])
  const report = (token: string) =>
    tidemark(['alerts', 'report', id, '--note', 'called', ...api], { env: { TIDEMARK_TOKEN: token } })
  expect((await report('another')).code).toBe(2)
  expect(await report(secret.trim())).toMatchObject({ code: 0, stdout: `alert ${id} is reported\n` })
  const closed = await tidemark(['alerts', 'close', id, '--token', secret.trim(), ...api])
  expect(closed).toMatchObject({ code: 0, stdout: `alert ${id} is closed\n` })
  const left = await tidemark(['alerts', 'list', ...api, '--json'])
  expect(left.stdout).not.toContain('call-without-grant')
  expect((await tidemark(['alerts', 'list', '--all', ...api])).stdout).toMatch(
    /closed {2}high {2}call-without-grant/,
  )
  expect(await up.stop()).toBe(0)
})

test('a rules file that cannot be meant is refused before anything starts', async () => {
  const rules = join(await temporaryFolder(), 'rules.json')
  await writeFile(rules, '{"trip":{"no-rule":"everything"}}')
  expect(await tidemark(['up', '--rules', rules])).toMatchObject({
    code: 2,
    stderr: 'tidemark: there is no rule no-rule\n',
  })
  await writeFile(rules, '{"trip":{"call-without-grant":"everything"}}')
  const ledger = `0x${'00'.repeat(20)}`
  const indexer = ['indexer', '--ledger', ledger, '--batches', 'none', '--rules', rules]
  expect(await tidemark(indexer)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('an indexer trips no breaker'),
  })
})
