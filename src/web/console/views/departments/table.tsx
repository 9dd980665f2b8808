import type { ComponentChildren } from 'preact'

/** A name out of records, which is in no language. */
export const Name = ({ of }: { of: string }) => <span translate={false}>{of}</span>

interface TableProps {
  caption: string
  columns: readonly ComponentChildren[]
  /** the first cell names its row, the others are numbers */
  rows: readonly { key: string; cells: readonly ComponentChildren[] }[]
}

/** A table of figures that scrolls by itself where it is too wide. */
export function Table({ caption, columns, rows }: TableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be reached with the keyboard
    <section class="table-scroll" tabIndex={0} aria-label={caption}>
      <table>
        <caption class="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column, i) => (
              <th key={i} scope="col" class={i === 0 ? undefined : 'number'}>
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, cells: [name, ...numbers] }) => (
            <tr key={key}>
              <th scope="row">{name}</th>
              {numbers.map((cell, i) => (
                <td key={i} class="number">
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
