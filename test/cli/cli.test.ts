import { execFile, spawn } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { callOf, freePort, ndjson } from '../api/world.ts'
import { endAfterTest, expectNoProcess, makeFolder, startUp, tidemark, type Up } from '../e2e/processes.ts'
import { eventually, temporaryFolder } from '../store/temporary.ts'

let up: Up
let folder: Awaited<ReturnType<typeof makeFolder>>
let proofText: string
const api = () => ['--api', up.url]
const rpc = () => ['--rpc', up.rpcUrl]

beforeAll(async () => {
  folder = await makeFolder()
  up = await startUp([
    '--data',
    join(folder.path, 'data'),
    '--port',
    '0',
    '--chain-port',
    '0',
    '--seal-after',
    '50',
    '--reading',
    'open',
  ])
  const records = ndjson(...Array.from({ length: 20 }, (_, i) => callOf('urn:cli', `cli-${i}`)))
  expect((await tidemark(['send', '-', '--wait', ...api()], { stdin: records })).code).toBe(0)
  proofText = (await tidemark(['prove', 'cli-3', '--no-evidence', ...api()])).stdout
})
afterAll(async () => {
  const code = await up.stop()
  await expectNoProcess(folder.path)
  await folder.remove()
  expect(code).toBe(0)
})

async function file(text: string, name = 'file'): Promise<string> {
  const path = join(await temporaryFolder(), name)
  await writeFile(path, text)
  return path
}

async function nextSequence(source: string): Promise<string> {
  const answer = await fetch(`${up.url}/v1/submissions?${new URLSearchParams({ source })}`)
  return ((await answer.json()) as { nextSequence: string }).nextSequence
}

describe('tidemark up', () => {
  test('says where everything is, and what to try next', () => {
    expect(up.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(up.rpcUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(up.ledger).toMatch(/^0x[0-9a-f]{40}$/)
    expect(up.screen).toMatch(/sample .*send -/)
  })

  test('twice on the same folder is refused, and the first goes on', async () => {
    const second = await tidemark([
      'up',
      '--data',
      join(folder.path, 'data'),
      '--port',
      '0',
      '--chain-port',
      '0',
    ])
    expect(second).toMatchObject({ code: 3, stdout: '' })
    expect(second.stderr).toContain(`another process works in ${join(folder.path, 'data')}`)
    expect((await fetch(`${up.url}/healthz`)).status).toBe(200)
  })

  test.each(['--port', '--chain-port'])(
    'with a %s in use says so, and leaves nothing running',
    async (option) => {
      const own = await temporaryFolder()
      const server = createServer()
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      onTestFinished(() => void server.close())
      const address = server.address()
      const taken = String(typeof address === 'object' && address !== null ? address.port : 0)
      const other = option === '--port' ? '--chain-port' : '--port'
      const ended = await tidemark(['up', '--data', own, option, taken, other, '0'])
      expect(ended.code).toBe(3)
      expect(ended.stderr).toContain(`port ${taken} is in use`)
      await expectNoProcess(own)
    },
  )

  test.each([
    ['a port that is none', ['--port', '65536']],
    ['no number', ['--port', 'x']],
    ['an unknown option', ['--nonsense']],
    ['no time to seal', ['--seal-after', '0']],
    ['no time to stall', ['--stalled-after', '0']],
    ['a log of a format that is none', ['--log', 'xml']],
  ])('with %s is exit code 2', async (_, args) => {
    expect((await tidemark(['up', ...args])).code).toBe(2)
  })

  test('over a folder whose ledger.json is damaged names the file', async () => {
    const own = await temporaryFolder()
    await mkdir(own, { recursive: true })
    await writeFile(join(own, 'ledger.json'), '{"chainId":')
    const ended = await tidemark(['up', '--data', own, '--port', '0', '--chain-port', '0'])
    expect(ended.code).toBe(3)
    expect(ended.stderr).toContain(join(own, 'ledger.json'))
    await expectNoProcess(own)
  })

  test.each([
    ['while it starts', 'starting the embedded chain'],
    ['once it runs', 'Ctrl-C'],
  ])('ends when the shell that npm start put around it is ended %s', async (_when, word) => {
    const own = await makeFolder()
    onTestFinished(own.remove)
    const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
    const up = `"${process.execPath}" "${main}" up --data "${own.path}" --port 0 --chain-port 0 2>&1; true`
    const shell = spawn('sh', ['-c', up], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, npm_lifecycle_event: 'start' },
    })
    let screen = ''
    shell.stdout.on('data', (chunk) => {
      screen += String(chunk)
    })
    await eventually(() => screen.includes(word) || undefined)
    shell.kill('SIGTERM')
    await expectNoProcess(own.path)
  })

  test('ended by Ctrl-C finishes what it took, and goes on with the same ledger at the next start', async () => {
    const own = await makeFolder()
    onTestFinished(own.remove)
    const args = ['--data', own.path, '--port', '0', '--chain-port', '0']
    const first = endAfterTest(await startUp(args))
    const sent = await tidemark(['send', '-', '--api', first.url], { stdin: ndjson(callOf('urn:own', 'a')) })
    expect(sent.code).toBe(0)
    expect(await first.stop()).toBe(0)
    const second = endAfterTest(await startUp(args))
    expect(second.ledger).toBe(first.ledger)
    // It was sealed and anchored, and may still have to be verified.
    const proof = await eventually(async () => {
      const ended = await tidemark(['prove', 'a', '--no-evidence', '--api', second.url])
      return ended.code === 0 ? ended : undefined
    })
    expect((await tidemark(['verify', '-', '--rpc', second.rpcUrl], { stdin: proof.stdout })).code).toBe(0)
    expect(await second.stop()).toBe(0)
    await expectNoProcess(own.path)
  })
})

