#!/usr/bin/env node
/**
 * Holds a backend of dcml's own to tfjs-core's op tests, about 4,200 specs.
 *
 *   node scripts/op-tests.mjs [--backend cuda | webgpu] [--grep PATTERN] [--json FILE]
 *                             [--under 'compute-sanitizer --tool memcheck'] [--patience SECONDS]
 *
 * A spec that ends the process, leaves the backend useless or takes longer than the patience has failed; those after it
 * run in another process. --under starts the processes below a tool. The specs that are skipped stand in
 * tests/op-tests/skips.ts, each with its reason. Exits 1 when a spec fails.
 */

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'

/** More processes than this die of something that new ones do not mend. */
const MAX_PROCESSES = 50

const root = fileURLToPath(new URL('..', import.meta.url))
const { values: options } = parseArgs({
  options: {
    grep: { type: 'string', default: '' },
    backend: { type: 'string', default: 'dcml-wasm' },
    json: { type: 'string' },
    under: { type: 'string', default: '' },
    patience: { type: 'string', default: '120' },
  },
})

const totals = { passed: 0, failed: 0, pending: 0 }
const failures = []
const fail = (name, message = '') => {
  totals.failed++
  failures.push({ name, message })
  console.log(`FAILED ${name}\n       ${message.slice(0, 300).replaceAll('\n', ' ')}`)
}

// Below node_modules, so that what stays external (jasmine) is found from there.
const folder = mkdtempSync(join(root, 'node_modules', '.op-tests-'))
let end
try {
  const file = join(folder, 'run.cjs')
  await bundle(file)
  let first = 0
  for (let processes = 0; end === undefined && processes < MAX_PROCESSES; processes++) {
    const run = await runSpecs(file, first)
    end = run.end
    if (end) break
    if (!run.spec) {
      end = { skipped: 0, unusedSkips: [], problem: `The process ${run.reason ?? 'lost the backend'} before a spec.` }
      break
    }
    if (!run.spec.isDone) fail(run.spec.name, `The process ${run.reason} in this spec.`)
    else console.log(`       The process ${run.reason ?? 'lost the backend'} after it; another one runs the rest.`)
    first = run.spec.index + 1
  }
} finally {
  rmSync(folder, { recursive: true })
}

end ??= {
  skipped: 0,
  unusedSkips: [],
  problem: `${MAX_PROCESSES} processes ended early; the specs after that did not run.`,
}
const { skipped, unusedSkips, problem } = end
if (problem) console.log(problem)
if (unusedSkips.length > 0 && !options.grep) console.log(`Skips that match no spec: ${unusedSkips.join('; ')}`)
console.log(
  `${options.backend}: ${totals.passed} passed, ${totals.failed} failed, ${skipped} skipped with a reason, ` +
    `${totals.pending} pending in tfjs`,
)
if (options.json) writeFileSync(options.json, `${JSON.stringify({ ...totals, skipped, problem, failures }, null, 2)}\n`)
const isWhole = options.grep !== '' || (totals.passed > 4000 && unusedSkips.length === 0)
process.exit(totals.failed === 0 && !problem && isWhole ? 0 : 1)

/**
 * Runs the specs from an index on, in one process.
 *
 * @returns The last spec that was started; and how the process ended, if it came to the end; else why not.
 */
function runSpecs(file, first) {
  const [command, ...before] = [...options.under.split(' ').filter(Boolean), process.execPath]
  const child = spawn(command, [...before, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      OP_TESTS_BACKEND: options.backend,
      OP_TESTS_GREP: options.grep,
      OP_TESTS_FIRST: String(first),
    },
  })
  const run = { spec: undefined, end: undefined, reason: undefined }
  let timer
  const wait = () => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      run.reason = `took longer than ${options.patience} s`
      child.kill('SIGKILL')
    }, options.patience * 1000)
  }
  wait()
  createInterface({ input: child.stdout }).on('line', (line) => {
    wait()
    if (!line.startsWith('@spec ')) {
      if (run.spec && !run.spec.isNamed) console.log(`In ${run.spec.name}:`)
      if (run.spec) run.spec.isNamed = true
      return console.log(line)
    }
    const event = JSON.parse(line.slice('@spec '.length))
    if (event.kind === 'started') run.spec = { ...event, isDone: false }
    else if (event.kind === 'end') run.end = event
    else if (event.kind === 'lost') run.isLost = true
    else {
      run.spec.isDone = true
      if (event.status === 'failed') fail(run.spec.name, event.message)
      else totals[event.status]++
    }
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      if (code !== 0 && !run.isLost) run.reason ??= `ended with ${signal ?? `exit code ${code}`}`
      if (run.end && run.reason) run.end.problem ??= `The process ${run.reason} after the last spec.`
      resolve(run)
    })
  })
}

/** tfjs-core's specs and dcml's sources as one file. */
async function bundle(outfile) {
  await build({
    entryPoints: [join(root, 'tests/op-tests/run.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    // Without it, "sideEffects": false of tfjs-core drops its tests.
    ignoreAnnotations: true,
    // The module form of every package: one copy of tfjs-core.
    mainFields: ['module', 'main'],
    define: { 'import.meta.url': 'importMetaUrl' },
    banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href" },
    external: [
      'jasmine',
      'jasmine-core',
      'koffi',
      '@tensorflow/tfjs-backend-webgl',
      '#threads',
      // Optional: bundled with the one copy of tfjs-core when it is asked for.
      ...(options.backend === 'webgpu' ? [] : ['@tensorflow/tfjs-backend-webgpu']),
    ],
    logLevel: 'error',
  })
}
