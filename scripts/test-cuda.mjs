#!/usr/bin/env node
/**
 * Tests the backend cuda on the GPU of this machine, in stages: each a process with a time limit and a log of its own, so
 * that one which crashes or hangs leaves the others alone.
 *
 *   npm run test:cuda [-- STAGE...] [--out FOLDER]
 *
 * `--list` names the stages; without a name all run but the tools of compute-sanitizer and the benchmark, `all` runs
 * those too. Writes a log for each and summary.json. Says why it does nothing where there is no GPU.
 */

import { spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: 'string' }, list: { type: 'boolean', default: false } },
})
const out = resolve(options.out ?? join(root, 'node_modules/.cache/test-cuda'))
const node = process.execPath

/** Kernels with barriers, shared memory and indices: what a sanitizer has to say something about. */
const sanitized =
  'matMul|conv2d|conv3d|[mM]axPool|avgPool|batchNorm|softmax|sum |mean|argMax|gather|transpose|concat|pad |tile|cumsum|oneHot'
const opTests = (...more) => [node, 'scripts/op-tests.mjs', '--backend', 'cuda', ...more]
const underSanitizer = (tool) => () => {
  const sanitizer = findSanitizer()
  if (!sanitizer) return { skipped: 'There is no compute-sanitizer: it is part of the CUDA toolkit.' }
  const under = `${sanitizer} --tool ${tool} --error-exitcode 86`
  return opTests('--grep', sanitized, '--patience', '300', '--under', under)
}
const testFile = (name) => ({
  name,
  seconds: 240,
  command: () => [node, 'node_modules/vitest/vitest.mjs', 'run', `tests/cuda/${name}.test.ts`, '--reporter=verbose'],
})
const files = readdirSync(join(root, 'tests/cuda'))
  .map((file) => /^(.*)\.test\.ts$/.exec(file)?.[1])
  // The op tests over the stand-in.
  .filter((name) => name !== undefined && name !== 'op-tests')
  // What runs kernels comes before what compiles them for all that there are.
  .sort((a, b) => a.startsWith('compile') - b.startsWith('compile') || a.localeCompare(b))

/** In this order: what comes first explains what fails later. */
const stages = [
  { name: 'doctor', seconds: 120, command: () => [node, 'dist/cli.js', 'doctor', '--json', join(out, 'doctor.json')] },
  {
    name: 'ops-debug',
    about: 'op tests of tfjs-core, every launch waited for: a kernel that fails is named',
    seconds: 300,
    env: { DCML_CUDA_DEBUG: '1' },
    command: () => opTests('--json', join(out, 'ops-debug.json')),
  },
  {
    name: 'ops',
    about: 'the same as users run them',
    seconds: 300,
    command: () => opTests('--json', join(out, 'ops.json')),
  },
  ...files.map(testFile),
  {
    name: 'memcheck',
    about: 'main op tests under compute-sanitizer, each tensor with memory of its exact size',
    seconds: 900,
    isExtra: true,
    env: { DCML_CUDA_DEBUG: '1' },
    command: underSanitizer('memcheck'),
  },
  {
    name: 'racecheck',
    about: 'the same for races in shared memory',
    seconds: 900,
    isExtra: true,
    command: underSanitizer('racecheck'),
  },
  {
    name: 'bench',
    about: 'dcml bench cuda, beside PyTorch',
    seconds: 900,
    isExtra: true,
    command: () => [node, 'dist/cli.js', 'bench', 'cuda', '--seconds', '1', '--json', join(out, 'bench.json')],
  },
]

const known = stages.map(({ name }) => name)
const unknown = positionals.filter((name) => name !== 'all' && !known.includes(name))
if (options.list || unknown.length > 0) {
  if (unknown.length > 0) console.error(`There is no stage ${unknown.join(', ')}. Those that there are:`)
  for (const { name, about = `tests/cuda/${name}.test.ts` } of stages) console.log(`${name.padEnd(18)} ${about}`)
  process.exit(unknown.length > 0 ? 1 : 0)
}
const isWanted = ({ name, isExtra }) =>
  positionals.includes(name) || positionals.includes('all') || (positionals.length === 0 && !isExtra)

mkdirSync(out, { recursive: true })
const summary = { date: new Date().toISOString(), commit: commitOf(), node: process.version, stages: [] }
let environment = {}
let running
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => {
    if (running) stop(running)
    report()
    process.exit(130)
  })

const [doctor, ...others] = stages
// Always: it says whether the rest makes sense.
let cuda = await examine()
if (!cuda.available) {
  environment = librariesOfPython()
  if (environment.DCML_CUDA_LIBRARIES) cuda = await examine()
}
if (!cuda.available) {
  summary.skipped = cuda.reason
  report()
  console.log(`Skipped: ${cuda.reason}\n${readFileSync(logOf('machine'), 'utf8')}`)
  process.exit(0)
}
summary.device = [cuda.device, ...cuda.features].join(', ')
console.log(`${summary.device}\nLogs in ${out}\n`)
for (const stage of others) if (isWanted(stage)) await runStage(stage)
report()
process.exit(summary.stages.some(({ status }) => status !== 'passed' && status !== 'skipped') ? 1 : 0)

