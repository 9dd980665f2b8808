import { showCount } from '../../../format.ts'
import { useLanguage, useWords } from '../../../language.ts'
import { Data, Short } from '../../data.tsx'
import { Shown, useJson } from '../../load.tsx'
import type { LedgerHead } from './answers.ts'

const words = {
  size: { en: 'Batches', zh: '批次数' },
  root: { en: 'Root', zh: '根哈希' },
  contract: { en: 'Contract', zh: '合约' },
  chain: { en: 'Chain', zh: '链标识' },
  block: { en: 'Block', zh: '区块' },
  finalBlock: { en: 'Final up to block', zh: '最终确认至区块' },
  publisher: { en: 'Publisher here', zh: '本机发布者' },
} as const

/** The ledger's address and head. */
export function Head({ version }: { version: string }) {
  const say = useWords(words)
  const language = useLanguage()
  const loaded = useJson<LedgerHead>('/v1/ledger', version)
  return (
    <Shown of={loaded}>
      {({ size, root, ledger, chainId, headBlock, finalBlock, publisher }) => (
        <dl class="card facts">
          <Fact name={say.size}>{showCount(BigInt(size), language)}</Fact>
          <Fact name={say.root}>
            <Short of={root} />
          </Fact>
          <Fact name={say.contract}>
            <Short of={ledger} />
          </Fact>
          <Fact name={say.chain}>
            <Data of={chainId} />
          </Fact>
          <Fact name={say.block}>{showCount(BigInt(headBlock), language)}</Fact>
          <Fact name={say.finalBlock}>{showCount(BigInt(finalBlock), language)}</Fact>
          {publisher !== undefined && (
            <Fact name={say.publisher}>
              <Short of={publisher} />
            </Fact>
          )}
        </dl>
      )}
    </Shown>
  )
}

const Fact = ({ name, children }: { name: string; children: preact.ComponentChildren }) => (
  <div>
    <dt class="soft">{name}</dt>
    <dd>{children}</dd>
  </div>
)
