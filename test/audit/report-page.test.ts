import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AuditReport, Finding } from '../../src/audit/report.ts'
import { renderPage } from '../../src/audit/report-page.ts'
import { runs } from '../bytes/runs.ts'

const reportWith = (finding: Partial<Finding>, label = 'urn:a'): AuditReport => ({
  format: 'tidemark-audit/1',
  verdict: 'false',
  chainId: '31337',
  ledger: `0x${'11'.repeat(20)}`,
  block: { number: '7', hash: `0x${'22'.repeat(32)}`, time: '2026-03-01T09:30:00.000Z' },
  size: '1',
  root: `0x${'33'.repeat(32)}`,
  range: { first: '0', end: '1' },
  batches: { verified: 1, fraud: 0, withheld: 0, unread: 0 },
  records: 5,
  sources: 1,
  receipts: { kept: 0, broken: 0, bad: 0, open: 0 },
  counts: [{ kind: 'sequence-gap', verdict: 'false', count: 1 }],
  findings: [{ verdict: 'false', kind: 'sequence-gap', expected: 'x', found: 'y', ...finding }],
  charts: { byHour: [{ label, records: 5 }], byDay: [], byPublisher: [{ label, records: 2 }] },
})

/** Everything between `<` and `>`. */
const tagsOf = (page: string) => page.match(/<[^>]*>/g) ?? []

test('whatever sources and publishers call themselves, the page has the same tags', () => {
  const sound = tagsOf(renderPage(reportWith({ submission: { source: 'urn:a', sequence: '0' } }), 'x'))
  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom(
      '</title><script>alert(1)</script>',
      '"><img src=x onerror=alert(1)>',
      "' onload='x",
      '<!--',
      ']]>',
      '&lt;script&gt;',
      '\u202egnp.exe',
      '\u0000',
      '\ud800',
    ),
  )
  fc.assert(
    fc.property(hostile, (text) => {
      const page = renderPage(
        reportWith({ submission: { source: text, sequence: '0' }, found: text, expected: text }, text),
        text,
      )
      expect(tagsOf(page)).toEqual(sound)
      expect(page.isWellFormed()).toBe(true)
      expect(page).not.toContain('\u202e')
      expect(page).not.toContain('\0')
    }),
    runs(200),
  )
})

test('the page needs nothing from anywhere, runs nothing, and draws a bar for each count', () => {
  const page = renderPage(reportWith({}), 'x')
  expect(page).not.toMatch(
    /<(script|link|img|iframe|object|embed|base|form)\b|url\(|@import|\son\w+=|https?:/i,
  )
  expect(page).toContain("default-src 'none'")
  expect(page.match(/<rect /g)).toHaveLength(2)
  expect(page).toContain('<title>urn:a: 5</title>')
})
