type Path = (string | number)[]

/** Every text and number of a JSON value, with its place. */
export function leavesOf(value: unknown, path: Path = []): { path: Path; value: unknown }[] {
  if (typeof value !== 'object' || value === null) return [{ path, value }]
  return Object.entries(value).flatMap(([name, member]) => leavesOf(member, [...path, name]))
}

/** The place of every member of a JSON value, however deep. */
export function placesOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([name, member]) => placesOf(member, [...path, name]))]
}

/** Sets the member of a JSON value that a path names, or removes it. */
export function put(target: unknown, path: Path, value: unknown): void {
  const parent = path.slice(0, -1).reduce((at, name) => (at as Record<string, unknown>)[name], target)
  const name = path.at(-1) ?? ''
  if (value !== undefined) (parent as Record<string, unknown>)[name] = value
  else if (Array.isArray(parent)) parent.splice(Number(name), 1)
  else delete (parent as Record<string, unknown>)[name]
}
