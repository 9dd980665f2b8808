import { showCount } from '../format.ts'
import { useLanguage, useWords } from '../language.ts'
import type { Checked } from '../verifier/checked.ts'

const words = {
  here: {
    en: 'Checked in this browser. That these are blocks of the chain is this server’s word: compare their hashes with a source of your own, or check the file with a node of your own on the',
    zh: '验证在您的浏览器中完成。以下区块是否确属该链，仅凭本服务器的说法。请自行核对区块哈希，或使用您自己的节点，在以下页面验证文件：',
  },
  without: {
    en: 'The console asks this server alone, so it cannot ask the chain. Download the file and check it with a node of your own on the',
    zh: '控制台只与本服务器通信，无法查询链。请下载文件，并使用您自己的节点，在以下页面验证：',
  },
  block: { en: 'Block', zh: '区块' },
  page: { en: 'verifier page', zh: '验证页面' },
  stop: { en: '.', zh: '。' },
} as const

/** Says whose word a check in the console rests on, and how to do without it. */
export function Trust({ in: { verdict, trusted } }: { in: Checked }) {
  const say = useWords(words)
  const language = useLanguage()
  if (verdict !== 'verified' && verdict !== 'unchecked') return null
  return (
    <>
      <p class="soft">
        {verdict === 'verified' ? say.here : say.without} <a href="/verify">{say.page}</a>
        {say.stop}
      </p>
      <ul class="soft">
        {trusted.blocks.map(({ number, hash }) => (
          <li key={hash}>
            {say.block} {showCount(number, language)}: <code translate={false}>{hash}</code>
          </li>
        ))}
      </ul>
    </>
  )
}
