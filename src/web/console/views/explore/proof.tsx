import { useState } from 'preact/hooks'
import { isRecordType, RECORD_TYPES } from '../../../../record/index.ts'
import { useLanguage, useWords } from '../../../language.ts'
import { Verdict } from '../../../verdict.tsx'
import type { Checked } from '../../../verifier/checked.ts'
import type { FoundRecord, LedgerNames } from '../../answers.ts'
import { type Bundle, checkHere, fetchBundle, fileName, saveFile } from '../../bundle.ts'
import { Fault } from '../../fault.tsx'
import { MEMBER_WORDS } from '../../record-words.ts'
import { useSession } from '../../session.tsx'
import { Trust } from '../../trust.tsx'

const words = {
  title: { en: 'Its proof', zh: '证明' },
  what: {
    en: 'The proof shows anyone that this record is in the ledger, unchanged, without trusting this server.',
    zh: '该证明可向任何人表明：此记录在账本中且未被改动，无须信任本服务器。',
  },
  wait: { en: 'It can be had once the block is final.', zh: '区块最终确认后即可获取。' },
  disclose: { en: 'Disclose in it', zh: '在证明中披露' },
  evidence: {
    en: 'With evidence, so that it can be checked without a node of the chain',
    zh: '附带离线证据，无须链上节点即可验证',
  },
  download: { en: 'Download the proof', zh: '下载证明' },
  verify: { en: 'Verify here', zh: '在此验证' },
  working: { en: 'Working…', zh: '处理中……' },
  bare: {
    en: 'This server has no evidence for it yet: the proof is checked with a node of the chain.',
    zh: '本服务器暂无其离线证据：该证明须借助链上节点验证。',
  },
  saved: { en: 'The proof is in your downloads.', zh: '证明已下载。' },
} as const

type Done =
  | { state: 'idle' | 'working' }
  | { state: 'failed'; fault: unknown }
  | { state: 'saved'; bundle: Bundle }
  | { state: 'checked'; bundle: Bundle; checked: Checked }

/** The proof of a record: to keep, or to check in this browser at once. */
export function Proof({ of: { record, final }, ledger }: { of: FoundRecord; ledger: LedgerNames }) {
  const say = useWords(words)
  const language = useLanguage()
  const { token, reader } = useSession()
  const [disclosed, setDisclosed] = useState<readonly string[]>([])
  const [evidence, setEvidence] = useState(true)
  const [done, setDone] = useState<Done>({ state: 'idle' })
  const members = disclosableBy(reader.role, record)

  const fetchIt = () => {
    const query = new URLSearchParams({ source: record.source, id: record.id })
    if (disclosed.length > 0) query.set('disclose', disclosed.join(','))
    return fetchBundle(`/v1/proofs?${query}`, { token, evidence })
  }
  const run = (work: (bundle: Bundle) => Promise<Done> | Done) => async () => {
    setDone({ state: 'working' })
    try {
      setDone(await work(await fetchIt()))
    } catch (fault) {
      setDone({ state: 'failed', fault })
    }
  }
  const download = run((bundle) => {
    saveFile(bundle.text, `${fileName(record.id)}.tidemark.json`, 'application/json')
    return { state: 'saved', bundle }
  })
  const verify = run(async (bundle) => ({
    state: 'checked',
    bundle,
    checked: await checkHere(bundle.text, ledger),
  }))

  return (
    <section class="card">
      <h2>{say.title}</h2>
      <p>{final ? say.what : say.wait}</p>
      {members.length > 0 && (
        <fieldset>
          <legend>{say.disclose}</legend>
          {members.map((name) => (
            <Choice
              key={name}
              label={MEMBER_WORDS[name]?.[language] ?? name}
              checked={disclosed.includes(name)}
              onChange={(isOn) =>
                setDisclosed(isOn ? [...disclosed, name] : disclosed.filter((one) => one !== name))
              }
            />
          ))}
        </fieldset>
      )}
      <Choice label={say.evidence} checked={evidence} onChange={setEvidence} />
      <p class="actions">
        <button type="button" disabled={!final || done.state === 'working'} onClick={download}>
          {say.download}
        </button>
        <button class="primary" type="button" disabled={!final || done.state === 'working'} onClick={verify}>
          {say.verify}
        </button>
      </p>
      <div aria-live="polite">
        {done.state === 'working' && <p class="soft">{say.working}</p>}
        {done.state === 'saved' && <p>{say.saved}</p>}
        {done.state === 'failed' && <Fault of={done.fault} />}
        {'bundle' in done && evidence && !done.bundle.withEvidence && <p class="warn">{say.bare}</p>}
        {done.state === 'checked' && (
          <>
            <Verdict of={done.checked} />
            <Trust in={done.checked} />
          </>
        )}
      </div>
    </section>
  )
}

function Choice({
  label,
  checked,
  onChange,
}: {
  label: string
  checked: boolean
  onChange: (isOn: boolean) => void
}) {
  return (
    <label class="choice">
      <input
        type="checkbox"
        checked={checked}
        onChange={({ currentTarget }) => onChange(currentTarget.checked)}
      />{' '}
      {label}
    </label>
  )
}

/** Members that the type seals, that may be there, and that a reader may be shown. */
function disclosableBy(role: string, { type, data }: FoundRecord['record']): string[] {
  if (!isRecordType(type)) return []
  const { _sd: digests = [], _sd_pseudonyms: pseudonyms = [] } = data
  const { pseudonyms: known, privates } = RECORD_TYPES[type]
  const mayPerson = role === 'auditor' || role === 'subject'
  return [
    ...(mayPerson && pseudonyms.length > 0 ? Object.keys(known) : []),
    ...(role === 'auditor' && digests.length > pseudonyms.length ? Object.keys(privates) : []),
  ]
}
