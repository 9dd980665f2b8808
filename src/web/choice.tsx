interface ChoiceProps<T extends string> {
  label: string
  value: T
  options: readonly (readonly [T, string])[]
  /** the options are names that are the same in every language */
  named?: boolean
  onChoose: (value: T) => void
}

/** One of a few. */
export function Choice<T extends string>({ label, value, options, named = false, onChoose }: ChoiceProps<T>) {
  return (
    <label>
      <span class="visually-hidden">{label}</span>
      <select
        value={value}
        onChange={({ currentTarget }) => {
          const chosen = options.find(([one]) => one === currentTarget.value)
          if (chosen !== undefined) onChoose(chosen[0])
        }}
      >
        {options.map(([one, name]) => (
          <option key={one} value={one} translate={!named}>
            {name}
          </option>
        ))}
      </select>
    </label>
  )
}
