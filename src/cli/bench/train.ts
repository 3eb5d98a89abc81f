/**
 * `dcml bench train`: measures training steps of dcml and of other libraries.
 *
 * Owns: the order of rounds, progress, the table and the file of figures.
 * Leaves: each measurement to a process of its own.
 * @module
 */

import { writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { ConfigError } from '../../index.js'
import { type BenchCase, type Contender, cases, contendersOf, type Library, libraries } from './cases.js'
import { type CaseFigures, figuresOf } from './figures.js'
import { launch } from './launch.js'
import type { Order, Outcome } from './measurement.js'
import { formatTable } from './table.js'

/** Options of the command. */
export interface BenchTrainOptions {
  case?: string[]
  library?: Library[]
  rounds: number
  seconds: number
  engine: Order['engine']
  json?: string
}

/** Measures and reports. A library that cannot be measured is reported; the exit code is 1 if that one is dcml. */
export async function runBenchTrain(options: BenchTrainOptions): Promise<void> {
  const { case: names, library: chosen, json } = options
  const wanted = cases.filter(({ name }) => !names || names.includes(name))
  const columns = libraries.filter((library) => !chosen || chosen.includes(library))
  const figures: CaseFigures[] = []
  // Before the first case, so that a path that cannot be written shows at once; after each, so that a run that is
  // broken off keeps what it measured.
  if (json !== undefined) await writeFigures(json, options, figures)
  for (const benchCase of wanted) {
    figures.push(figuresOf(benchCase, await runCase(benchCase, contendersOf(benchCase, columns), options)))
    if (json !== undefined) await writeFigures(json, options, figures)
  }
  showProgress('')
  console.log(formatTable(figures))
  if (figures.some(({ results }) => results.dcml && 'error' in results.dcml)) process.exitCode = 1
}

/** Runs the rounds. The libraries take turns, so that what disturbs the machine meets all of them. */
async function runCase(
  benchCase: BenchCase,
  contenders: readonly Contender[],
  { rounds, seconds, engine }: BenchTrainOptions,
): Promise<Map<Contender, Outcome[]>> {
  const { name, network, rowsPerWorker, workers, stepsPerEpoch } = benchCase
  const order: Order = { network, rowsPerWorker, workers, stepsPerEpoch, seconds, engine }
  const outcomes = new Map<Contender, Outcome[]>(contenders.map((contender) => [contender, []]))
  for (let round = 1; round <= rounds; round++)
    for (const [contender, own] of outcomes) {
      if (own.some((outcome) => !('usPerSample' in outcome))) continue
      showProgress(`${name}, round ${round} of ${rounds}: ${contender}`)
      own.push(await launch(contender, order))
    }
  return outcomes
}

async function writeFigures(
  path: string,
  { rounds, seconds }: BenchTrainOptions,
  figures: readonly CaseFigures[],
): Promise<void> {
  const content = {
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    date: new Date().toISOString(),
    rounds,
    seconds,
    cases: figures,
  }
  try {
    await writeFile(path, `${JSON.stringify(content, null, 2)}\n`)
  } catch (cause) {
    throw new ConfigError('The file of figures cannot be written.', {
      received: path,
      remedy: 'Pass a path in a folder that exists to --json',
      cause,
    })
  }
}

/** One line on a terminal, overwritten by the next. */
function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${text}`)
}