describe('tidemark find', () => {
  test('prints every record under a key, one a line, turning pages by itself', async () => {
    const found = await tidemark(['find', '--resource', 'civil-registry/births', ...api()])
    expect(found.code, found.stderr).toBe(0)
    const lines = found.stdout.trimEnd().split('\n')
    const ids = lines.map((line) => JSON.parse(line).record.id).filter((id) => id.startsWith('cli-'))
    expect(ids).toEqual(Array.from({ length: 20 }, (_, i) => `cli-${19 - i}`))
    const some = await tidemark([
      'find',
      '--source',
      'urn:cli',
      '--id',
      'cli-7',
      '--from',
      '2026-03-01',
      ...api(),
    ])
    expect(JSON.parse(some.stdout)).toMatchObject({ record: { id: 'cli-7' }, batch: { position: 7 } })
    const two = await tidemark(['find', '--consumer', 'traffic-office', '--limit', '2', ...api()])
    expect(two.stdout.trimEnd().split('\n')).toHaveLength(2)
    expect(await tidemark(['find', '--person', 'nobody', ...api()])).toMatchObject({ code: 0, stdout: '' })
  })

  test.each([
    ['nothing to find', []],
    ['a time that is none', ['--person', 'a', '--from', 'noon']],
    ['a source without an id', ['--source', 'urn:cli']],
  ])('with %s is exit code 2', async (_, args) => {
    expect((await tidemark(['find', ...args, ...api()])).code).toBe(2)
  })
})

