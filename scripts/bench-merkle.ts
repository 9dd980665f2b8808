/**
 * Measures our Merkle trees beside merkletreejs and @openzeppelin/merkle-tree.
 *
 *   npm run bench:merkle -- [--leaves 1000000] [--leaf-bytes 32] [--rounds 5] [--checks 20000]
 *
 * Every subject runs in a process of its own, one after the other, round after round (OpenZeppelin in the first alone);
 * printed are medians. The others' proofs refer to the tree's own nodes, ours are copies. All hash the
 * same leaves with SHA-256, leaf hashing included. The others hash natively (OpenSSL through node:crypto) in their
 * fastest setting: one message buffer used again and again, proofs asked for by index.
 */
import { execFile } from 'node:child_process'
import { hash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { SimpleMerkleTree } from '@openzeppelin/merkle-tree'
import { MerkleTree } from 'merkletreejs'
import { buildTree, hashLeaves, inclusionPath, treeRoot, verifyInclusion } from '../src/merkle/index.ts'

/** A tree that was built, and what can be asked of it. */
interface Built<Proof> {
  root: string
  prove(index: number): Proof
  /** Throws or answers false if the proof does not hold. */
  verify(index: number, proof: Proof): boolean
}

interface Subject<Leaves, Proof> {
  /** The leaf data in the form that the subject takes, `size` bytes each. */
  prepare(data: Uint8Array, size: number): Leaves
  build(leaves: Leaves): Built<Proof>
}

const apart = (data: Uint8Array, size: number): Buffer[] =>
  Array.from({ length: data.length / size }, (_, i) =>
    Buffer.from(data.buffer, data.byteOffset + size * i, size),
  )

/** SHA-256 of a prefix and what follows, without a new message each time. */
function nativeHash(prefix: number, size: number) {
  const message = Buffer.alloc(1 + size, prefix)
  return {
    one: (data: Uint8Array): Buffer => {
      message.set(data, 1)
      return hash('sha256', message, 'buffer')
    },
    joined: ([left, right]: Uint8Array[]): Buffer => {
      if (left) message.set(left, 1)
      if (right) message.set(right, 33)
      return message
    },
    pair: (left: string, right: string): string => {
      message.write(left.slice(2), 1, 'hex')
      message.write(right.slice(2), 33, 'hex')
      return `0x${hash('sha256', message, 'hex')}`
    },
  }
}

const node = nativeHash(1, 64)

function tidemark<Leaves>(
  prepare: Subject<Leaves, unknown>['prepare'],
  hashAll: (leaves: Leaves) => Uint8Array,
): Subject<Leaves, Uint8Array[]> {
  return {
    prepare,
    build(leaves) {
      const tree = buildTree(hashAll(leaves))
      const root = treeRoot(tree)
      const leafHash = (index: number): Uint8Array =>
        tree.levels[0]?.subarray(32 * index, 32 * index + 32) ?? root
      return {
        root: Buffer.from(root).toString('hex'),
        prove: (index) => inclusionPath(tree, index),
        verify(index, path) {
          verifyInclusion({ leafHash: leafHash(index), index, size: tree.size, path, root })
          return true
        },
      }
    },
  }
}

const merkletreejs: Subject<
  Buffer[],
  MerkleTree['getProof'] extends (...args: never[]) => infer P ? P : never
> = {
  prepare: apart,
  build(leaves) {
    const leaf = nativeHash(0, leaves[0]?.length ?? 0)
    const hashes = leaves.map(leaf.one)
    const concatenator = node.joined as (joined: Buffer[]) => Buffer
    const tree = new MerkleTree(hashes, (joined: Buffer) => hash('sha256', joined, 'buffer'), {
      concatenator,
    })
    const root = tree.getRoot()
    const leafAt = (index: number): Buffer => hashes[index] ?? root
    return {
      root: root.toString('hex'),
      prove: (index) => tree.getProof(leafAt(index), index),
      verify: (index, proof) => tree.verify(proof, leafAt(index), root),
    }
  },
}

const openzeppelin: Subject<Buffer[], string[]> = {
  prepare: apart,
  build(leaves) {
    const leaf = nativeHash(0, leaves[0]?.length ?? 0)
    const hashes = leaves.map((data) => `0x${leaf.one(data).toString('hex')}`)
    // Its proofs do not say which side is left: its nodes must be hashed in order of their values.
    const nodeHash = (a: unknown, b: unknown): string =>
      String(a) < String(b) ? node.pair(String(a), String(b)) : node.pair(String(b), String(a))
    const tree = SimpleMerkleTree.of(hashes, { nodeHash, sortLeaves: false })
    const root = tree.root
    return {
      root,
      prove: (index) => tree.getProof(index),
      verify: (index, proof) => SimpleMerkleTree.verify(root, hashes[index] ?? root, proof, nodeHash),
    }
  },
}

const SUBJECTS = {
  tidemark: tidemark(
    (data, size) => ({
      data,
      offsets: Uint32Array.from({ length: data.length / size + 1 }, (_, i) => size * i),
    }),
    ({ data, offsets }) => hashLeaves(data, offsets),
  ),
  'tidemark, leaves apart': tidemark(apart, hashLeaves),
  merkletreejs,
  'OpenZeppelin, SHA-256': openzeppelin,
}

/** Takes so long that the first round must do. */
const SLOW = 'OpenZeppelin, SHA-256'

interface Figures {
  root: string
  buildSeconds: number
  /** of all threads: what other work on the machine disturbs least */
  buildCpuSeconds: number
  proofsPerSecond: number
  verificationsPerSecond: number
  peakMegabytes: number
}

interface Settings {
  leaves: number
  leafBytes: number
  checks: number
}

/** Runs in the child: warms up on a small tree, then measures one build, and proofs out of it. */
function measure<Leaves, Proof>(
  subject: Subject<Leaves, Proof>,
  { leaves, leafBytes, checks }: Settings,
): Figures {
  const someData = (count: number): Uint8Array => {
    const words = new Uint32Array((count * leafBytes) / 4)
    for (let i = 0, x = 1; i < words.length; i++) words[i] = x = Math.imul(x, 1664525) + 1013904223
    return new Uint8Array(words.buffer)
  }
  const places = (count: number): number[] => Array.from({ length: checks }, (_, i) => (i * 7919) % count)
  const run = (built: Built<Proof>, count: number) => {
    const indices = places(count)
    const begun = performance.now()
    for (const index of indices) built.prove(index)
    const proved = performance.now()
    const proofs = indices.map((index) => ({ index, proof: built.prove(index) }))
    const ready = performance.now()
    const failed = proofs.filter(({ index, proof }) => !built.verify(index, proof)).length
    if (failed > 0) throw new Error(`${failed} proofs did not hold`)
    const perSecond = (ms: number): number => (checks * 1000) / ms
    return { proofs: perSecond(proved - begun), verifications: perSecond(performance.now() - ready) }
  }

  run(subject.build(subject.prepare(someData(20_000), leafBytes)), 20_000)
  const prepared = subject.prepare(someData(leaves), leafBytes)
  globalThis.gc?.()
  const before = process.memoryUsage().rss
  const begun = performance.now()
  const cpuBegun = process.cpuUsage()
  const built = subject.build(prepared)
  const buildSeconds = (performance.now() - begun) / 1000
  const { user, system } = process.cpuUsage(cpuBegun)
  const peakMegabytes = process.resourceUsage().maxRSS / 1024 - before / 2 ** 20
  const { proofs, verifications } = run(built, leaves)
  return {
    root: built.root,
    ...{
      buildSeconds,
      buildCpuSeconds: (user + system) / 1e6,
      proofsPerSecond: proofs,
      verificationsPerSecond: verifications,
      peakMegabytes,
    },
  }
}

const { values } = parseArgs({
  options: {
    leaves: { type: 'string', default: '1000000' },
    'leaf-bytes': { type: 'string', default: '32' },
    rounds: { type: 'string', default: '5' },
    checks: { type: 'string', default: '20000' },
    /** the subject to measure in this process */
    subject: { type: 'string' },
  },
})
const settings = {
  leaves: Number(values.leaves),
  leafBytes: Number(values['leaf-bytes']),
  checks: Number(values.checks),
}

if (values.subject === undefined) await compare(Number(values.rounds))
else {
  const subject = Object.entries(SUBJECTS).find(([name]) => name === values.subject)?.[1]
  if (subject === undefined) throw new Error(`no subject is called ${values.subject}`)
  console.log(JSON.stringify(measure(subject as Subject<unknown, unknown>, settings)))
}

async function compare(rounds: number): Promise<void> {
  const names = Object.keys(SUBJECTS)
  const results = new Map<string, Figures[]>(names.map((name) => [name, []]))
  for (let round = 1; round <= rounds; round++) {
    for (const name of names) {
      if (name === SLOW && round > 1) continue
      const figures = await inChild(name)
      results.get(name)?.push(figures)
      console.error(`round ${round} of ${rounds}: ${name} ${figures.buildSeconds.toFixed(3)} s`)
    }
  }
  const rows = names.map((name) => ({ name, ...medians(results.get(name) ?? []) }))
  const roots = new Set(rows.filter(({ name }) => !name.startsWith('OpenZeppelin')).map(({ root }) => root))
  if (roots.size !== 1) throw new Error('ours and merkletreejs disagree about the root')
  print(rows)
}

async function inChild(name: string): Promise<Figures> {
  const script = fileURLToPath(import.meta.url)
  const flags = ['--expose-gc', '--max-old-space-size=8192', script, '--subject', name]
  const passed = Object.entries(values).flatMap(([key, value]) =>
    key === 'subject' ? [] : [`--${key}`, String(value)],
  )
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, ...passed])
  return JSON.parse(stdout)
}

