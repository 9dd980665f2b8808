import { useWords } from '../../language.ts'
import { useRouter } from '../router.tsx'
import { useSession } from '../session.tsx'
import { OwnData } from './my-data/own-data.tsx'
import './my-data.css'

const words = {
  what: {
    en: 'Everyone has a right to see who used their data. This page shows you each recorded use of yours, proves that none is left out, and lets you withdraw what you have allowed.',
    zh: '每个人都有权知道谁使用了自己的数据。本页列出您的数据的每一次使用记录，证明没有遗漏，并可撤回您已作出的授权。',
  },
  how: { en: 'How to see your own', zh: '如何查看自己的数据' },
  ask: {
    en: 'Ask the office that runs this ledger for a token. It checks who you are and gives you a token for your pseudonym alone.',
    zh: '请向本账本的运营机构申请令牌。核验身份后，您将获得仅对应您本人假名的令牌。',
  },
  signIn: {
    en: 'Choose “Sign in” above and enter it. It stays in this tab and is sent to this server only.',
    zh: '点击上方“登录”并输入令牌。令牌只保存在本标签页，只发送给本服务器。',
  },
  nobody: {
    en: 'Without such a token nobody is shown whose data a record is about. That you look at this page is not recorded in the ledger.',
    zh: '没有该令牌，任何人都无法得知记录涉及谁的数据。您浏览本页不会被记入账本。',
  },
  other: {
    en: 'Your token is one of another role. This page is for the persons concerned; auditors search by pseudonym under “Explore”.',
    zh: '您的令牌属于其他角色。本页供当事人本人使用；审计员可在“检索”中按假名查询。',
  },
  loading: { en: 'Loading…', zh: '正在加载……' },
} as const

/** For a person concerned: who used their data, and what they allow. For anybody else: what this is. */
export default function MyData() {
  const say = useWords(words)
  const { token, reader } = useSession()
  const { search } = useRouter()
  if (reader.role === 'subject' && reader.person !== undefined) {
    return <OwnData key={`${reader.person}?${search}`} person={reader.person} />
  }
  if (token !== undefined && reader.role === 'public') {
    return (
      <p class="soft" role="status">
        {say.loading}
      </p>
    )
  }
  return (
    <>
      <p>{say.what}</p>
      {token === undefined ? (
        <section class="card">
          <h2>{say.how}</h2>
          <ol>
            <li>{say.ask}</li>
            <li>{say.signIn}</li>
          </ol>
          <p class="soft">{say.nobody}</p>
        </section>
      ) : (
        <p class="card">{say.other}</p>
      )}
    </>
  )
}