describe('tidemark history', () => {
  const ofConsumer = ['history', '--no-evidence', '--consumer', 'traffic-office']

  test('is verified in plain words, and refuted when a record is taken out', async () => {
    const out = join(await temporaryFolder(), 'history.json')
    const made = await tidemark([...ofConsumer, '--out', out, ...api()])
    expect(made, made.stderr).toMatchObject({ code: 0, stdout: '' })
    const verified = await tidemark(['verify', out, '--ledger', up.ledger, ...rpc()])
    expect(verified.code, verified.stderr).toBe(0)
    expect(verified.stdout).toMatch(/^VERIFIED\n {2}history {3}\d+ records under consumer traffic-office\n/)
    expect(verified.stdout).toMatch(/in ledger entries 0 to \d+, and no others\n {2}period {4}all times\n/)
    const chinese = await tidemark(['verify', out, '--lang', 'zh', ...rpc()])
    expect(chinese.stdout).toMatch(/^验证通过\n {2}历史 {6}consumer traffic-office 之下有 \d+ 条记录\n/)
    const json = await tidemark(['verify', out, '--json', ...rpc()])
    const { verdict, key, records } = JSON.parse(json.stdout)
    expect({ verdict, key }).toEqual({
      verdict: 'verified',
      key: { name: 'consumer', value: 'traffic-office' },
    })
    expect(records.length).toBeGreaterThanOrEqual(20)

    const history = JSON.parse(await readFile(out, 'utf8'))
    history.batches[0].found.items.pop()
    const refuted = await tidemark(['verify', await file(JSON.stringify(history)), ...rpc()])
    expect(refuted.code).toBe(1)
    expect(refuted.stderr).toMatch(/^tidemark: REFUTED at step batches: /)
    expect((await tidemark(['verify', out, '--rpc', 'http://127.0.0.1:1'])).code).toBe(3)
    expect((await tidemark(['verify', out, '--cross-check', ...rpc()])).code).toBe(2)
    const cut = await file((await readFile(out, 'utf8')).slice(0, -9))
    expect((await tidemark(['verify', cut, ...rpc()])).code).toBe(2)
  })

  test('of nothing, and of one record, goes through a pipe', async () => {
    const nothing = await tidemark(['history', '--person', 'nobody', '--to', '2026-01-01', ...api()])
    const empty = await tidemark(['verify', '-', ...rpc()], { stdin: nothing.stdout })
    expect(empty.code, empty.stderr).toBe(0)
    expect(empty.stdout).toMatch(/no record under person nobody\n.*entries 0 to \d+\n.*2026-01-01T00:00/)
    const one = await tidemark(['history', '--record', 'cli-3', '--source', 'urn:cli', ...api()])
    const shown = await tidemark(['verify', '-', ...rpc()], { stdin: one.stdout })
    expect(shown.stdout).toMatch(/1 record under record urn:cli cli-3\n/)
  })

  test.each([
    ['no key', ['history']],
    ['two keys', [...ofConsumer, '--person', 'x']],
    ['a time that is none', [...ofConsumer, '--from', '2026-02-30']],
    ['a file that cannot be written', [...ofConsumer, '--out', '/nowhere/at/all']],
  ])('with %s is exit code 2', async (_, args) => {
    expect((await tidemark([...args, ...(args.length > 1 ? api() : [])])).code).toBe(2)
  })

  test('without a gateway is exit code 3', async () => {
    expect((await tidemark([...ofConsumer, '--api', 'http://127.0.0.1:1'])).code).toBe(3)
  })
})

