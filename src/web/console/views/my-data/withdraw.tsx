import { useEffect, useId, useRef, useState } from 'preact/hooks'
import type { Hex } from '../../../../bytes/hex.ts'
import { useLanguage, useWords } from '../../../language.ts'
import type { GrantStanding, LedgerNames } from '../../answers.ts'
import { ask } from '../../api.ts'
import { saveFile } from '../../bundle.ts'
import { Short } from '../../data.tsx'
import type { Text } from '../../record-words.ts'
import { useSession } from '../../session.tsx'
import type { OwnGrant } from './own-history.ts'
import { blockOf, findWallet, sendRevocation, type Wallet, WalletFault } from './wallet.ts'

const words = {
  withdraw: { en: 'Withdraw', zh: '撤回' },
  title: { en: 'Withdraw this grant?', zh: '确定撤回此项授权？' },
  does: {
    en: 'From the moment it is on the chain, no service may use your data under this grant, and each that asks is told so. It is for ever: whatever you want to allow later takes a new grant.',
    zh: '撤回上链后，任何服务都不得再依据此项授权使用您的数据，查询时会被告知已撤回。撤回不可恢复：今后如需再次允许，须重新授权。',
  },
  doesNot: {
    en: 'Uses before that stay lawful and stay in the ledger. Data that was handed over is not called back by it. Uses that the law allows without your grant go on.',
    zh: '此前的使用仍属合法，并保留在账本中；已提供的数据不会因此收回；法律规定无须授权的使用不受影响。',
  },
  yes: { en: 'Withdraw with my wallet', zh: '用我的钱包撤回' },
  no: { en: 'Keep it', zh: '保留授权' },
  close: { en: 'Close', zh: '关闭' },
  asking: { en: 'Confirm it in your wallet…', zh: '请在钱包中确认……' },
  sent: { en: 'Sent. Waiting for a block: transaction', zh: '已发送，等待入块。交易' },
  inBlock: { en: 'In a block. Waiting until it is final: transaction', zh: '已入块，等待最终确认。交易' },
  done: { en: 'The grant is withdrawn, for good: transaction', zh: '授权已撤回，不可恢复。交易' },
  noWallet: {
    en: 'This browser has no wallet. Withdraw with the key that gave the grant: keep the grant as a file, and run this where the key is, with the address of a node of the chain:',
    zh: '此浏览器没有钱包。请使用作出授权的密钥撤回：先将授权保存为文件，再在密钥所在设备上运行以下命令，并填入链上节点的地址：',
  },
  file: { en: 'Keep the grant as a file', zh: '将授权保存为文件' },
} as const

const FAULTS: Readonly<Record<WalletFault['code'], Text>> = {
  REFUSED: {
    en: 'You refused it in the wallet. Nothing was sent.',
    zh: '您在钱包中拒绝了操作，未发送任何内容。',
  },
  OTHER_ACCOUNT: {
    en: 'The wallet did not offer the account that gave this grant. Choose it there and try again:',
    zh: '钱包未提供作出此项授权的账户，请在钱包中选择该账户后重试：',
  },
  OTHER_CHAIN: {
    en: 'The wallet is on another chain. Change to this one there and try again: chain',
    zh: '钱包连接的是另一条链，请切换后重试，链编号',
  },
  REVERTED: {
    en: 'The contract refused it: look whether the grant is withdrawn already.',
    zh: '合约拒绝了该操作：请确认授权是否已撤回。',
  },
  FAILED: { en: 'The wallet could not send it:', zh: '钱包未能发送：' },
}

type Progress =
  | { at: 'idle' }
  | { at: 'asking' }
  | { at: 'sent' | 'in a block' | 'final'; transaction: Hex }
  | { at: 'failed'; fault: WalletFault }

const POLL_MS = 500

interface Props {
  of: OwnGrant
  ledger: LedgerNames
  /** told when the withdrawal is final */
  onWithdrawn: () => void
}

