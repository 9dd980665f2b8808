import { showCount } from '../../../format.ts'
import { useLanguage, useWords } from '../../../language.ts'
import { Data, Time } from '../../data.tsx'
import { Shown, useJson } from '../../load.tsx'
import { TableScroll } from '../../table-scroll.tsx'

interface Act {
  reason: string
  at: string
  block: string
}

interface Trip extends Act {
  kind: 'everything' | 'source' | 'resource'
  id: string
  name?: string
  reset?: Act
}

const words = {
  title: { en: 'Breaker', zh: '熔断' },
  now: {
    en: (count: string) => `Tripped now: ${count}. Calls to what is tripped are refused.`,
    zh: (count: string) => `当前处于熔断状态：${count} 项。对其的调用将被拒绝。`,
  },
  none: { en: 'No breaker is tripped.', zh: '当前没有熔断。' },
  everything: { en: 'everything', zh: '全部' },
  source: { en: 'source', zh: '来源' },
  resource: { en: 'resource', zh: '资源' },
  what: { en: 'What', zh: '对象' },
  reason: { en: 'Reason', zh: '理由' },
  tripped: { en: 'Tripped', zh: '熔断时间' },
  reset: { en: 'Reset', zh: '恢复时间' },
  inForce: { en: 'in force', zh: '熔断中' },
  trips: { en: 'Trips of the breaker', zh: '熔断记录' },
}

/** What guardians stopped, and what is stopped now. */
export function Breaker({ turn }: { turn: unknown }) {
  const say = useWords(words)
  const language = useLanguage()
  const loaded = useJson<{ trips: Trip[] }>('/v1/breaker', turn)
  return (
    <section class="card breaker" aria-label={say.title}>
      <h2>{say.title}</h2>
      <Shown of={loaded}>
        {({ trips }) => {
          const inForce = trips.filter(({ reset }) => reset === undefined).length
          return (
            <>
              <p class={inForce > 0 ? 'bad' : 'soft'}>
                {inForce > 0 ? say.now(showCount(inForce, language)) : say.none}
              </p>
              {trips.length > 0 && (
                <TableScroll label={say.trips}>
                  <table>
                    <caption class="visually-hidden">{say.trips}</caption>
                    <thead>
                      <tr>
                        {[say.what, say.reason, say.tripped, say.reset].map((column) => (
                          <th key={column} scope="col">
                            {column}
                          </th>
                        ))}
                      </tr>
                    </thead>
                    <tbody>
                      {trips.map(({ kind, id, name, reason, at, block, reset }) => (
                        <tr key={`${kind} ${id} ${block}`}>
                          <th scope="row">
                            {say[kind]} {kind !== 'everything' && <Data of={name ?? id} />}
                          </th>
                          <td>
                            <Data of={reason} />
                          </td>
                          <td>
                            <Time of={at} />
                          </td>
                          <td class={reset === undefined ? 'bad' : undefined}>
                            {reset === undefined ? say.inForce : <Time of={reset.at} />}
                          </td>
                        </tr>
                      ))}
                    </tbody>
                  </table>
                </TableScroll>
              )}
            </>
          )
        }}
      </Shown>
    </section>
  )
}
