import type { ComponentChildren } from 'preact'
import { type FlowRecord, isRecordType, sealedKind } from '../../../../record/index.ts'
import { showCount } from '../../../format.ts'
import { type Language, useLanguage, useWords } from '../../../language.ts'
import { Data, Time } from '../../data.tsx'
import { MEMBER_WORDS, TYPE_WORDS, VALUE_WORDS } from '../../record-words.ts'

const words = {
  type: { en: 'What', zh: '类型' },
  bytes: { en: (count: string) => `${count} bytes`, zh: (count: string) => `${count} 字节` },
  duration: { en: (count: string) => `${count} milliseconds`, zh: (count: string) => `${count} 毫秒` },
  anyNumber: { en: 'any number', zh: '不限次数' },
  opened: { en: 'disclosed to you', zh: '已向您披露' },
  closed: { en: 'Closed members', zh: '未披露的内容' },
  closedPseudonyms: {
    en: (count: string) =>
      `Whom the record is about, as a pseudonym (${count}): shown to auditors, and to the person concerned under “My data”.`,
    zh: (count: string) =>
      `以假名表明的记录所涉个人（${count} 项）：仅对审计员披露，当事人本人可在“我的数据”中查看。`,
  },
  closedPrivate: {
    en: (count: string) =>
      `Private, such as who acted (${count}): kept in the vault of the publisher, shown to auditors, and gone once it is erased there.`,
    zh: (count: string) =>
      `私密内容，如经办人（${count} 项）：保存在发布方的保险库中，仅对审计员披露，清除后不可恢复。`,
  },
} as const

/** Members that say how a record is sealed, not what it says. */
const SEALING = ['_sd', '_sd_alg', '_sd_pseudonyms']

/** As they are read best, not as they are hashed. */
const ORDER = Object.keys(MEMBER_WORDS)

/**
 * What a record says, member by member in words, and how many of its members stay closed.
 *
 * @param record with what is disclosed put back, its digests still in it
 */
export function Members({ record, opened }: { record: FlowRecord; opened: ReadonlySet<string> }) {
  const say = useWords(words)
  const language = useLanguage()
  const { data } = record
  const closed = closedCounts(record, opened)
  const rows: [string, ComponentChildren][] = [
    [say.type, TYPE_WORDS[record.type]?.[language] ?? <Data of={record.type} />],
    [nameOf('id', language), <Data key="id" of={record.id} />],
    [nameOf('source', language), <Data key="source" of={record.source} />],
    [nameOf('time', language), <Time key="time" of={record.time} />],
    ...(record.subject === undefined
      ? []
      : [
          [nameOf('resource', language), <Data key="subject" of={record.subject} />] as [
            string,
            ComponentChildren,
          ],
        ]),
    ...Object.entries(data)
      .filter(([name]) => !SEALING.includes(name))
      .sort(([a], [b]) => ORDER.indexOf(a) - ORDER.indexOf(b))
      .map(([name, value]): [string, ComponentChildren] => [
        nameOf(name, language),
        <>
          <Value name={name} value={value} />
          {opened.has(name) && <span class="soft"> ({say.opened})</span>}
        </>,
      ]),
  ]
  return (
    <>
      <dl class="members">
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {closed.pseudonyms + closed.privates > 0 && (
        <section class="closed">
          <h3>{say.closed}</h3>
          <ul>
            {closed.pseudonyms > 0 && <li>{say.closedPseudonyms(showCount(closed.pseudonyms, language))}</li>}
            {closed.privates > 0 && <li>{say.closedPrivate(showCount(closed.privates, language))}</li>}
          </ul>
        </section>
      )}
    </>
  )
}

const nameOf = (name: string, language: Language) => MEMBER_WORDS[name]?.[language] ?? name

function closedCounts({ type, data }: FlowRecord, opened: ReadonlySet<string>) {
  const { _sd: digests = [], _sd_pseudonyms: pseudonyms = [] } = data
  const kinds = isRecordType(type) ? [...opened].map((name) => sealedKind(type, name)) : []
  const openedPseudonyms = kinds.filter((kind) => kind === 'pseudonym').length
  return {
    pseudonyms: pseudonyms.length - openedPseudonyms,
    privates: digests.length - pseudonyms.length - (kinds.length - openedPseudonyms),
  }
}

const TIMES = ['effectiveAt', 'detectedAt', 'reportedAt', 'deadline', 'from', 'to']
/** seconds since 1970 */
const SECONDS = ['notBefore', 'notAfter']
/** The last second that a calendar reaches. */
const LAST_SECOND = 8_640_000_000_000

function Value({ name, value }: { name: string; value: unknown }) {
  const say = useWords(words)
  const language = useLanguage()
  if (typeof value === 'number') {
    if (SECONDS.includes(name) && value <= LAST_SECOND) return <Time of={1_000 * value} />
    if (name === 'maxCalls' && value === 0) return <>{say.anyNumber}</>
    const count = showCount(value, language)
    if (name.endsWith('Bytes')) return <>{say.bytes(count)}</>
    return <>{name.endsWith('Ms') ? say.duration(count) : count}</>
  }
  if (typeof value === 'string') {
    const known = VALUE_WORDS[name]?.[value]
    if (known !== undefined) return <>{known[language]}</>
    return TIMES.includes(name) ? <Time of={value} /> : <Data of={value} />
  }
  if (Array.isArray(value)) {
    return (
      <ul class="values">
        {value.map((one: unknown) => (
          <li key={String(one)}>
            <Data of={String(one)} />
          </li>
        ))}
      </ul>
    )
  }
  if (typeof value !== 'object' || value === null) return <Data of={String(value)} />
  return (
    <dl class="members">
      {Object.entries(value).map(([inner, one]) => (
        <div key={inner}>
          <dt>{nameOf(inner, language)}</dt>
          <dd>
            <Value name={inner} value={one} />
          </dd>
        </div>
      ))}
    </dl>
  )
}