function medians(all: Figures[]): Figures {
  const median = (of: (figures: Figures) => number): number =>
    all.map(of).sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN
  return {
    root: all[0]?.root ?? '',
    buildSeconds: median((figures) => figures.buildSeconds),
    buildCpuSeconds: median((figures) => figures.buildCpuSeconds),
    proofsPerSecond: median((figures) => figures.proofsPerSecond),
    verificationsPerSecond: median((figures) => figures.verificationsPerSecond),
    peakMegabytes: median((figures) => figures.peakMegabytes),
  }
}

function print(rows: (Figures & { name: string })[]): void {
  const columns: [title: string, width: number, cell: (row: Figures) => string][] = [
    ['tree, s', 9, (row) => row.buildSeconds.toFixed(3)],
    ['CPU, s', 9, (row) => row.buildCpuSeconds.toFixed(3)],
    ['proofs/s', 12, (row) => Math.round(row.proofsPerSecond).toLocaleString('en')],
    ['checks/s', 12, (row) => Math.round(row.verificationsPerSecond).toLocaleString('en')],
    ['memory, MB', 12, (row) => row.peakMegabytes.toFixed(0)],
  ]
  const line = (name: string, cells: string[]): void =>
    console.log(name.padEnd(26) + cells.map((cell, i) => cell.padStart(columns[i]?.[1] ?? 0)).join(''))
  console.log(
    `${settings.leaves} leaves of ${settings.leafBytes} bytes; memory is the peak above the leaves themselves\n`,
  )
  line(
    '',
    columns.map(([title]) => title),
  )
  for (const row of rows)
    line(
      row.name,
      columns.map(([, , cell]) => cell(row)),
    )
  console.log('\nhow many times better is tidemark')
  const ours = rows[0]
  for (const row of ours ? rows.slice(1) : []) {
    if (ours === undefined) break
    const ratios = [
      row.buildSeconds / ours.buildSeconds,
      row.buildCpuSeconds / ours.buildCpuSeconds,
      ours.proofsPerSecond / row.proofsPerSecond,
      ours.verificationsPerSecond / row.verificationsPerSecond,
      row.peakMegabytes / ours.peakMegabytes,
    ]
    line(
      row.name,
      ratios.map((ratio) => ratio.toFixed(1)),
    )
  }
}
