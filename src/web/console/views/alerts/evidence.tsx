import { showCount, showDuration } from '../../../format.ts'
import { useLanguage, useWords } from '../../../language.ts'
import { Data, Short, Time } from '../../data.tsx'
import { Link } from '../../router.tsx'
import type { BatchAlert, RuleAlert } from './alert.ts'
import { nameOfValue, wordOfValue } from './words.ts'

const words = {
  records: { en: 'Records that break the rule', zh: '违反规则的记录' },
  evidence: { en: 'Other records that show it', zh: '其他佐证记录' },
  more: { en: (count: string) => `and ${count} more`, zh: (count: string) => `另有 ${count} 条` },
  of: { en: 'of', zh: '来自' },
  publisher: { en: 'Publisher', zh: '发布方' },
  batch: { en: 'Batch', zh: '批次' },
  entry: { en: 'Ledger entry', zh: '账本条目' },
  block: { en: 'Block', zh: '区块' },
  transaction: { en: 'Transaction', zh: '交易' },
  submission: { en: 'Submission', zh: '提交' },
  positions: { en: 'Positions in the batch', zh: '批次内位置' },
  expected: { en: 'Expected', zh: '应为' },
  found: { en: 'Found', zh: '实为' },
  files: { en: 'Files as they were judged', zh: '判定时的文件' },
}

const MOST_LISTED = 20

/** Why a rule raised an alert: its values, and the records, each of which can be proven. */
export function RuleEvidence({ alert }: { alert: RuleAlert }) {
  const say = useWords(words)
  const language = useLanguage()
  return (
    <>
      <dl class="values">
        {Object.entries(alert.values).map(([name, value]) => (
          <Value key={name} name={nameOfValue(name, language) ?? name}>
            {shown(name, value)}
          </Value>
        ))}
      </dl>
      <Records title={say.records} records={alert.records} total={alert.affected} />
      {alert.evidence.length > 0 && (
        <Records title={say.evidence} records={alert.evidence} total={alert.evidence.length} />
      )}
    </>
  )

  function shown(name: string, value: string | number) {
    if (typeof value === 'number') {
      return name.endsWith('Ms') ? showDuration(value, language) : showCount(value, language)
    }
    const word = wordOfValue(name, value, language)
    if (word !== undefined) return word
    const isTime = (name === 'time' || name === 'trippedAt') && !Number.isNaN(Date.parse(value))
    return isTime ? <Time of={value} /> : <Data of={value} />
  }
}

function Value({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function Records({ title, records, total }: { title: string; records: RuleAlert['records']; total: number }) {
  const say = useWords(words)
  const language = useLanguage()
  const listed = records.slice(0, MOST_LISTED)
  return (
    <>
      <h3>{title}</h3>
      <ul class="records">
        {listed.map(({ source, id }) => (
          <li key={`${source} ${id}`}>
            <Link to={`/explore?${new URLSearchParams({ source, id })}`}>
              <Data of={id} />
            </Link>{' '}
            <span class="soft">
              {say.of} <Data of={source} />
            </span>
          </li>
        ))}
        {total > listed.length && (
          <li class="soft">{say.more(showCount(total - listed.length, language))}</li>
        )}
      </ul>
    </>
  )
}

/** What is wrong with a batch: where the chain has it, what was expected, and what was found. */
export function BatchEvidence({ alert }: { alert: BatchAlert }) {
  const say = useWords(words)
  const { batch, anchor, submission, positions, expected, found, files } = alert
  return (
    <>
      <dl class="values">
        <Value name={say.entry}>{anchor.ledgerIndex}</Value>
        <Value name={say.batch}>{batch.sequence}</Value>
        <Value name={say.publisher}>
          <Short of={batch.publisher} />
        </Value>
        <Value name={say.block}>{anchor.blockNumber}</Value>
        <Value name={say.transaction}>
          <Short of={anchor.transactionHash} />
        </Value>
        {submission !== undefined && (
          <Value name={say.submission}>
            {submission.sequence} {say.of} <Data of={submission.source} />
          </Value>
        )}
        {positions !== undefined && <Value name={say.positions}>{positions.join(', ')}</Value>}
        {/* The indexer writes these two for people, in English. */}
        <Value name={say.expected}>
          <span translate={false} lang="en">
            {expected}
          </span>
        </Value>
        <Value name={say.found}>
          <span translate={false} lang="en">
            {found}
          </span>
        </Value>
      </dl>
      {files.length > 0 && (
        <>
          <h3>{say.files}</h3>
          <ul class="records">
            {files.map(({ name, sha256 }) => (
              <li key={name}>
                <Data of={name} /> <Short of={sha256} />
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  )
}
