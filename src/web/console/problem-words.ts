import { ApiProblem } from './api.ts'
import type { Text } from './record-words.ts'

/** What a reader can make of a problem of the API, by its code. */
const PROBLEM_WORDS: Readonly<Record<string, Text>> = {
  UNREACHABLE: { en: 'The server does not answer.', zh: '服务器没有响应。' },
  NO_CREDENTIALS: {
    en: 'Whom a record is about is shown to auditors, and to each person their own. Sign in with a token.',
    zh: '记录所涉个人仅对审计员显示，本人可查看自己的记录。请用令牌登录。',
  },
  WRONG_ROLE: {
    en: 'Your token is not good for this: it takes an auditor’s, or that of the person concerned.',
    zh: '您的令牌无此权限：需要审计员的令牌，或相关当事人本人的令牌。',
  },
  BAD_TOKEN: {
    en: 'Your token is not known here any more. Sign in again.',
    zh: '您的令牌已失效，请重新登录。',
  },
  NOT_READY: {
    en: 'This is not final on the chain yet. Try again in a moment.',
    zh: '链上尚未最终确认，请稍后再试。',
  },
  NOT_FOUND: { en: 'There is no such thing here.', zh: '此处没有相应内容。' },
  BAD_ARGUMENT: { en: 'The search is not one that can be answered.', zh: '检索条件有误，无法查询。' },
  NO_RIGHTS: { en: 'No grants are followed at this server.', zh: '本服务器不跟踪授权。' },
  STARTING: { en: 'The server is starting. Try again in a moment.', zh: '服务器正在启动，请稍后再试。' },
}

const OTHER: Text = { en: 'The server could not do this.', zh: '服务器未能完成此操作。' }

/** A fault in words; what the server said of it stands beside where it says more. */
export function problemWords(fault: unknown): { words: Text; detail?: string } {
  if (!(fault instanceof ApiProblem)) return { words: OTHER, detail: String(fault) }
  const words = PROBLEM_WORDS[fault.code]
  if (words === undefined || fault.code === 'BAD_ARGUMENT')
    return { words: words ?? OTHER, detail: fault.message }
  return { words }
}
