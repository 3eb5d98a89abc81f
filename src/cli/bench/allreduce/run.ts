/**
 * `dcml bench allreduce`: measures all-reduce over a transport, beside Gloo and MPI in C.
 *
 * Owns: the order of rounds, progress, medians and ratios.
 * Leaves: the measurement to processes of their own, the table to table.ts.
 * @module
 */

import type { AllReduceAlgorithm } from '../../../index.js'
import { median } from '../figures.js'
import { showProgress, writeFigures } from '../report.js'
import { launch } from './launch.js'
import {
  type BenchTransport,
  type Contender,
  contenders,
  defaultSizes,
  type Measurement,
  type MpiName,
  type Order,
  type Outcome,
  sizeOrder,
} from './order.js'
import { formatAllReduce } from './table.js'

/** Options of the command. */
export interface BenchAllReduceOptions {
  transport: BenchTransport
  mpi: MpiName
  workers: number
  sizes?: number[]
  contender?: Contender[]
  algorithm: 'auto' | AllReduceAlgorithm
  rounds: number
  json?: string
}

/** What one contender reached with one size. */
export interface SizeFigures {
  /** Of all batches of all rounds. */
  medianUs: number
  minUs: number
  /** Bytes over time. */
  algorithmGBps: number
  /** What each rank at least must send, 2 (n - 1) / n of the bytes, over time: the same for any number of ranks. */
  busGBps: number
  /** Time of this contender over dcml's: above 1, dcml is the faster. */
  ratio?: number
}

/** All figures, as `--json` writes them. */
export interface AllReduceFigures {
  transport: BenchTransport
  workers: number
  algorithm: string
  rounds: number
  sizes: { bytes: number; results: { [contender in Contender]?: SizeFigures } }[]
  versions: { [contender in Contender]?: string }
  /** Why there are no figures of a contender. */
  missing: { [contender in Contender]?: string }
}

/** Measures and reports. A contender that cannot be measured is reported; the exit code is 1 if that one is dcml. */
export async function runBenchAllReduce(options: BenchAllReduceOptions): Promise<void> {
  const { transport, mpi, workers, algorithm, rounds, json, contender: chosen, sizes = defaultSizes } = options
  // Before the measurements, so that a path that cannot be written shows at once.
  if (json !== undefined) await writeFigures(json, {})
  const order: Order = { transport, mpi, workers, algorithm, sizes: sizes.map(sizeOrder), warmUps: 4, batches: 5 }
  const outcomes = await measure(
    contenders.filter((contender) => !chosen || chosen.includes(contender)),
    { order, rounds },
  )
  showProgress('')
  const figures = { transport, workers, algorithm, rounds, ...figuresOf(order, outcomes) }
  console.log(formatAllReduce(figures))
  if (json !== undefined) await writeFigures(json, figures)
  if (figures.missing.dcml !== undefined) process.exitCode = 1
}

/** Runs the rounds. The contenders take turns, so that what disturbs the machine meets all of them. */
async function measure(
  columns: readonly Contender[],
  { order, rounds }: { order: Order; rounds: number },
): Promise<Map<Contender, Outcome[]>> {
  const outcomes = new Map<Contender, Outcome[]>(columns.map((contender) => [contender, []]))
  for (let round = 1; round <= rounds; round++)
    for (const [contender, own] of outcomes) {
      if (own.some((outcome) => !('timesUs' in outcome))) continue
      showProgress(`round ${round} of ${rounds}: ${contender}`)
      own.push(await launch(contender, order))
    }
  return outcomes
}

function figuresOf(
  { sizes, workers }: Order,
  outcomes: ReadonlyMap<Contender, readonly Outcome[]>,
): Pick<AllReduceFigures, 'sizes' | 'versions' | 'missing'> {
  const versions: AllReduceFigures['versions'] = {}
  const missing: AllReduceFigures['missing'] = {}
  const measured = new Map<Contender, Measurement[]>()
  for (const [contender, rounds] of outcomes) {
    const failure = rounds.find((outcome) => !('timesUs' in outcome))
    if (failure) missing[contender] = 'skipped' in failure ? failure.skipped : (failure as { error: string }).error
    else measured.set(contender, rounds as Measurement[])
    const version = measured.get(contender)?.[0]?.version
    if (version !== undefined) versions[contender] = version
  }
  const rows = sizes.map(({ bytes }, at) => {
    const results: { [contender in Contender]?: SizeFigures } = {}
    for (const [contender, rounds] of measured) {
      const times = rounds.flatMap(({ timesUs }) => timesUs[at]!)
      const medianUs = median(times)
      const algorithmGBps = bytes / medianUs / 1000
      const busGBps = (algorithmGBps * 2 * (workers - 1)) / workers
      results[contender] = { medianUs, minUs: Math.min(...times), algorithmGBps, busGBps }
      if (contender !== 'dcml' && results.dcml) results[contender].ratio = medianUs / results.dcml.medianUs
    }
    return { bytes, results }
  })
  return { sizes: rows, versions, missing }
}
