import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import 'solidity-coverage'
import {
  TASK_COMPILE,
  TASK_COMPILE_SOLIDITY_GET_SOLC_BUILD,
  TASK_NODE_CREATE_SERVER,
  TASK_TEST,
} from 'hardhat/builtin-tasks/task-names.js'
import { type HardhatUserConfig, subtask, task } from 'hardhat/config.js'
import type { HardhatRuntimeEnvironment } from 'hardhat/types/index.js'
import solcPackage from 'solc/package.json' with { type: 'json' }

/** The EVM under test and where it listens; `coverage` is Hardhat's with instrumented contracts. */
type Chain = { evm: 'hardhat' | 'anvil' | 'coverage'; url: string; close: () => Promise<unknown> }

const underCoverage = process.env.SOLIDITY_COVERAGE !== undefined

const config: HardhatUserConfig = {
  solidity: {
    version: solcPackage.version,
    settings: {
      evmVersion: 'cancun',
      // Measured at 200 runs, viaIR saves 750 to 880 gas a header and 11 % of the deployment. A thousand runs save another
      // 140 to 260 for 10 % more deployment; ten thousand only 100 more for another 12 %.
      viaIR: true,
      optimizer: { enabled: true, runs: 1000 },
    },
  },
  networks: { hardhat: { hardfork: 'prague' } },
  // Instrumented artifacts stay out of the way of whoever uses the real ones.
  paths: underCoverage ? { cache: 'cache/coverage', artifacts: 'cache/coverage/artifacts' } : {},
}
export default config

subtask(
  TASK_COMPILE_SOLIDITY_GET_SOLC_BUILD,
  'Takes the compiler from the npm package solc: a download is not possible everywhere',
).setAction(async ({ solcVersion }: { solcVersion: string }) => ({
  version: solcVersion,
  longVersion: solcPackage.version,
  compilerPath: require.resolve('solc/soljson.js'),
  isSolcJs: true,
}))

task(TASK_TEST, 'Runs test/contracts with vitest against a local EVM')
  .addOptionalParam('evm', 'hardhat or anvil', 'hardhat')
  .setAction(
    async (
      {
        testFiles,
        noCompile,
        evm,
        grep,
      }: { testFiles: string[]; noCompile: boolean; evm: string; grep?: string },
      hre,
    ) => {
      if (evm !== 'hardhat' && evm !== 'anvil') throw new Error(`--evm is hardhat or anvil, not ${evm}`)
      if (!noCompile) await hre.run(TASK_COMPILE, { quiet: true })
      const chain = await (evm === 'anvil' ? startAnvil(hre) : startHardhat(hre))
      try {
        const { startVitest } = await import('vitest/node')
        const vitest = await startVitest('test', testFiles, {
          config: 'test/contracts/vitest.config.ts',
          watch: false,
          provide: { evm: chain.evm, url: chain.url, artifacts: hre.config.paths.artifacts },
          ...(grep === undefined ? {} : { testNamePattern: grep }),
        })
        await vitest.close()
        return process.exitCode
      } finally {
        await chain.close()
      }
    },
  )

async function startHardhat(hre: HardhatRuntimeEnvironment): Promise<Chain> {
  const server = await hre.run(TASK_NODE_CREATE_SERVER, {
    hostname: '127.0.0.1',
    port: 0,
    provider: hre.network.provider,
  })
  const { port } = await server.listen()
  return {
    evm: underCoverage ? 'coverage' : 'hardhat',
    url: `http://127.0.0.1:${port}`,
    close: () => server.close(),
  }
}

async function startAnvil(hre: HardhatRuntimeEnvironment): Promise<Chain> {
  const anvil = spawn(
    resolve(hre.config.paths.root, 'node_modules/.bin/anvil'),
    ['--port', '0', '--hardfork', 'prague'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const exited = once(anvil, 'exit')
  for await (const line of createInterface({ input: anvil.stdout })) {
    const listening = /^Listening on (\S+)$/.exec(line)
    if (listening === null) continue
    anvil.stdout.resume()
    const close = () => {
      anvil.kill()
      return exited
    }
    return { evm: 'anvil', url: `http://${listening[1]}`, close }
  }
  throw new Error(`anvil ended before it listened: exit code ${anvil.exitCode}`)
}
