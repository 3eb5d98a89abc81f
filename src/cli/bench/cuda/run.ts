/**
 * `dcml bench cuda`: dcml and PyTorch on the same GPU.
 *
 * Owns: the cases, the order, the tables and the file of figures.
 * Leaves: single operations to operations.ts, steps of training to processes of their own.
 * @module
 */

import { BackendUnavailableError, selectBackend } from '../../../index.js'
import type { BenchCase, Contender } from '../cases.js'
import { type CaseFigures, figuresOf, median } from '../figures.js'
import { launch } from '../launch.js'
import type { Outcome } from '../measurement.js'
import { showProgress, writeFigures } from '../report.js'
import { findPython, outcomeOf } from '../run-child.js'
import { formatTable } from '../table.js'
import { operations, type Sizes, timeOperation, titleOf } from './operations.js'
import pytorchProgram from './with_pytorch_operations.py'

/** Options of the command. */
export interface BenchCudaOptions {
  case?: string[]
  side: number
  elements: number
  rounds: number
  seconds: number
  json?: string
}

const onGpu = { workers: 1, device: 'cuda' } as const

/** Steps of training: Adam at 1e-3 with a softmax cross-entropy on random data. */
const trainings: readonly BenchCase[] = [
  { ...onGpu, name: 'mlp', network: { kind: 'mlp', units: [64, 64] }, rowsPerWorker: 32, stepsPerEpoch: 256 },
  {
    ...onGpu,
    name: 'cnn',
    network: { kind: 'cnn', filters: [32, 64], units: 128 },
    rowsPerWorker: 256,
    stepsPerEpoch: 64,
  },
  {
    ...onGpu,
    name: 'transformer',
    network: { kind: 'transformer', tokens: 256, vocabulary: 1000, width: 512, heads: 8, blocks: 6, hidden: 2048 },
    rowsPerWorker: 32,
    stepsPerEpoch: 8,
    precision: 'bfloat16',
  },
]

/** Names that `--case` takes. */
export const cudaCases = [...operations.map(titleOf), ...trainings.map(({ name }) => name)]

/** One operation, as `--json` writes it. */
interface OperationFigures {
  name: string
  unit: 'GFLOP/s' | 'GB/s'
  /** Microseconds per call, the median of the rounds; PyTorch's is absent where it is not here or sees no GPU. */
  us: number
  pytorchUs?: number
  rate: number
  /** Speed of dcml over that of PyTorch. */
  ratio?: number
}

/** Measures and reports; where there is no GPU it says why, and that is no failure. */
export async function runBenchCuda(options: BenchCudaOptions): Promise<void> {
  const { case: names, rounds, seconds, json } = options
  const device = await openGpu()
  if ('skipped' in device) {
    console.log(`Skipped: ${device.skipped}`)
    if (json !== undefined) await writeFigures(json, device)
    return
  }
  const isWanted = (name: string) => !names || names.includes(name)
  const sizes = { side: options.side, elements: options.elements }
  const measured = await measureOperations(isWanted, sizes, options)
  const cases: CaseFigures[] = []
  for (const training of trainings) {
    if (!isWanted(training.name)) continue
    const outcomes = new Map<Contender, Outcome[]>([
      ['dcml', []],
      ['pytorch', []],
    ])
    for (let round = 1; round <= rounds; round++)
      for (const [contender, own] of outcomes) {
        showProgress(`${training.name}, round ${round} of ${rounds}: ${contender}`)
        own.push(await launch(contender, { ...training, seconds, engine: 'auto', assist: false }))
      }
    cases.push(figuresOf(training, outcomes))
  }
  showProgress('')
  console.log(device.title)
  for (const { name, us, rate, unit, ratio } of measured.figures)
    console.log(
      `${name.padEnd(16)} ${us.toFixed(1).padStart(10)} us  ${rate.toFixed(0).padStart(8)} ${unit.padEnd(7)}  ` +
        (ratio === undefined ? '' : `${ratio.toFixed(2)} x PyTorch`).trimEnd(),
    )
  if (measured.note) console.log(measured.note)
  if (cases.length > 0) console.log(formatTable(cases))
  if (json !== undefined)
    await writeFigures(json, { device: device.title, ...sizes, rounds, seconds, operations: measured.figures, cases })
}

async function openGpu(): Promise<{ title: string } | { skipped: string }> {
  try {
    const { device, features } = await selectBackend({ prefer: ['cuda'] })
    return { title: [device, ...features].join(', ') }
  } catch (error) {
    if (error instanceof BackendUnavailableError) return { skipped: error.message }
    throw error
  }
}

type PytorchOutcome = { us: Record<string, number> } | { skipped: string } | { error: string }

/** The two take turns, so that a GPU that grows warm meets both. */
async function measureOperations(
  isWanted: (name: string) => boolean,
  sizes: Sizes,
  { rounds, seconds }: BenchCudaOptions,
): Promise<{ figures: OperationFigures[]; note?: string }> {
  const wanted = operations.filter((operation) => isWanted(titleOf(operation)))
  const own = new Map<string, number[]>()
  const theirs = new Map<string, number[]>()
  const add = (times: Map<string, number[]>, name: string, us: number) =>
    times.set(name, [...(times.get(name) ?? []), us])
  let note: string | undefined
  for (let round = 1; round <= rounds && wanted.length > 0; round++) {
    for (const operation of wanted) {
      showProgress(`${titleOf(operation)}, round ${round} of ${rounds}`)
      add(own, titleOf(operation), await timeOperation(operation, sizes, seconds))
    }
    const outcome = note === undefined ? await measurePytorch({ ...sizes, seconds }) : { skipped: note }
    if ('us' in outcome) for (const [name, us] of Object.entries(outcome.us)) add(theirs, name, us)
    else note ??= `PyTorch: ${'skipped' in outcome ? outcome.skipped : outcome.error}`
  }
  const figures = wanted.map((operation): OperationFigures => {
    const name = titleOf(operation)
    const us = median(own.get(name)!)
    const other = theirs.get(name)
    const rate = operation.work(sizes) / (us / 1e6)
    const beside = other && { pytorchUs: median(other), ratio: median(other) / us }
    return { name, unit: operation.unit, us, rate, ...beside }
  })
  return note === undefined ? { figures } : { figures, note }
}

async function measurePytorch(order: Sizes & { seconds: number }): Promise<PytorchOutcome> {
  const python = await findPython()
  if (python === undefined) return { skipped: 'not installed' }
  const timeoutSeconds = Math.ceil(120 + 20 * order.seconds)
  return outcomeOf(python, ['-c', pytorchProgram, JSON.stringify(order)], { environment: {}, timeoutSeconds })
}
