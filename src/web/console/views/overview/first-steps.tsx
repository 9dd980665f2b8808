import { useWords } from '../../../language.ts'

const words = {
  title: { en: 'The ledger is empty', zh: '账本还是空的' },
  intro: {
    en: 'Hand over the first records from a terminal in the folder of the program; they appear here as they come.',
    zh: '请在程序所在目录打开终端，提交首批记录；记录到达后会即时显示在这里。',
  },
  sample: { en: 'Made-up records of some departments:', zh: '用示例数据（若干部门的虚构记录）：' },
  own: {
    en: 'Or records of your own, one JSON object a line:',
    zh: '或提交自己的记录（每行一个 JSON 对象）：',
  },
}

/** What to do with a ledger that has nothing in it. */
export function FirstSteps({ url }: { url: string }) {
  const say = useWords(words)
  // The commands ask the default port of this machine when they are told nothing.
  const target = url === 'http://127.0.0.1:7300' ? '' : ` --api ${url}`
  return (
    <section class="card first-steps">
      <h2>{say.title}</h2>
      <p>{say.intro}</p>
      <p>{say.sample}</p>
      <pre
        class="mono"
        translate={false}
      >{`npx tidemark sample --count 1000 | npx tidemark send -${target}`}</pre>
      <p>{say.own}</p>
      <pre class="mono" translate={false}>{`npx tidemark send records.ndjson${target}`}</pre>
    </section>
  )
}
