import type { ComponentType } from 'preact'

/** The views by their paths; each is loaded when it is first shown. The server knows the same paths. */
export const VIEWS = {
  '/': { name: { en: 'Overview', zh: '总览' }, load: () => import('./views/overview.tsx') },
  '/explore': { name: { en: 'Explore', zh: '检索' }, load: () => import('./views/explore.tsx') },
  '/departments': { name: { en: 'Departments', zh: '部门' }, load: () => import('./views/departments.tsx') },
  '/my-data': { name: { en: 'My data', zh: '我的数据' }, load: () => import('./views/my-data.tsx') },
  '/alerts': { name: { en: 'Alerts', zh: '告警' }, load: () => import('./views/alerts.tsx') },
  '/ledger': { name: { en: 'Ledger', zh: '账本' }, load: () => import('./views/ledger.tsx') },
} as const satisfies Record<
  string,
  { name: { en: string; zh: string }; load: () => Promise<{ default: ComponentType }> }
>

export type ViewPath = keyof typeof VIEWS

export const isView = (path: string): path is ViewPath => Object.hasOwn(VIEWS, path)
