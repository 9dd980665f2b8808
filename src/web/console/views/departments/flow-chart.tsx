import { useMemo } from 'preact/hooks'
import { showCount } from '../../../format.ts'
import { useLanguage, useWords } from '../../../language.ts'
import { Chart } from '../../chart.tsx'
import { Data } from '../../data.tsx'
import { Link } from '../../router.tsx'
import { flowOption } from './options.ts'
import { usePlace } from './place.ts'
import { Table } from './table.tsx'
import { type Flow, shortNames } from './volume.ts'

const words = {
  title: { en: 'Who calls whom', zh: '部门间调用流向' },
  hint: {
    en: 'Who calls is on the left, who answers on the right, as the providers tell it.',
    zh: '左侧为使用方，右侧为提供方，以提供方记录为准。',
  },
  most: {
    en: (shown: number, all: number) => `The ${shown} largest of ${all} are drawn; the table has all.`,
    zh: (shown: number, all: number) => `共 ${all} 条流向，图中为最大的 ${shown} 条，全部见表格。`,
  },
  none: { en: 'No call was answered in this time.', zh: '此期间没有受理任何调用。' },
  consumer: { en: 'Consumer', zh: '使用方' },
  provider: { en: 'Provider', zh: '提供方' },
  calls: { en: 'Calls', zh: '调用次数' },
  refused: { en: 'Refused', zh: '拒绝' },
}

/** A drawing of more is a thicket. */
const MOST_DRAWN = 60

/** Consumers and the providers that they call, by how often. */
export function FlowChart({ flows }: { flows: Flow[] }) {
  const say = useWords(words)
  const language = useLanguage()
  const place = usePlace()
  const drawn = useMemo(() => flows.slice(0, MOST_DRAWN), [flows])
  const option = useMemo(
    () =>
      flowOption({
        flows: drawn,
        show: (count) => showCount(count, language),
        nameOf: shortNames(drawn.flatMap(({ consumer, provider }) => [consumer, provider])),
      }),
    [drawn, language],
  )
  const sides = (['consumer', 'provider'] as const).map(
    (side) => new Set(drawn.map((flow) => flow[side])).size,
  )
  return (
    <section>
      <h3>{say.title}</h3>
      {flows.length === 0 ? (
        <p class="soft">{say.none}</p>
      ) : (
        <>
          <p class="soft">
            {say.hint}
            {drawn.length < flows.length && ` ${say.most(drawn.length, flows.length)}`}
          </p>
          <Chart label={say.title} heightRem={Math.max(10, 2.2 * Math.max(...sides))} option={option}>
            <Table
              caption={say.title}
              columns={[say.consumer, say.provider, say.calls, say.refused]}
              rows={flows.map(({ consumer, provider, calls, refused }) => ({
                key: JSON.stringify([consumer, provider]),
                cells: [
                  <Link key="c" to={place({ department: consumer })}>
                    <Data of={consumer} />
                  </Link>,
                  <Link key="p" to={place({ department: provider })}>
                    <Data of={provider} />
                  </Link>,
                  showCount(calls, language),
                  showCount(refused, language),
                ],
              }))}
            />
          </Chart>
        </>
      )}
    </section>
  )
}
