/**
 * Measures all-reduce over MPI: dcml, and the same loop in C where a compiler is found, under each mpirun found here.
 *
 * npm run build && node scripts/bench-mpi.mjs [RANKS]
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ranks = process.argv[2] ?? '2'
/** Bytes of an array, and how often it is reduced in one run. */
const sizes = ['4:2000', '4096:2000', '65536:1000', '400000:300', '4000000:60', '40000000:10']
/** Runs of each, in turns: the system gives neither the cores for good. */
const RUNS = 3
const launchers = [
  {
    mpirun: 'mpirun.openmpi',
    mpicc: 'mpicc.openmpi',
    options: ['--allow-run-as-root', '--oversubscribe', '--bind-to', 'none'],
  },
  { mpirun: 'mpirun.mpich', mpicc: 'mpicc.mpich', options: [] },
]

const source = fileURLToPath(new URL('../src/cli/bench/with_mpi.c', import.meta.url))
const module = `
  import { mpi } from 'dcml/node'
  const { rank, worldSize, native } = await mpi().join()
  const results = []
  for (const size of process.argv.slice(1)) {
    const [bytes, repeats] = size.split(':').map(Number)
    const values = new Float32Array(bytes / 4)
    const us = []
    for (let repeat = -2; repeat < repeats; repeat++) {
      await native.barrier()
      const start = performance.now()
      await native.allReduce(values)
      if (repeat >= 0) us.push((performance.now() - start) * 1000)
    }
    results.push({ bytes, us })
  }
  if (rank === 0) console.log(JSON.stringify({ worldSize, results }))
`

const folder = mkdtempSync(join(tmpdir(), 'dcml-bench-mpi-'))
try {
  for (const launcher of launchers) measure(launcher)
} finally {
  rmSync(folder, { recursive: true })
}

function measure({ mpirun, mpicc, options }) {
  const program = join(folder, mpicc)
  if (!runs(mpirun, '--version')) return console.log(`${mpirun} is not here.`)
  const hasC = runs(mpicc, '-O2', source, '-o', program)
  if (!hasC) console.log(`${mpicc} is not here: no loop in C to compare with.`)
  const run = (command) =>
    JSON.parse(execFileSync(mpirun, [...options, '-n', ranks, ...command, ...sizes], { encoding: 'utf8' }))
  const node = [process.execPath, '--input-type=module', '--eval', module]
  const rounds = Array.from({ length: RUNS }, () => ({
    c: hasC ? run([program]) : undefined,
    dcml: run([...node, '--']),
  }))
  console.log(`\n${rounds[0].c?.version ?? mpirun}, ${ranks} ranks: median of ${RUNS} runs' medians, us`)
  console.log('       bytes         C      dcml     ratio')
  for (const [i, { bytes }] of rounds[0].dcml.results.entries()) {
    const dcml = median(rounds.map((round) => median(round.dcml.results[i].us)))
    const c = hasC ? median(rounds.map((round) => median(round.c.results[i].us))) : undefined
    const cells = [bytes, c?.toFixed(1) ?? '', dcml.toFixed(1), c === undefined ? '' : (dcml / c).toFixed(2)]
    console.log(cells.map((cell, column) => String(cell).padStart(column === 0 ? 12 : 10)).join(''))
  }
}

function runs(command, ...parameters) {
  try {
    execFileSync(command, parameters, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1]
}
