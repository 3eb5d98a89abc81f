/**
 * Runs the examples on the build: all numbered ones, or those named (`npm run examples -- 01`). With `--quick`, those
 * from 20 on take less data, fewer epochs and lower targets.
 *
 * Their types are stripped into `.cache/examples` first, for Node 20 does not read TypeScript.
 * @module
 */

import { spawnSync } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import { build } from 'esbuild'

const OUT = '.cache/examples'
const sources = readdirSync('examples').filter((name) => name.endsWith('.ts'))
const wanted = process.argv.slice(2).filter((argument) => argument !== '--quick')
const env = { ...process.env, ...(process.argv.includes('--quick') ? { DCML_EXAMPLES: 'quick' } : {}) }
const chosen = sources
  .filter((name) => /^\d/.test(name) && (wanted.length === 0 || wanted.some((start) => name.startsWith(start))))
  .sort()
if (chosen.length === 0) {
  console.error(`No example starts with ${wanted.join(' or ')}.`)
  process.exit(2)
}

rmSync(OUT, { recursive: true, force: true })
await build({
  entryPoints: sources.map((name) => `examples/${name}`),
  outdir: OUT,
  format: 'esm',
  target: 'node20',
  logLevel: 'warning',
})

const failed = chosen.filter((name) => {
  console.log(`\n== ${name}`)
  return spawnSync(process.execPath, [`${OUT}/${name.replace(/ts$/, 'js')}`], { stdio: 'inherit', env }).status !== 0
})
console.log(
  `\n${chosen.length - failed.length} passed, ${failed.length} failed${failed.map((name) => `\n  ${name}`).join('')}`,
)
process.exit(failed.length > 0 ? 1 : 0)
