export default function Departments() {
  return <></>
}
