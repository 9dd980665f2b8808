import type { ComponentChildren } from 'preact'
import { TableScroll } from '../../table-scroll.tsx'

interface TableProps {
  caption: string
  columns: readonly ComponentChildren[]
  /** the first cell names its row, the others are numbers */
  rows: readonly { key: string; cells: readonly ComponentChildren[] }[]
}

/** A table of figures that scrolls by itself where it is too wide. */
export function Table({ caption, columns, rows }: TableProps) {
  return (
    <TableScroll label={caption}>
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
    </TableScroll>
  )
}
