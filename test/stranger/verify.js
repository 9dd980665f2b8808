// Verifies a tidemark-proof/1 bundle. Written from docs/format.md alone, by someone who had not seen the
// reference: it shares no code with it and needs only Node. Numbers in comments are sections of that page.
//
//   node verify.js FILE --rpc URL [--ledger 0x...] [--confirmations N]
//
// Exit codes: 0 verified, 1 refuted, 2 not a bundle, 3 could not check.
import { createHash } from 'node:crypto'
import { readFileSync, realpathSync } from 'node:fs'

/** Why a proof is not verified; `exit` is the outcome (13). */
export class Failure extends Error {
  constructor(code, message) {
    super(message)
    this.code = code
    this.exit = /^(BAD_BUNDLE|USAGE)$/.test(code) ? 2 : /^(RPC_|NOT_FINAL$|CHAIN_FAILED$)/.test(code) ? 3 : 1
  }
}
const fail = (code, message) => {
  throw new Failure(code, message)
}
export const need = (condition, code, message) => condition || fail(code, message)

// 1 Terms
export const sha256 = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest()
export const toHex = (bytes) => `0x${bytes.toString('hex')}`
export const fromHex = (hex) => Buffer.from(hex.slice(2), 'hex')
const parse = (bytes, decoder) =>
  JSON.parse(new TextDecoder('utf-8', { fatal: true, ...decoder }).decode(bytes))
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)
const fromBase64url = (text) => {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'base64url') : undefined
  return bytes?.toString('base64url') === text ? bytes : undefined
}

// 2 Trees
export const leaf = (data) => sha256(Buffer.of(0), data)
export const node = (left, right) => sha256(Buffer.of(1), left, right)
export const rootFromPeaks = (peaks) =>
  peaks.length === 0 ? sha256() : peaks.reduceRight((right, peak) => node(peak, right))
export function rootFromInclusion(leafHash, index, size, path) {
  need(index >= 0n && index < size, 'INDEX_OUT_OF_RANGE', `index ${index} in a tree of ${size}`)
  let [n, last, root] = [index, size - 1n, leafHash]
  for (const sibling of path) {
    need(last !== 0n, 'MALFORMED_PATH', 'the path is longer than the tree is high')
    if (n % 2n === 1n || n === last) {
      root = node(sibling, root)
      for (; n % 2n === 0n && n !== 0n; n >>= 1n) last >>= 1n
    } else root = node(root, sibling)
    n >>= 1n
    last >>= 1n
  }
  need(last === 0n, 'MALFORMED_PATH', 'the path is shorter than the tree is high')
  return root
}
export function checkInclusion(leafHash, index, size, path, root) {
  const computed = rootFromInclusion(leafHash, BigInt(index), BigInt(size), path.map(fromHex))
  need(computed.equals(root), 'ROOT_MISMATCH', 'the path leads to another root')
}

// 3 Canonical bytes
export function canonical(value, depth = 0) {
  const refuse = (why) => fail('MALFORMED_RECORD', `no canonical bytes: ${why}`)
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : refuse('a number')
  if (typeof value === 'string') return value.isWellFormed() ? JSON.stringify(value) : refuse('a text')
  if (depth === 64) return refuse('nested too deep')
  if (Array.isArray(value)) return `[${value.map((v) => canonical(v, depth + 1)).join(',')}]`
  const names = Object.keys(value).sort()
  return `{${names.map((n) => `${canonical(n)}:${canonical(value[n], depth + 1)}`).join(',')}}`
}
export const recordLeaf = (record) => leaf(Buffer.from(canonical(record)))