describe('tidemark sample and send', () => {
  test('work as a pipe, and every record is final after --wait', async () => {
    const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
    const { stdout } = await promisify(execFile)('bash', [
      '-c',
      `set -o pipefail; "$0" "$1" sample --count 300 --seed pipe | "$0" "$1" send - --wait --json --api ${up.url}`,
      process.execPath,
      main,
    ])
    const { records, receipts } = JSON.parse(stdout)
    expect(records).toBe(300)
    expect(receipts.reduce((sum: number, { size }: { size: string }) => sum + Number(size), 0)).toBe(300)
    for (const { source, sequence } of receipts) {
      const answer = await fetch(`${up.url}/v1/submissions?${new URLSearchParams({ source, sequence })}`)
      expect(await answer.json()).toMatchObject({ state: 'final' })
    }
  })

  test('print the same sample for the same seed, and end quietly when the reader does', async () => {
    const [one, same, other] = await Promise.all(
      ['a', 'a', 'b'].map((seed) => tidemark(['sample', '--count', '50', '--seed', seed])),
    )
    expect(one?.stdout).toBe(same?.stdout)
    expect(one?.stdout).not.toBe(other?.stdout)
    expect(one?.stdout.trimEnd().split('\n')).toHaveLength(50)
    const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
    const head = await promisify(execFile)('bash', [
      '-c',
      'set -o pipefail; "$0" "$1" sample --count 100000 | head -n 2',
      process.execPath,
      main,
    ])
    expect(head.stdout.trimEnd().split('\n')).toHaveLength(2)
    expect(head.stderr).toBe('')
  })

  test('a file with a bad line sends nothing, and says line and field with exit code 2', async () => {
    const lines = Array.from({ length: 30 }, (_, i) => callOf('urn:badfile', `${i}`))
    const bad = callOf('urn:badfile', 'bad', { time: 'noon' })
    const path = await file(ndjson(...lines, bad))
    const plain = await tidemark(['send', path, '--size', '5', ...api()])
    expect(plain).toMatchObject({ code: 2, stdout: '' })
    expect(plain.stderr).toMatch(/line 31: \/time/)
    const json = await tidemark(['send', path, '--size', '5', '--json', ...api()])
    expect(json.code).toBe(2)
    expect(JSON.parse(json.stdout)).toMatchObject({
      verdict: 'failed',
      error: { code: 'BAD_RECORD', line: 31, pointer: '/time' },
    })
    expect(await nextSequence('urn:badfile')).toBe('0')
  })

  test('what only the gateway refuses is told with the line of the file', async () => {
    const path = await file(
      `\n${ndjson(callOf('urn:twice', 'a'), callOf('urn:twice', 'b'), callOf('urn:twice', 'a'))}`,
    )
    const ended = await tidemark(['send', path, ...api()])
    expect(ended.code).toBe(2)
    expect(ended.stderr).toMatch(/line 4: id a stands/)
    expect(await nextSequence('urn:twice')).toBe('0')
  })

  test.each<[string, string, RegExp]>([
    ['a line that is cut off', '{"a":', /line 1/],
    ['a file that is not there', '', /cannot read/],
  ])('%s is exit code 2', async (name, text, message) => {
    const path = name.includes('not there') ? '/nonexistent/file' : await file(text)
    const ended = await tidemark(['send', path, ...api()])
    expect(ended.code).toBe(2)
    expect(ended.stderr).toMatch(message)
  })

  test('no gateway is exit code 3 after some tries, and says how to start one', async () => {
    const path = await file(ndjson(callOf('urn:none', 'a')))
    const ended = await tidemark(['send', path, '--api', `http://127.0.0.1:${await freePort()}`])
    expect(ended.code).toBe(3)
    expect(ended.stderr).toContain('tidemark up')
  })

  test('reads a file that is larger than its memory: a bad last line is found', async () => {
    const good = JSON.stringify(callOf('urn:cli', 'many'))
    const path = await file(`${`${good}\n`.repeat(100_000)}{"bad"\n`)
    const sent = await tidemark(['send', path, ...api()], {
      env: { NODE_OPTIONS: '--max-old-space-size=48' },
    })
    expect(sent).toMatchObject({ code: 2, stdout: '' })
    expect(sent.stderr).toContain('line 100001')
  })

  test('a file that is no text, or whose line has no end, is exit code 2', async () => {
    const path = join(await temporaryFolder(), 'binary')
    await writeFile(path, Buffer.from([0x7b, 0xff, 0x0a]))
    expect(await tidemark(['send', path, ...api()])).toMatchObject({ code: 2, stdout: '' })
    await writeFile(path, 'x'.repeat(2_000_000))
    expect(await tidemark(['send', path, ...api()])).toMatchObject({ code: 2, stdout: '' })
  })

  test('nothing to send is no error', async () => {
    const ended = await tidemark(['send', '-', '--json', ...api()])
    expect(ended.code).toBe(0)
    expect(JSON.parse(ended.stdout)).toEqual({ records: 0, submissions: 0, receipts: [] })
  })
})

describe('tidemark prove', () => {
  test('prints a proof, or writes it where it is told', async () => {
    expect(JSON.parse(proofText)).toMatchObject({
      format: 'tidemark-proof/1',
      record: { id: 'cli-3' },
      disclosures: [],
    })
    const out = join(await temporaryFolder(), 'proof.json')
    const ended = await tidemark([
      'prove',
      'cli-3',
      '--source',
      'urn:cli',
      '--no-evidence',
      '--out',
      out,
      ...api(),
    ])
    expect(ended).toMatchObject({ code: 0, stdout: '' })
    expect(await readFile(out, 'utf8')).toBe(proofText)
    const open = await tidemark(['prove', 'cli-3', '--no-evidence', '--disclose', 'person', ...api()])
    expect(JSON.parse(open.stdout).disclosures).toHaveLength(1)
  })

  test('of nothing is exit code 2, of nobody there 3', async () => {
    expect(await tidemark(['prove', 'no-such-record', ...api()])).toMatchObject({ code: 2, stdout: '' })
    expect((await tidemark(['prove', 'x', '--api', `http://127.0.0.1:${await freePort()}`])).code).toBe(3)
    expect((await tidemark(['prove', ...api()])).code).toBe(2)
  })
})

