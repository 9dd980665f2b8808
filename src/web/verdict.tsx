import type { Hex } from '../bytes/hex.ts'
import { useLanguage, useWords } from './language.ts'
import './verdict.css'
import type { Checked, CheckedStep, Trusted } from './verifier/checked.ts'
import { ClaimList, FactList, NotShown } from './verifier/facts.tsx'
import { Address, Rows, Time } from './verifier/rows.tsx'
import { STEP_WORDS, VERDICT_WORDS, words } from './verifier/words.ts'

interface VerdictProps {
  of: Checked
  /** offers the reader to trust the blocks that are needed */
  onTrust?: (hashes: readonly Hex[]) => void
}

/** What came of checking a file: the verdict, each step, what is proven, whose word was taken, what is not shown. */
export function Verdict({ of: checked, onTrust }: VerdictProps) {
  const say = useWords(words)
  const language = useLanguage()
  const { verdict, kind, steps, reason, facts, claims, needed = [] } = checked
  const told = VERDICT_WORDS[verdict === 'verified' && kind === 'receipt' ? 'kept' : verdict]
  return (
    <div class="verdict" data-verdict={verdict}>
      <p class="verdict-word">
        <strong>{told.word[language]}</strong> <span>{told.meaning[language]}</span>
      </p>
      {reason !== undefined && (
        <p class="verdict-reason">
          {reason.words !== undefined && <span>{reason.words[language]}</span>}{' '}
          {reason.detail !== '' && (
            <span class="soft" lang="en" translate={false}>
              {reason.detail}
            </span>
          )}{' '}
          <code translate={false}>{reason.code}</code>
        </p>
      )}
      {needed.length > 0 && (
        <div class="verdict-blocks">
          <ul>
            {needed.map(({ number, hash, timestamp }) => (
              <li key={hash}>
                {say.block(number)}, <Time seconds={timestamp} />: <code translate={false}>{hash}</code>
              </li>
            ))}
          </ul>
          <p>{say.howToTrust}</p>
          {onTrust !== undefined && (
            <button type="button" onClick={() => onTrust(needed.map(({ hash }) => hash))}>
              {needed.length === 1 ? say.trustOne : say.trustAll}
            </button>
          )}
        </div>
      )}
      {steps.length > 0 && <Steps of={steps} />}
      {facts !== undefined && (
        <section>
          <h3>{say.proven}</h3>
          <FactList of={facts} />
        </section>
      )}
      {claims !== undefined && (
        <section>
          <h3>{say.claimed}</h3>
          <p class="soft">{say.claimedOnly}</p>
          <ClaimList of={claims} />
        </section>
      )}
      {facts !== undefined && (
        <>
          <section>
            <h3>{say.trusted}</h3>
            <TrustedList of={checked.trusted} />
          </section>
          <section>
            <h3>{say.notShown}</h3>
            <NotShown of={facts} />
          </section>
        </>
      )}
      {facts === undefined && checked.trusted.node !== undefined && (
        <p class="soft">
          {say.node}: <code translate={false}>{checked.trusted.node}</code>
        </p>
      )}
    </div>
  )
}

const MARKS = { passed: '✓', failed: '✗', 'not reached': '–' } as const

function Steps({ of: steps }: { of: readonly CheckedStep[] }) {
  const say = useWords(words)
  const language = useLanguage()
  const states = { passed: say.passed, failed: say.failed, 'not reached': say.notReached }
  return (
    <section>
      <h3>{say.steps}</h3>
      <ol class="verdict-steps">
        {steps.map(({ name, state }) => (
          <li key={name} data-step={name} data-state={state}>
            <span class="verdict-mark" aria-hidden="true">
              {MARKS[state]}
            </span>
            <span>{STEP_WORDS[name][language]}</span> <span class="verdict-state">{states[state]}</span>
          </li>
        ))}
      </ol>
    </section>
  )
}

function TrustedList({ of: { node, blocks, believed } }: { of: Trusted }) {
  const say = useWords(words)
  const what = {
    ledger: say.believedLedger,
    authorizations: say.believedAuthorizations,
    registry: say.believedRegistry,
    publisher: say.believedPublisher,
  }
  return (
    <Rows
      of={[
        node === undefined
          ? undefined
          : [
              say.node,
              <code translate={false} key="node">
                {node}
              </code>,
            ],
        ...blocks.map(({ number, hash }): [string, preact.JSX.Element] => [
          say.block(number),
          <code translate={false} key={hash}>
            {hash}
          </code>,
        ]),
        ...believed.map((one): [string, preact.JSX.Element] => [
          what[one.what],
          <Address key={one.what} of={one.address} />,
        ]),
      ]}
    />
  )
}
