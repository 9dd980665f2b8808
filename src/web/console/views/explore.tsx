export default function Explore() {
  return <></>
}