/** What dcml doctor says of the backend; and of the machine, for the log. */
async function examine() {
  const asked = [
    ['nvidia-smi'],
    ['sh', '-c', 'ls -l /dev/nvidia* 2>&1'],
    ['python3', '-c', 'import torch; print("PyTorch", torch.__version__, "of CUDA", torch.version.cuda)'],
  ]
  const answers = asked.map(([command, ...args]) => {
    const { stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout: 60_000 })
    return `$ ${command} ${args.join(' ')}\n${error ? error.message : stdout + stderr}`
  })
  writeFileSync(logOf('machine'), answers.join('\n'))
  const { status } = await runStage(doctor)
  if (status !== 'passed')
    return { available: false, features: [], reason: `dcml doctor ${status}: see ${logOf('doctor')}` }
  return JSON.parse(readFileSync(join(out, 'doctor.json'), 'utf8')).backends.find(({ name }) => name === 'cuda')
}

async function runStage({ name, seconds, env, command }) {
  const run = command()
  const record = { name, status: 'broken off' }
  summary.stages = [...summary.stages.filter((stage) => stage.name !== name), record]
  if ('skipped' in run) Object.assign(record, { status: 'skipped', said: run.skipped })
  else {
    const start = performance.now()
    const { code, signal, isLate } = await runInGroup(run, env, logOf(name), seconds)
    record.status = isLate ? 'timed out' : signal ? 'crashed' : code === 0 ? 'passed' : 'failed'
    Object.assign(record, {
      seconds: Math.round((performance.now() - start) / 100) / 10,
      code,
      signal,
      log: logOf(name),
    })
    record.said = saidIn(readFileSync(logOf(name), 'utf8'))
  }
  console.log(
    `${name.padEnd(18)} ${record.status.padEnd(9)} ${String(record.seconds ?? '').padStart(6)} s  ${record.said}`,
  )
  if (record.status !== 'passed' && record.status !== 'skipped') console.log(tail(name))
  report()
  return record
}

/** A process group of its own: what the stage has started ends with it. */
function runInGroup([command, ...args], env, log, seconds) {
  const file = openSync(log, 'w')
  running = spawn(command, args, {
    cwd: root,
    detached: true,
    stdio: ['ignore', file, file],
    env: { ...process.env, ...environment, ...env, DCML_TEST_GPU: '1', NO_COLOR: '1' },
  })
  const child = running
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    stop(child)
  }, seconds * 1000)
  return new Promise((settle) => {
    child.on('error', (error) => writeFileSync(log, String(error)))
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      closeSync(file)
      running = undefined
      settle({ code, signal, isLate })
    })
  })
}

function stop({ pid }) {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

function report() {
  writeFileSync(join(out, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`)
}

function logOf(name) {
  return join(out, `${name}.log`)
}

/** The line that sums a log up: vitest's counts, what doctor says of cuda, else the last. */
function saidIn(log) {
  const lines = log.trimEnd().split('\n')
  return (lines.findLast((line) => /^\s+Tests {2}|^. cuda /.test(line)) ?? lines.at(-1)).trim()
}

function tail(name) {
  const lines = readFileSync(logOf(name), 'utf8').trimEnd().split('\n').slice(-20)
  return lines.map((line) => `  | ${line}`).join('\n')
}

/** The folders of NVIDIA's wheels, where Python knows some that dcml does not look into. */
function librariesOfPython() {
  if (process.env.DCML_CUDA_LIBRARIES) return {}
  const program =
    'import nvidia, os; print(*(d for p in nvidia.__path__ for d, _, f in os.walk(p) if d.endswith("lib")), sep=":")'
  const { status, stdout } = spawnSync('python3', ['-c', program], { encoding: 'utf8' })
  return status === 0 && stdout.trim() ? { DCML_CUDA_LIBRARIES: stdout.trim() } : {}
}

function findSanitizer() {
  const folders = [
    ...(process.env.PATH ?? '').split(':'),
    ...readdirSync('/usr/local')
      .filter((name) => name.startsWith('cuda'))
      .flatMap((name) => [`/usr/local/${name}/bin`, `/usr/local/${name}/compute-sanitizer`]),
  ]
  return folders.map((folder) => join(folder, 'compute-sanitizer')).find((file) => existsSync(file))
}

/** Of the repository; in a kit that was packed of it, as the file there says. */
function commitOf() {
  if (existsSync(join(root, 'commit'))) return readFileSync(join(root, 'commit'), 'utf8').trim()
  const { stdout } = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' })
  return stdout?.trim()
}
