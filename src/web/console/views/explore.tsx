import { useRouter } from '../router.tsx'
import { useSession } from '../session.tsx'
import { namedRecord } from './explore/query.ts'
import { RecordPage } from './explore/record.tsx'
import { Results } from './explore/results.tsx'
import { SearchForm } from './explore/search-form.tsx'
import './explore.css'

/** A search over every key, or the record that the URL names. */
export default function Explore() {
  const { search } = useRouter()
  const { token = '' } = useSession()
  const named = namedRecord(search)
  if (named !== undefined) return <RecordPage key={JSON.stringify([named, token])} {...named} />
  return (
    <>
      <SearchForm />
      <Results key={token} />
    </>
  )
}
