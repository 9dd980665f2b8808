import type { ComponentChildren } from 'preact'

/** How a screen reader names it: by a text, or by the element that has the text. */
type Label = { label: string } | { labelledBy: string }

/** A table that may be wider than the window: it scrolls by itself, by keyboard too. */
export const TableScroll = ({ children, ...named }: Label & { children: ComponentChildren }) => (
  <section
    class="table-scroll"
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    tabIndex={0}
    {...('label' in named ? { 'aria-label': named.label } : { 'aria-labelledby': named.labelledBy })}
  >
    {children}
  </section>
)