// 4.2 Kinds of value
const matches = (pattern) => (v) => typeof v === 'string' && pattern.test(v)
const text = (n) => (v) => typeof v === 'string' && v !== '' && v.isWellFormed() && [...v].length <= Number(n)
const listOf = (kind) => (v) => Array.isArray(v) && v.every(kind)
const within = (min, max, kind) => (v) => kind(v) && v.length >= min && v.length <= max
const count = (v) => Number.isSafeInteger(v) && v >= 0
const decimal = within(1, 78, matches(/^(0|[1-9][0-9]*)$/))
const isTime = matches(/^(19[7-9]|[2-9]\d\d)\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
const KINDS = {
  any: () => () => true,
  text,
  texts: () => listOf((v) => typeof v === 'string'),
  name: () => text(256),
  names: () => within(1, 256, listOf(text(256))),
  word: () => within(1, 64, matches(/^[a-z0-9]+(?:[._-][a-z0-9]+)*$/)),
  source: () => matches(/^[\x21-\x7e]{1,256}$/),
  trace: () => matches(/^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/),
  time: () => (v) => isTime(v) && Date.parse(v) >= 0 && new Date(Date.parse(v)).toISOString() === v,
  count: () => count,
  uint32: () => (v) => count(v) && v < 2 ** 32,
  uint64: () => (v) => decimal(v) && BigInt(v) < 2n ** 64n,
  decimal: () => decimal,
  hex: (n) => matches(new RegExp(`^0x[0-9a-f]{${2 * Number(n)}}$`)),
  path: () => listOf(KINDS.hex('32')),
  bytes: (n) => matches(new RegExp(`^0x(?:[0-9a-f]{2}){1,${n}}$`)),
  digest: () => (v) => fromBase64url(v)?.length === 32,
  digests: (n) =>
    within(1, Number(n), (v) => listOf(KINDS.digest())(v) && v.every((d, i) => i === 0 || v[i - 1] < d)),
  object: () => isObject,
  grant: () => (v) => hasShape(v, GRANT) && v.notBefore <= v.notAfter,
}
/** The members of an object, from rows `name,name=kind`; `?` marks optional members. */
function shape(rows) {
  const members = rows.match(/\S+/g)?.flatMap((row) => {
    const [, names, spec, head, argument] = /^(.+)=((\w+)(?:\((\w+)\))?.*)$/.exec(row)
    const known = Object.hasOwn(KINDS, head) && !spec.includes('|')
    const kind = known ? KINDS[head](argument) : (v) => spec.split('|').includes(v)
    return names.split(',').map((name) => [name.replace('?', ''), { kind, optional: name.endsWith('?') }])
  })
  return new Map(members)
}
const hasShape = (value, members) =>
  isObject(value) &&
  Object.keys(value).every((name) => members.has(name)) &&
  [...members].every(([name, { kind, optional }]) =>
    Object.hasOwn(value, name) ? kind(value[name]) : optional,
  )

// 4.1, 4.3, 8, 12: the members of each object. Of a type: `!` where a subject is required, then its open members,
// its pseudonyms (P) and its private ones (S).
const GRANT = shape(`
  subject=hex(20) consumer,resource,purpose=hex(32) notBefore,notAfter=count maxCalls=uint32 nonce=decimal`)
const HEADER = shape(`
  publisher=hex(20) sequence=uint64 recordsRoot=hex(32) recordCount=uint32 indexRoot=hex(32) indexSize=uint32
  firstTime,lastTime=uint64`)
const INCLUSION = shape('index=uint32 path=path')
const LOG = shape('index,size=uint64 path=path')
const ANCHOR = shape(`
  chainId,blockNumber=uint64 ledger=hex(20) blockHash,transactionHash=hex(32) logIndex=uint32`)
const PROOF = shape('format,record,batch=any disclosures=texts inclusion,log,anchor=object')
const ENVELOPE = `
  specversion=1.0 id=text(128) source=source type=any time=time datacontenttype?=application/json
  traceparent?=trace data=object`
const CALL = 'side=consumer|provider consumer,provider,operation=name requestId=text(128)'
const TYPES = new Map(
  `call! ${CALL} outcome=success|refused|failed purpose?,legalBasis?=name level?=word authorization?=hex(32) sharing?=unconditional|conditional|prohibited status?=text(64) rows?,requestBytes?,responseBytes?,durationMs?=count requestDigest?,responseDigest?=hex(32) P person=digest S agent=name note=text(4096)
authorization authorization=hex(32) grant=grant signature=bytes(4096) P person=digest S note=text(4096)
revocation authorization=hex(32) effectiveAt=time reason?=word P person=digest S note=text(4096)
refusal! ${CALL} reason=word legalBasis?=name authorization?=hex(32) P person=digest S agent=name note=text(4096)
transfer! inputs,outputs=names mode=raw|view|compute-only rows?=count consumer?,provider?=name requestId?=text(128) S agent=name note=text(4096)
destruction! copy=name method,trigger=word rows?=count S executor,witness,approver=name note=text(4096)
incident severity=high|medium|low detectedAt,deadline=time reportedAt?=time rule?=word affected?=count state=open|reported|closed S agent=name note=text(4096)
breaker target=name action=trip|reset reason=word S agent=name note=text(4096)
index-run chainId,firstIndex=decimal ledger=hex(20) count,indexSize,entries=uint32 indexRoot=hex(32)
checkpoint chainId=decimal ledger=hex(20) size=decimal root=hex(32)
heartbeat from,to=time`
    .split('\n')
    .map((row) => {
      const [, type, required, open, p, s] = /^([\w-]+)(!?) (.*?)(?: P (.*?))?(?: S (.*))?$/.exec(row)
      const [P, S] = [shape(p ?? ''), shape(s ?? '')]
      const listed = P.size > 0 ? `_sd_pseudonyms?=digests(${P.size})` : ''
      const data = shape(`${open} _sd?=digests(64) _sd_alg?=sha-256 ${listed}`)
      return [
        `tidemark.${type}.v1`,
        { envelope: shape(`${ENVELOPE} subject${required ? '' : '?'}=name`), data, P, S },
      ]
    }),
)

export function checkRecord(record) {
  const type = isObject(record) ? TYPES.get(record.type) : undefined
  need(type && hasShape(record, type.envelope), 'MALFORMED_RECORD', 'the envelope is not as it must be')
  const { _sd, _sd_alg, _sd_pseudonyms = [], from, to } = record.data
  const isSealed =
    hasShape(record.data, type.data) &&
    (_sd === undefined) === (_sd_alg === undefined) &&
    _sd_pseudonyms.every((digest) => _sd?.includes(digest)) &&
    (record.type !== 'tidemark.heartbeat.v1' || from <= to)
  need(isSealed, 'MALFORMED_RECORD', 'the data of the record is not as it must be')
}

// 5 Sealed fields
export const disclosureDigest = (disclosure) => sha256(Buffer.from(disclosure)).toString('base64url')
export function openRecord(record, disclosures) {
  const ok = (condition, why) => need(condition, 'BAD_DISCLOSURE', `a disclosure ${why}`)
  const { P, S } = TYPES.get(record.type)
  const { _sd = [], _sd_alg, _sd_pseudonyms = [], ...data } = record.data
  const given = new Set()
  for (const disclosure of disclosures) {
    const digest = disclosureDigest(disclosure)
    ok(_sd.includes(digest) && !given.has(digest), 'is of another record, or given twice')
    given.add(digest)
    let parts
    try {
      parts = parse(fromBase64url(disclosure), { ignoreBOM: true })
    } catch {}
    ok(Array.isArray(parts) && parts.length === 3, 'is no list of three')
    const [salt, name, value] = parts
    ok(fromBase64url(salt)?.length >= 16, 'has no salt of 16 bytes')
    ok((P.get(name) ?? S.get(name))?.kind(value), 'is of no sealable member, or of another kind')
    ok(!Object.hasOwn(data, name), 'is of a member that another one discloses')
    ok(_sd_pseudonyms.includes(digest) === P.has(name), 'stands in the wrong list')
    data[name] = value
  }
  return { ...record, data }
}

// 8 Header
export const pad = (number) => Buffer.from(BigInt(number).toString(16).padStart(64, '0'), 'hex')
export function encodeHeader(header) {
  need(hasShape(header, HEADER), 'MALFORMED_HEADER', 'the header is not as it must be')
  return Buffer.concat([...HEADER.keys()].map((member) => pad(header[member])))
}

// 9 Ledger
export const APPENDED = '0x790fe0c9cd9df3e37863bbd33374f5e3888738de689f9ee4cffb24c4d5e98a74'
/** What a log with the topic 0 of `Appended` tells (9.2); undefined for any other log. */
export function decodeEvent({ topics, data }) {
  if (topics[0] !== APPENDED) return undefined
  const bytes = fromHex(data)
  const isZero = (width, i) => bytes.subarray(32 * i, 32 * i + 32 - width).every((byte) => byte === 0)
  const isEvent = topics.length === 3 && bytes.length === 288 && [20, 8, 32, 4, 32, 4, 8, 8].every(isZero)
  const agrees = isEvent && topics[2] === toHex(bytes.subarray(0, 32))
  need(agrees, 'MALFORMED_HEADER', 'an event of the ledger contradicts itself')
  return { index: BigInt(topics[1]), header: bytes.subarray(0, 256), node: bytes.subarray(256) }
}
/** The indices of the events that the root at size n follows from (9.3). */
export function peakIndices(n) {
  const indices = []
  let end = 0n
  for (let bit = 2n ** 63n; bit > 0n; bit >>= 1n) {
    if ((n & bit) === 0n) continue
    end += bit
    indices.push(end - 1n)
  }
  return indices
}

// What a node answers, each thing in its spelling
const cannotBe = (what) => fail('RPC_MALFORMED', `the node answers ${what} that cannot be`)
const quantity = (v) => (matches(/^0x[0-9a-f]{1,64}$/i)(v) ? BigInt(v) : cannotBe('a number'))
const data = (v) => (matches(/^0x([0-9a-f]{2})*$/i)(v) ? v.toLowerCase() : cannotBe('bytes'))
const hash = (v) => (data(v).length === 66 ? data(v) : cannotBe('a hash'))
const address = (v) => (data(v).length === 42 ? data(v) : cannotBe('an address'))
const logIndex = (v) => (quantity(v) < 2n ** 32n ? quantity(v) : cannotBe('an index'))
const list = (v, read) => (Array.isArray(v) ? v.map(read) : cannotBe('a list'))
const object = (v) => (isObject(v) ? v : cannotBe('an object'))
const readLog = (v) => ({
  address: address(object(v).address),
  topics: list(v.topics, hash),
  data: data(v.data),
  logIndex: logIndex(v.logIndex),
})
async function getBlock(rpc, by, which) {
  const named = typeof which === 'bigint' ? `0x${which.toString(16)}` : which
  const v = await rpc(`eth_getBlockBy${by}`, [named, false])
  if (v === null) return undefined
  const block = { number: quantity(object(v).number), hash: hash(v.hash), timestamp: quantity(v.timestamp) }
  const isIt = by === 'Hash' ? block.hash === which : typeof which === 'string' || block.number === which
  return isIt ? { ...block, transactions: list(v.transactions, hash) } : cannotBe('a block')
}
/** Logs from one block to another, in as many ranges as the node wants. */
async function getLogs(rpc, filter, from, to) {
  try {
    const range = { fromBlock: `0x${from.toString(16)}`, toBlock: `0x${to.toString(16)}` }
    return list(await rpc('eth_getLogs', [{ ...filter, ...range }]), readLog)
  } catch (error) {
    if (error.code !== 'RPC_REFUSED' || from >= to) throw error
  }
  const middle = (from + to) / 2n
  return [...(await getLogs(rpc, filter, from, middle)), ...(await getLogs(rpc, filter, middle + 1n, to))]
}
/** The ledger's root at size n (9.4). */
export async function rootAt(rpc, ledger, n) {
  const block = (await getBlock(rpc, 'Number', 'latest')) ?? cannotBe('no latest block')
  const call = async (selector) => {
    const answer = await rpc('eth_call', [{ to: ledger, data: selector }, { blockHash: block.hash }])
    need(answer !== '0x', 'CHAIN_FAILED', `there is no contract at ${ledger}`)
    return hash(answer)
  }
  const size = BigInt(await call('0x949d225d'))
  if (size >= 2n ** 64n) cannotBe('a size')
  need(size >= n, 'RPC_LAGS', `the node knows ${size} headers, the proof tells of ${n}`)
  if (size === n) return fromHex(await call('0xebf0c717'))
  const wanted = peakIndices(n).map((index) => toHex(pad(index)))
  const filter = { address: ledger, topics: [APPENDED, wanted] }
  const logs = await getLogs(rpc, filter, BigInt(await call('0x82100e3f')), block.number)
  const asked = logs.every((log) => log.address === ledger && wanted.includes(log.topics[1]))
  const peaks = wanted.map((index) => logs.filter(({ topics }) => topics[1] === index))
  if (!asked || peaks.some((found) => found.length !== 1)) cannotBe('events')
  try {
    return rootFromPeaks(peaks.map(([log]) => decodeEvent(log).node))
  } catch {
    return cannotBe('events')
  }
}

// 12 Proof
export function readProof(input) {
  let proof
  try {
    proof = parse(input)
  } catch {}
  const isBundle = isObject(proof) && proof.format === 'tidemark-proof/1'
  need(isBundle, 'BAD_BUNDLE', 'the input is no JSON object of the format tidemark-proof/1')
  const parts = { inclusion: INCLUSION, log: LOG, anchor: ANCHOR }
  const has =
    hasShape(proof, PROOF) && Object.entries(parts).every(([name, members]) => hasShape(proof[name], members))
  need(has, 'MALFORMED_BUNDLE', 'a member of the proof is not as it must be')
  checkRecord(proof.record)
  return { ...proof, header: encodeHeader(proof.batch) }
}

// 13 Verification, step 4.3
async function finalBlock(rpc, confirmations) {
  const tagged = confirmations === undefined ? await getBlock(rpc, 'Number', 'finalized') : undefined
  if (tagged) return tagged.number
  need(confirmations, 'NOT_FINAL', 'the chain has no final block yet')
  const final = quantity(await rpc('eth_blockNumber', [])) - BigInt(confirmations) + 1n
  return final < 0n ? 0n : final
}
async function whyNoReceipt(rpc, anchor, number, final) {
  const named = await getBlock(rpc, 'Hash', anchor.blockHash)
  need(!named || named.number === number, 'NOT_CANONICAL', 'the block has another number')
  const holds = !named || named.transactions.includes(anchor.transactionHash)
  need(holds, 'NOT_ANCHORED', 'the transaction is not in the block')
  const head = quantity(await rpc('eth_blockNumber', []))
  need(head >= number, 'RPC_LAGS', `the node is at block ${head}, the anchor at ${number}`)
  const there = await getBlock(rpc, 'Number', number)
  const isOther = there && there.hash !== anchor.blockHash
  need(isOther, 'RPC_REFUSED', 'the node no longer has the block or its receipts')
  need(number <= final, 'NOT_FINAL', 'another block is in its place, but not final')
  return fail('NOT_CANONICAL', 'another block is in its place')
}
async function anchored(rpc, anchor, final) {
  const number = BigInt(anchor.blockNumber)
  const receipt = await rpc('eth_getTransactionReceipt', [anchor.transactionHash])
  if (receipt === null || object(receipt).blockHash === null) return whyNoReceipt(rpc, anchor, number, final)
  const [at, status] = [quantity(receipt.blockNumber), quantity(receipt.status)]
  const [blockHash, logs] = [hash(receipt.blockHash), list(receipt.logs, readLog)]
  if (hash(receipt.transactionHash) !== anchor.transactionHash || status > 1n) cannotBe('a receipt')
  need(at <= final, 'NOT_FINAL', `the transaction is in block ${at}, the last final one is ${final}`)
  const same = at === number && blockHash === anchor.blockHash
  need(same, 'NOT_CANONICAL', 'the transaction is in another block')
  const block = await getBlock(rpc, 'Number', number)
  need(block?.hash === anchor.blockHash, 'RPC_MALFORMED', 'the node contradicts itself about the block')
  need(status === 1n, 'NOT_ANCHORED', 'the transaction was reverted')
  return { logs, block }
}

/** Verifies the bytes of a proof; `rpc(method, params)` asks the node. Throws a Failure. */
export async function verify(input, rpc, { ledger, confirmations } = {}) {
  let step = 'read'
  try {
    const { record, disclosures, inclusion, batch, header, log, anchor } = readProof(input)
    step = 'record'
    const opened = openRecord(record, disclosures)
    step = 'batch'
    const recordsRoot = fromHex(batch.recordsRoot)
    checkInclusion(recordLeaf(record), inclusion.index, batch.recordCount, inclusion.path, recordsRoot)
    const ms = BigInt(Date.parse(record.time))
    const inTime = BigInt(batch.firstTime) <= ms && ms <= BigInt(batch.lastTime)
    need(inTime, 'BATCH_MISMATCH', 'the record is not of the times of the batch')
    step = 'anchor'
    const trusted = ledger === undefined || ledger === anchor.ledger
    need(trusted, 'WRONG_LEDGER', `the proof is of the ledger ${anchor.ledger}`)
    const chainId = quantity(await rpc('eth_chainId', []))
    need(chainId === BigInt(anchor.chainId), 'WRONG_CHAIN', `the node is of the chain ${chainId}`)
    const { logs, block } = await anchored(rpc, anchor, await finalBlock(rpc, confirmations))
    const own = logs.filter(({ address }) => address === anchor.ledger)
    const found = own.find(({ logIndex }) => logIndex === BigInt(anchor.logIndex))
    need(found, 'NOT_ANCHORED', 'the transaction has no such event of the ledger')
    const event = decodeEvent(found)
    const tells = event?.header.equals(header) && event.index === BigInt(log.index)
    need(tells, 'HEADER_MISMATCH', 'the event tells of another header')
    step = 'log'
    const size = own.reduce((most, each) => {
      const index = decodeEvent(each)?.index ?? -1n
      return index < most ? most : index + 1n
    }, 0n)
    need(size === BigInt(log.size), 'HEADER_MISMATCH', `the log had ${size} headers after the transaction`)
    checkInclusion(leaf(header), log.index, size, log.path, await rootAt(rpc, anchor.ledger, size))
    const closed = (record.data._sd ?? []).length - disclosures.length
    return {
      record: opened,
      closed,
      logIndex: event.index,
      blockTime: block.timestamp,
      ledger: anchor.ledger,
    }
  } catch (error) {
    throw Object.assign(error, { step })
  }
}

export function httpNode(url) {
  return async (method, params) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(15_000) })
      .then((response) => response.json())
      .catch((error) =>
        fail('RPC_UNREACHABLE', `no answer of the node: ${error.cause?.code ?? error.message}`),
      )
    if (isObject(answer?.error)) fail('RPC_REFUSED', `the node refuses ${method}: ${answer.error.message}`)
    return answer?.result === undefined ? cannotBe('something') : answer.result
  }
}

