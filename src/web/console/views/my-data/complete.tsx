import { showCount } from '../../../format.ts'
import { useLanguage, useWords } from '../../../language.ts'
import { Verdict } from '../../../verdict.tsx'
import { saveFile } from '../../bundle.ts'
import { Trust } from '../../trust.tsx'
import type { OwnHistory } from './own-history.ts'

const words = {
  title: { en: 'Is this everything?', zh: '这是全部记录吗？' },
  verified: {
    en: (count: string) =>
      `Yes: all is shown that the ledger holds about you in this period, ${count} in number. Your browser has checked that none is withheld and none was changed.`,
    zh: (count: string) =>
      `是。账本中这一时期与您有关的记录共 ${count} 条，已全部列出。您的浏览器已验证：没有隐瞒，也没有改动。`,
  },
  refuted: {
    en: 'No. What this server has sent does not hold: something was left out, added or changed. Do not rely on what is shown below, keep the file, and report it.',
    zh: '否。本服务器发来的内容未通过验证：有内容被隐去、添加或改动。请勿采信以下内容，保存该文件并举报。',
  },
  unchecked: {
    en: 'Your browser could not check it to the end. What is shown below is what this server says.',
    zh: '您的浏览器未能完成验证。以下内容仅为本服务器的说法。',
  },
  file: { en: 'Keep the proof of it as a file', zh: '将证明保存为文件' },
  details: { en: 'How it was checked', zh: '验证过程' },
  limit: {
    en: 'What nobody wrote into the ledger cannot be shown here.',
    zh: '从未写入账本的使用行为，无法在此显示。',
  },
} as const

/** Whether the records shown are all there are, as this browser has found. */
export function Complete({ of: { bundle, checked, records } }: { of: OwnHistory }) {
  const say = useWords(words)
  const language = useLanguage()
  const verdict = checked.verdict === 'unreadable' ? 'refuted' : checked.verdict
  const tone = { verified: 'good', refuted: 'bad', unchecked: 'warn' }[verdict]
  return (
    <section class="card complete" data-verdict={checked.verdict} aria-live="polite">
      <h2>{say.title}</h2>
      <p class={tone}>
        <strong>
          {verdict === 'verified' ? say.verified(showCount(records.length, language)) : say[verdict]}
        </strong>
      </p>
      <p class="soft">{say.limit}</p>
      <details open={verdict !== 'verified'}>
        <summary>{say.details}</summary>
        <Verdict of={checked} />
      </details>
      <Trust in={checked} />
      <button
        type="button"
        onClick={() => saveFile(bundle.text, 'my-data.tidemark.json', 'application/json')}
      >
        {say.file}
      </button>
    </section>
  )
}
