import { useWords } from '../../../language.ts'
import type { LedgerNames } from '../../answers.ts'
import { ask } from '../../api.ts'
import { Shown, useLoaded } from '../../load.tsx'
import { useRouter } from '../../router.tsx'
import { useSession } from '../../session.tsx'
import { periodOf } from '../explore/query.ts'
import { Complete } from './complete.tsx'
import { Grants } from './grants.tsx'
import { loadOwnHistory } from './own-history.ts'
import { PeriodForm } from './period-form.tsx'
import { Uses } from './uses.tsx'

const words = {
  empty: {
    en: 'Nothing in the ledger is final yet. Look again in a moment.',
    zh: '账本中尚无最终确认的内容，请稍后再看。',
  },
  look: { en: 'Look again', zh: '再次查看' },
} as const

/** All about one person, for that person. */
export function OwnData({ person }: { person: string }) {
  const say = useWords(words)
  const { token } = useSession()
  const { search } = useRouter()
  const query = new URLSearchParams([['person', person], ...periodOf(search)])
  const path = `/v1/histories?${query}`
  const loaded = useLoaded(
    async (signal) => {
      const ledger = (await (await ask('/v1/ledger', { token, signal })).json()) as LedgerNames
      return loadOwnHistory(path, ledger, { token, signal })
    },
    [path, token],
  )
  return (
    <>
      <PeriodForm />
      {loaded.state === 'failed' && loaded.problem.code === 'NOT_READY' ? (
        <div class="card" role="status">
          <p>{say.empty}</p>
          <button type="button" onClick={loaded.again}>
            {say.look}
          </button>
        </div>
      ) : (
        <Shown of={loaded}>
          {(own) => (
            <>
              <Complete of={own} />
              <Uses of={own} />
              <Grants of={own} />
            </>
          )}
        </Shown>
      )}
    </>
  )
}
