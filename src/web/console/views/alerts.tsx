export default function Alerts() {
  return <></>
}
