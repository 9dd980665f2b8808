/** Takes a folder until it is ended: `node lock-holder.ts FOLDER`. Prints `held`, or the code of the refusal. */
import { lockFolder } from '../../src/store/folder-lock.ts'

const [folder = ''] = process.argv.slice(2)
try {
  await lockFolder(folder)
  process.stdout.write('held\n')
  process.stdin.resume()
} catch (error) {
  process.stdout.write(`${(error as { code?: string }).code}\n`)
}