describe('tidemark verify', () => {
  test('0: a good proof, from a file or from standard input, and cross-checked by another implementation', async () => {
    const path = await file(proofText)
    const ended = await tidemark(['verify', path, '--cross-check', '--ledger', up.ledger, ...rpc()])
    expect(ended.code, ended.stderr).toBe(0)
    expect(ended.stdout).toMatch(/^VERIFIED\n +record +cli-3 of urn:cli\n/)
    expect(ended.stdout).toContain('merkletreejs')
    const json = await tidemark(['verify', '-', '--json', ...rpc()], { stdin: proofText })
    expect(json.code).toBe(0)
    expect(JSON.parse(json.stdout)).toMatchObject({
      verdict: 'verified',
      record: { id: 'cli-3', source: 'urn:cli' },
      ledgerPinned: false,
      crossChecked: false,
    })
  })

  test('1: a changed proof, and the step that refused it', async () => {
    const path = await file(proofText.replace('traffic-office', 'traffic-0ffice'))
    const ended = await tidemark(['verify', path, ...rpc()])
    expect(ended).toMatchObject({ code: 1, stdout: '' })
    expect(ended.stderr).toMatch(/REFUTED at step batch: /)
    const json = await tidemark(['verify', path, '--json', ...rpc()])
    expect(json.code).toBe(1)
    expect(JSON.parse(json.stdout)).toMatchObject({
      verdict: 'refuted',
      error: { code: 'ROOT_MISMATCH', step: 'batch' },
    })
    const pinned = await tidemark([
      'verify',
      await file(proofText),
      '--ledger',
      `0x${'11'.repeat(20)}`,
      ...rpc(),
    ])
    expect(pinned.code).toBe(1)
  })

  test.each<[string, string]>([
    ['empty', ''],
    ['cut off', '{"format":"tidemark-proof/1","record":'],
    ['no proof', '{"hello":1}'],
    ['another format', '{"format":"tidemark-proof/9"}'],
    ['no object', 'null'],
  ])('2: a file that is %s', async (_, text) => {
    const ended = await tidemark(['verify', await file(text), '--json', ...rpc()])
    expect(ended.code).toBe(2)
    expect(JSON.parse(ended.stdout)).toMatchObject({ verdict: 'failed', error: { code: 'BAD_BUNDLE' } })
  })

  test('2: no file, no argument, a wrong option', async () => {
    const commands = [
      ['verify', '/nonexistent/proof', ...rpc()],
      ['verify'],
      ['verify', 'x', '--ledger', 'x'],
      ['verify', 'x', '--finality', 'soon'],
      ['nonsense'],
    ]
    const ended = await Promise.all(commands.map((args) => tidemark(args)))
    expect(ended.map(({ code }) => code)).toEqual([2, 2, 2, 2, 2])
  })

  test('3: a node that is dead or is no node: neither verified nor refuted', async () => {
    const path = await file(proofText)
    for (const url of [`http://127.0.0.1:${await freePort()}`, up.url]) {
      const ended = await tidemark(['verify', path, '--rpc', url, '--json'])
      expect(ended.code, url).toBe(3)
      expect(JSON.parse(ended.stdout)).toMatchObject({ verdict: 'failed' })
    }
  })

  test('3: a block that is not final enough yet', async () => {
    const ended = await tidemark(['verify', await file(proofText), '--finality', '100000', ...rpc()])
    expect(ended.code).toBe(3)
    expect(ended.stderr).toContain('not final yet')
  })
})

test('tidemark --help and --version are no errors', async () => {
  const commands = [['--help'], ['--version'], ['up', '--help'], ['verify', '--help']]
  const ended = await Promise.all(commands.map((args) => tidemark(args)))
  expect(ended.map(({ code }) => code)).toEqual([0, 0, 0, 0])
})
