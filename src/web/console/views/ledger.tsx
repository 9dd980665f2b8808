export default function LedgerView() {
  return <></>
}
