import { callOf } from '../api/world.ts'
import type { Json } from '../record/examples.ts'

/** What a page must show as it is: none of it ever runs, or moves what stands around it. */
const TEXTS = [
  '<img src=x onerror="globalThis.ran=1">',
  '"><script>globalThis.ran=1</script><svg onload=globalThis.ran=1>',
  'javascript:globalThis.ran=1//',
  '$' + '{globalThis.ran=1}{{constructor.constructor("globalThis.ran=1")()}}',
  "');globalThis.ran=1;//`--><!--",
  '\u202egnp.exe\u2066\u200f\u0007 %00%0d%0aSet-Cookie:ran=1',
  '👩‍👩‍👧‍👦🏴‍☠️'.repeat(6),
  'W'.repeat(128),
] as const

/** Each of the texts in every free field of a call: of its source only what a source's name may consist of. */
export const hostileCalls = (): Json[] =>
  TEXTS.map((text, i) => {
    const call = callOf(`urn:${text.replaceAll(/[^!-~]/g, '')}`, text)
    const data = {
      ...Object(call.data),
      ...{ consumer: text, provider: text.repeat(2).slice(0, 256), operation: text, requestId: text },
      ...{ purpose: text, legalBasis: text, status: text.slice(0, 64), agent: text, note: text.repeat(9) },
      // A rule finds something in it, so that the same texts stand in alerts.
      sharing: 'prohibited',
    }
    return { ...call, subject: text, time: `2026-03-04T09:00:0${i}.000Z`, data }
  })