const CONFIRMATIONS = matches(/^[1-9]\d{0,14}$/)
async function main([file, ...rest]) {
  const options = new Map(rest.flatMap((flag, i) => (i % 2 === 0 ? [[flag, rest[i + 1]]] : [])))
  const [url, ledger, confirmations] = ['--rpc', '--ledger', '--confirmations'].map((flag) =>
    options.get(flag),
  )
  const understood =
    URL.canParse(url) &&
    options.size === 1 + Number(ledger !== undefined) + Number(confirmations !== undefined) &&
    (ledger === undefined || matches(/^0x[0-9a-f]{40}$/i)(ledger)) &&
    (confirmations === undefined || CONFIRMATIONS(confirmations))
  need(understood, 'USAGE', 'verify.js FILE --rpc URL [--ledger 0x...] [--confirmations N]')
  let input
  try {
    input = readFileSync(file)
  } catch (error) {
    fail('USAGE', error.message)
  }
  const rule = { ledger: ledger?.toLowerCase(), confirmations: confirmations && Number(confirmations) }
  return verify(input, httpNode(url), rule)
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === import.meta.filename) {
  try {
    const { record, closed, logIndex, blockTime, ledger } = await main(process.argv.slice(2))
    const what = `record ${JSON.stringify(record.id)} of ${record.source}, ${closed} members closed`
    const when = new Date(Number(blockTime) * 1000).toISOString()
    console.log(`verified: ${what}, in batch ${logIndex} of the ledger ${ledger} no later than ${when}`)
  } catch (error) {
    process.exitCode = error.exit ?? 3
    const outcome = { 1: 'refuted', 2: 'not a bundle', 3: 'could not check' }[process.exitCode]
    console.log(`${outcome}: ${error.code ?? 'FAULT'}: ${error.message.replaceAll(/\s+/g, ' ')}`)
  }
}
