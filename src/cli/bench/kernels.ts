/**
 * `dcml bench kernels`: measures single operations on dcml's wasm backend.
 *
 * Owns: the order of rounds, progress, rates and shares.
 * Leaves: what is measured to kernel-cases.ts, the table to kernel-table.ts.
 * @module
 */

import { selectBackend } from '../../index.js'
import { median } from './figures.js'
import { type KernelCase, kernelCases, references } from './kernel-cases.js'
import { formatKernels } from './kernel-table.js'
import { showProgress, writeFigures } from './report.js'

/** Options of the command. */
export interface BenchKernelsOptions {
  kernel?: string[]
  rounds: number
  seconds: number
  json?: string
}

/** One line of the table, as `--json` writes it. */
export interface KernelFigures {
  kernel: string
  shape: string
  /** Microseconds per call: shortest round, median, each round. */
  minUs: number
  medianUs: number
  roundsUs: number[]
  /** In the shortest round. */
  rate: number
  unit: 'GFLOP/s' | 'GB/s'
  /** The rate over that of the best product, or over that of a copy in JavaScript. */
  share: number
}

/** What the shares refer to. */
export interface Peaks {
  gflops: number
  copyGBps: number
}

/** Names that `--kernel` takes. */
export const kernelNames = [...new Set(kernelCases.map(({ kernel }) => kernel))]

/** Measures and reports. */
export async function runBenchKernels({ kernel: names, rounds, seconds, json }: BenchKernelsOptions): Promise<void> {
  // Before the measurements, so that a path that cannot be written shows at once.
  if (json !== undefined) await writeFigures(json, {})
  const { name, features } = await selectBackend({ prefer: ['wasm'] })
  const backend = [name, ...features].join(' ')
  const wanted = (benchCase: KernelCase) => !names || names.includes(benchCase.kernel)
  const times = await measure(
    kernelCases.filter((benchCase) => wanted(benchCase) || references.includes(benchCase)),
    rounds,
    seconds,
  )
  showProgress('')
  const peaks = peaksOf(times)
  const kernels = [...times]
    .filter(([benchCase]) => wanted(benchCase))
    .map(([benchCase, own]) => figuresOf(benchCase, own, peaks))
  console.log(formatKernels({ backend, peaks, kernels }))
  if (json !== undefined) await writeFigures(json, { backend, rounds, seconds, peaks, kernels })
}

/** Runs the rounds. The cases take turns, so that what disturbs the machine meets all of them. */
async function measure(
  cases: readonly KernelCase[],
  rounds: number,
  seconds: number,
): Promise<Map<KernelCase, number[]>> {
  const prepared = cases.map((benchCase) => ({ benchCase, run: benchCase.prepare(), times: [] as number[] }))
  for (let round = 0; round <= rounds; round++)
    for (const { benchCase, run, times } of prepared) {
      showProgress(`round ${round} of ${rounds}: ${benchCase.kernel} ${benchCase.shape}`)
      const time = await run(seconds)
      // The first is the warm-up: the runtime compiles what it runs.
      if (round > 0) times.push(time)
    }
  return new Map(prepared.map(({ benchCase, times }) => [benchCase, times]))
}

const amountOf = ({ work }: KernelCase): number => ('flops' in work ? work.flops : work.bytes)

/** Billions per second in the shortest round. */
const rateOf = (benchCase: KernelCase, times: readonly number[]): number =>
  amountOf(benchCase) / (Math.min(...times) * 1000)

function peaksOf(times: ReadonlyMap<KernelCase, readonly number[]>): Peaks {
  const best = (kernel: string) =>
    Math.max(...[...times].filter(([own]) => own.kernel === kernel).map(([own, rounds]) => rateOf(own, rounds)))
  return { gflops: best('matMul'), copyGBps: best('copy') }
}

function figuresOf(benchCase: KernelCase, roundsUs: number[], peaks: Peaks): KernelFigures {
  const { kernel, shape, work } = benchCase
  const rate = rateOf(benchCase, roundsUs)
  const [unit, peak] = 'flops' in work ? (['GFLOP/s', peaks.gflops] as const) : (['GB/s', peaks.copyGBps] as const)
  return {
    kernel,
    shape,
    minUs: Math.min(...roundsUs),
    medianUs: median(roundsUs),
    roundsUs,
    rate,
    unit,
    share: rate / peak,
  }
}
