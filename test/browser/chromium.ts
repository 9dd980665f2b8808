import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import packed from '@sparticuz/chromium'
import { type Browser, chromium } from 'playwright-core'

/** Unpacked once a checkout; the package would use the system's temporary folder, and leave it there. */
const CACHE = join(import.meta.dirname, '../../node_modules/.cache/tidemark-chromium')

/** None of the package's own flags, which switch the web's security off. As root there is no sandbox. */
const FLAGS = [
  '--no-sandbox',
  '--no-zygote',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** How long a page may take, on a busy machine too: less than the test that says what it waited for. */
export const WAIT_MS = 50_000

/** A real Chromium: the one of the npm package, or the one that TIDEMARK_CHROMIUM names. */
export async function launchChromium(): Promise<Browser> {
  const executablePath = process.env.TIDEMARK_CHROMIUM ?? (await unpacked())
  return chromium.launch({ executablePath, args: FLAGS, chromiumSandbox: false })
}

/** Two test files may unpack it at once: each in a folder of its own, and whoever is first has made it. */
async function unpacked(): Promise<string> {
  const made = join(CACHE, 'unpacked')
  if (!existsSync(made)) {
    await mkdir(CACHE, { recursive: true })
    const own = await mkdtemp(join(CACHE, 'making-'))
    const { TMPDIR } = process.env
    process.env.TMPDIR = own
    try {
      await packed.executablePath()
    } finally {
      if (TMPDIR === undefined) delete process.env.TMPDIR
      else process.env.TMPDIR = TMPDIR
    }
    await rename(own, made).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
      return rm(own, { recursive: true })
    })
  }
  return join(made, 'chromium')
}
