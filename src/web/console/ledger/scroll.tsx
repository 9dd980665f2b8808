import type { ComponentChildren } from 'preact'

/** What may be wider than the page, and is reached by the keyboard to be scrolled. */
export const Scroll = ({ label, children }: { label: string; children: ComponentChildren }) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
  <section class="table-scroll" tabIndex={0} aria-label={label}>
    {children}
  </section>
)