/** A button that withdraws a grant once its subject has confirmed it. */
export function Withdraw({ of: given, ledger, onWithdrawn }: Props) {
  const say = useWords(words)
  const title = useId()
  const dialog = useRef<HTMLDialogElement>(null)
  const [wallet, setWallet] = useState<Wallet>()
  const [progress, setProgress] = useState<Progress>({ at: 'idle' })
  const isUnderWay = progress.at !== 'idle' && progress.at !== 'failed'
  const follow = useFollow(given, setProgress)
  const open = () => {
    setWallet(findWallet())
    if (!isUnderWay) setProgress({ at: 'idle' })
    dialog.current?.showModal()
  }
  const withdraw = async (using: Wallet) => {
    setProgress({ at: 'asking' })
    try {
      const { authorizations: contract, chainId } = ledger
      if (contract === undefined) throw new WalletFault('FAILED', 'no contract')
      const transaction = await sendRevocation(using, {
        chainId: BigInt(chainId),
        contract,
        grant: given.grant,
      })
      setProgress({ at: 'sent', transaction })
      await follow(using, transaction)
    } catch (fault) {
      setProgress({
        at: 'failed',
        fault: fault instanceof WalletFault ? fault : new WalletFault('FAILED', String(fault)),
      })
    }
  }
  const close = () => {
    dialog.current?.close()
    if (progress.at === 'final') onWithdrawn()
  }
  return (
    <>
      <button type="button" onClick={open}>
        {say.withdraw}
      </button>
      <dialog ref={dialog} aria-labelledby={title} onCancel={close}>
        <h4 id={title}>{say.title}</h4>
        <p>{say.does}</p>
        <p>{say.doesNot}</p>
        {wallet === undefined && <ByCommand of={given} ledger={ledger} />}
        <div aria-live="polite">
          <Told of={progress} given={given} ledger={ledger} />
        </div>
        <p class="actions">
          {wallet !== undefined && !isUnderWay && (
            <button class="primary" type="button" onClick={() => withdraw(wallet)}>
              {say.yes}
            </button>
          )}
          <button type="button" onClick={close}>
            {isUnderWay || wallet === undefined ? say.close : say.no}
          </button>
        </p>
      </dialog>
    </>
  )
}

/** Follows a transaction to the block that holds it, and until that is final and the server knows of it. */
function useFollow(given: OwnGrant, setProgress: (progress: Progress) => void) {
  const { token } = useSession()
  const isGone = useRef(false)
  useEffect(
    () => () => {
      isGone.current = true
    },
    [],
  )
  return async (wallet: Wallet, transaction: Hex): Promise<void> => {
    let block: bigint | undefined
    while (!isGone.current) {
      block ??= await blockOf(wallet, transaction)
      if (block !== undefined) {
        const { finalBlock } = (await (await ask('/v1/ledger', { token })).json()) as LedgerNames
        const { revokedAt } = (await (await ask(`/v1/grants/${given.id}`, { token })).json()) as GrantStanding
        const isFinal = BigInt(finalBlock) >= block && revokedAt !== null
        setProgress({ at: isFinal ? 'final' : 'in a block', transaction })
        if (isFinal) return
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }
}

function Told({ of: progress, given, ledger }: { of: Progress; given: OwnGrant; ledger: LedgerNames }) {
  const say = useWords(words)
  const language = useLanguage()
  if (progress.at === 'idle') return null
  if (progress.at === 'asking') return <p>{say.asking}</p>
  if (progress.at === 'failed') {
    const { code, message } = progress.fault
    return (
      <p class="bad" role="alert">
        {FAULTS[code][language]} {code === 'OTHER_ACCOUNT' && <Short of={given.grant.subject} />}
        {code === 'OTHER_CHAIN' && ledger.chainId}
        {code === 'FAILED' && (
          <span lang="en" translate={false}>
            {message}
          </span>
        )}
      </p>
    )
  }
  const told = { sent: say.sent, 'in a block': say.inBlock, final: say.done }[progress.at]
  return (
    <p class={progress.at === 'final' ? 'good' : undefined} data-progress={progress.at}>
      {told} <Short of={progress.transaction} />
    </p>
  )
}

function ByCommand({ of: { record, id }, ledger }: { of: OwnGrant; ledger: LedgerNames }) {
  const say = useWords(words)
  const name = `grant-${id.slice(2, 10)}.json`
  return (
    <>
      <p>{say.noWallet}</p>
      <p>
        <code translate={false}>
          {`tidemark grant revoke ${name} --keystore KEY.json --authorizations ${ledger.authorizations} --rpc URL`}
        </code>
      </p>
      <button type="button" onClick={() => saveFile(`${JSON.stringify(record)}\n`, name, 'application/json')}>
        {say.file}
      </button>
    </>
  )
}
