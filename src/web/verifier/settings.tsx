import { useId } from 'preact/hooks'
import { type Hex, isHex } from '../../bytes/hex.ts'
import { useWords } from '../language.ts'
import type { CheckOptions } from './checked.ts'
import { pageWords } from './page-words.ts'

/** As they are typed. */
interface Settings {
  /** hashes, between them blanks, commas or lines */
  blocks: string
  askNode: boolean
  node: string
  ledger: string
  authorizations: string
  registry: string
  publisher: string
}

export const NO_SETTINGS: Settings = {
  blocks: '',
  askNode: false,
  node: '',
  ledger: '',
  authorizations: '',
  registry: '',
  publisher: '',
}

/** What of the settings can be used; the form says what cannot. */
export function optionsOf({ blocks, askNode, node, ...pins }: Settings): CheckOptions {
  const pinned = PINS.map((name) => [name, lower(pins[name])] as const).filter(([, address]) =>
    isHex(address, 20),
  )
  return {
    trustedBlocks: hashesOf(blocks).filter(isHash),
    ...(askNode && isNode(node) && { rpcUrl: node.trim() }),
    ...Object.fromEntries(pinned),
  }
}

/** Addresses that the reader may know. */
const PINS = ['ledger', 'authorizations', 'registry', 'publisher'] as const

const lower = (text: string) => text.trim().toLowerCase()
const hashesOf = (text: string) =>
  lower(text)
    .split(/[\s,]+/)
    .filter((part) => part !== '')
const isHash = (text: string): text is Hex => isHex(text, 32)
const isAddress = (text: string) => text.trim() === '' || isHex(lower(text), 20)
const isNode = (text: string) => /^https?:$/.test(URL.parse(text.trim())?.protocol ?? '')

interface SettingsProps {
  of: Settings
  onChange: (settings: Settings) => void
}

/** What the reader knows or trusts besides the files. */
export function SettingsForm({ of: settings, onChange }: SettingsProps) {
  const say = useWords(pageWords)
  const { blocks, askNode, node } = settings
  const change = (part: Partial<Settings>) => onChange({ ...settings, ...part })
  return (
    <details class="card trust-settings">
      <summary>
        <h2>{say.trust}</h2>
      </summary>
      <Field
        label={say.blocks}
        hint={say.blocksHint}
        value={blocks}
        fault={hashesOf(blocks).every(isHash) ? undefined : say.badHash}
        onInput={(value) => change({ blocks: value })}
        rows={2}
      />
      <label class="ask">
        <input
          type="checkbox"
          checked={askNode}
          onChange={({ currentTarget }) => change({ askNode: currentTarget.checked })}
        />
        {say.askNode}
      </label>
      {askNode && (
        <Field
          label={say.node}
          hint={say.nodeHint}
          value={node}
          fault={node.trim() === '' || isNode(node) ? undefined : say.badNode}
          onInput={(value) => change({ node: value })}
        />
      )}
      {PINS.map((name) => (
        <Field
          key={name}
          label={say[name]}
          hint={say[`${name}Hint`]}
          value={settings[name]}
          fault={isAddress(settings[name]) ? undefined : say.badAddress}
          onInput={(value) => change({ [name]: value })}
        />
      ))}
    </details>
  )
}

interface FieldProps {
  label: string
  hint: string
  value: string
  fault: string | undefined
  onInput: (value: string) => void
  rows?: number
}

function Field({ label, hint, value, fault, onInput, rows }: FieldProps) {
  const id = useId()
  const common = {
    id,
    value,
    spellcheck: false,
    autocomplete: 'off',
    'aria-describedby': `${id}-hint`,
    'aria-invalid': fault !== undefined,
    onInput: ({ currentTarget }: { currentTarget: { value: string } }) => onInput(currentTarget.value),
  } as const
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {rows === undefined ? <input type="text" {...common} /> : <textarea rows={rows} {...common} />}
      <p id={`${id}-hint`} class="soft">
        {hint} {fault !== undefined && <span class="bad">{fault}</span>}
      </p>
    </div>
  )
}
