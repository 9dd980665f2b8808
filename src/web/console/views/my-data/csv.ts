/**
 * What a spreadsheet would take for the beginning of a formula; in Chinese, the wide signs too. And the sign that keeps
 * it from that, so that no two texts become one.
 */
const GUARDED = /^['=+\-@\t\r\n＝＋－＠]/

/** A cell that is read as the text that it is, by a spreadsheet too. */
function cell(text: string): string {
  const plain = GUARDED.test(text) ? `'${text}` : text
  return `"${plain.replaceAll('"', '""')}"`
}

/** Rows as CSV (RFC 4180), every cell quoted, with the mark by which spreadsheets know UTF-8. */
export const toCsv = (rows: readonly (readonly string[])[]): string =>
  `\ufeff${rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('')}`
