import './ledger.css'
import { useOverview } from '../overview-events.ts'
import { useRouter } from '../router.tsx'
import { BatchDialog } from './ledger/batch-dialog.tsx'
import { Batches } from './ledger/batches.tsx'
import { Head } from './ledger/head.tsx'
import { Transactions } from './ledger/transactions.tsx'

/** The ledger's head, its batches and what was paid for them, kept up with the chain. */
export default function Ledger() {
  const { search } = useRouter()
  const { overview } = useOverview()
  const { size, announced, final } = overview?.ledger ?? {}
  // The lists are asked for again when one of these changes.
  const version = `${size} ${announced} ${final}`
  const batch = search.get('batch')
  return (
    <div class="ledger">
      <Head version={version} />
      <Batches version={version} />
      <Transactions version={version} />
      {batch !== null && <BatchDialog key={batch} batch={batch} />}
    </div>
  )
}
