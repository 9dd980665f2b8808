export default function MyData() {
  return <></>
}
