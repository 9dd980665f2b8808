export default function Overview() {
  return <></>
}
