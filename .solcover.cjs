const { readFileSync } = require('node:fs')

const complete = ['/Ledger.sol', '/MerkleLog.sol', '/Registry.sol', '/Authorizations.sol']

module.exports = {
  skipFiles: ['test'],
  istanbulReporter: ['text', 'html', 'json-summary'],
  onIstanbulComplete: () => {
    const summary = JSON.parse(readFileSync('coverage/coverage-summary.json', 'utf8'))
    for (const name of complete) {
      const file = Object.keys(summary).find((path) => path.endsWith(name))
      if (file === undefined) throw new Error(`${name} was not measured`)
      for (const kind of ['lines', 'branches', 'functions', 'statements']) {
        const { total, pct } = summary[file][kind]
        if (total === 0 || pct !== 100)
          throw new Error(`${name}: ${pct} % of ${total} ${kind} covered, not 100`)
      }
    }
  },
}
