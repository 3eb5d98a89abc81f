/**
 * `dcml bench train`: measures training steps of dcml and of other libraries.
 *
 * Owns: the order of rounds, progress, the table and the file of figures.
 * Leaves: each measurement to a process of its own.
 * @module
 */

import { type BenchCase, type Contender, cases, contendersOf, type Library, libraries } from './cases.js'
import { type CaseFigures, figuresOf } from './figures.js'
import { launch } from './launch.js'
import type { Order, Outcome } from './measurement.js'
import { showProgress, writeFigures } from './report.js'
import { formatTable } from './table.js'

/** Options of the command. */
export interface BenchTrainOptions {
  case?: string[]
  library?: Library[]
  rounds: number
  seconds: number
  engine: Order['engine']
  assist?: boolean
  json?: string
}

/** Measures and reports. A library that cannot be measured is reported; the exit code is 1 if that one is dcml. */
export async function runBenchTrain(options: BenchTrainOptions): Promise<void> {
  const { case: names, library: chosen, rounds, seconds, json } = options
  const wanted = cases.filter(({ name }) => !names || names.includes(name))
  const columns = libraries.filter((library) => !chosen || chosen.includes(library))
  const figures: CaseFigures[] = []
  const write = async () => json !== undefined && writeFigures(json, { rounds, seconds, cases: figures })
  // Before the first case, so that a path that cannot be written shows at once; after each, so that a run that is
  // broken off keeps what it measured.
  await write()
  for (const benchCase of wanted) {
    figures.push(figuresOf(benchCase, await runCase(benchCase, contendersOf(benchCase, columns), options)))
    await write()
  }
  showProgress('')
  console.log(formatTable(figures))
  if (figures.some(({ results }) => results.dcml && 'error' in results.dcml)) process.exitCode = 1
}

/** Runs the rounds. The libraries take turns, so that what disturbs the machine meets all of them. */
async function runCase(
  benchCase: BenchCase,
  contenders: readonly Contender[],
  { rounds, seconds, engine, assist = false }: BenchTrainOptions,
): Promise<Map<Contender, Outcome[]>> {
  const { name, network, rowsPerWorker, workers, stepsPerEpoch, processes = false } = benchCase
  const order: Order = { network, rowsPerWorker, workers, processes, stepsPerEpoch, seconds, engine, assist }
  const outcomes = new Map<Contender, Outcome[]>(contenders.map((contender) => [contender, []]))
  for (let round = 1; round <= rounds; round++)
    for (const [contender, own] of outcomes) {
      if (own.some((outcome) => !('usPerSample' in outcome))) continue
      showProgress(`${name}, round ${round} of ${rounds}: ${contender}`)
      own.push(await launch(contender, order))
    }
  return outcomes
}
