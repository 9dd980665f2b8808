import { useLanguage, useWords } from '../../../language.ts'

const words = {
  title: { en: 'What is wrong now', zh: '当前问题' },
  /** of a part that the page does not know */
  other: { en: 'The system reports', zh: '系统报告' },
}

/** What the server's sentences begin with, in Chinese; what follows is the world's own word. */
const PARTS: readonly (readonly [start: string, zh: string])[] = [
  ['following the chain', '跟随区块链时出错'],
  ['checking batches', '核验批次时出错'],
  ['merging runs', '合并索引时出错'],
  ['following what the registry', '跟随登记合约时出错'],
  ['sealing', '封存批次时出错'],
  ['anchoring', '上链时出错'],
  ['write-ahead log', '预写日志出错'],
  ['the chain has stalled', '区块链停滞，批次未能上链'],
]
const BAD_BATCHES = /^(\d+) batches are fraud, (\d+) are withheld$/

/** The sentences of /healthz, for people. */
export function Problems({ problems }: { problems: readonly string[] }) {
  const say = useWords(words)
  const language = useLanguage()
  if (problems.length === 0) return null
  return (
    <section class="card problems">
      <h2 class="bad">{say.title}</h2>
      <ul>
        {problems.map((problem) => (
          <li key={problem}>{language === 'en' ? problem : <InChinese problem={problem} />}</li>
        ))}
      </ul>
    </section>
  )
}

function InChinese({ problem }: { problem: string }) {
  const [, fraud, withheld] = BAD_BATCHES.exec(problem) ?? []
  if (fraud !== undefined) return <>{`${fraud} 个批次核验不符，${withheld} 个批次未提供文件`}</>
  const part = PARTS.find(([start]) => problem.startsWith(start))?.[1] ?? words.other.zh
  return (
    <>
      {part}：
      <span translate={false} lang="en">
        {problem}
      </span>
    </>
  )
}
