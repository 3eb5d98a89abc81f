/**
 * `dcml bench cuda`: dcml and PyTorch on the same GPU.
 *
 * Owns: the cases, the order, the tables and the file of figures.
 * Leaves: each measurement to a process of its own, for a kernel that fails ends all work on the GPU in its process.
 * @module
 */

import { fileURLToPath } from 'node:url'
import { BackendUnavailableError, selectBackend } from '../../../index.js'
import type { BenchCase, Contender } from '../cases.js'
import { type CaseFigures, figuresOf } from '../figures.js'
import { launch } from '../launch.js'
import type { Outcome } from '../measurement.js'
import { showProgress, writeFigures } from '../report.js'
import { findPython, outcomeOf } from '../run-child.js'
import { formatTable } from '../table.js'
import { type OperationFigures, type OperationTimes, operationFigures, operationTable } from './operation-figures.js'
import { copyName, type OperationMeasurement, type OperationOrder, operations } from './operations.js'
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
  {
    ...onGpu,
    name: 'mlp',
    network: { kind: 'mlp', units: [64, 64] },
    rowsPerWorker: 32,
    stepsPerEpoch: 256,
    target: { over: 'pytorch', atLeast: 1, aim: 3 },
  },
  {
    ...onGpu,
    name: 'cnn',
    network: { kind: 'cnn', filters: [32, 64], units: 128 },
    rowsPerWorker: 256,
    stepsPerEpoch: 64,
    target: { over: 'pytorch', atLeast: 0.6, aim: 1 },
  },
  {
    ...onGpu,
    name: 'transformer',
    network: { kind: 'transformer', tokens: 256, vocabulary: 1000, width: 512, heads: 8, blocks: 6, hidden: 2048 },
    rowsPerWorker: 32,
    stepsPerEpoch: 8,
    precision: 'bfloat16',
    target: { over: 'pytorch', atLeast: 0.6, aim: 0.9 },
  },
]

/** Names that `--case` takes. */
export const cudaCases = [...operations, ...trainings].map(({ name }) => name)

/** What is measured, as `--json` writes it. */
interface Figures {
  device: string
  side: number
  elements: number
  rounds: number
  seconds: number
  operations: OperationFigures[]
  cases: CaseFigures[]
}

/**
 * Measures and reports; where there is no GPU it says why, and that is no failure. The exit code is 1 if dcml cannot be
 * measured in a case.
 */
export async function runBenchCuda(options: BenchCudaOptions): Promise<void> {
  const { case: names, side, elements, rounds, seconds, json } = options
  const device = await openGpu()
  if ('skipped' in device) {
    if (json !== undefined) await writeFigures(json, device)
    console.log(`Skipped: ${device.skipped}`)
    return
  }
  const figures: Figures = { device: device.title, side, elements, rounds, seconds, operations: [], cases: [] }
  // Before the first case, so that a path that cannot be written shows at once; after each, so that a run that is
  // broken off keeps what it measured.
  const write = async () => json !== undefined && writeFigures(json, figures)
  await write()
  console.log(device.title)
  const isWanted = ({ name }: { name: string }) => !names || names.includes(name)
  const isBound = operations.some((operation) => isWanted(operation) && operation.target?.over === 'copy')
  const wanted = operations.filter((operation) => isWanted(operation) || (isBound && operation.name === copyName))
  if (wanted.length > 0) {
    const { timesOf, note } = await measureOperations(
      wanted.map(({ name }) => name),
      options,
    )
    figures.operations = operationFigures(wanted, timesOf, options)
    await write()
    showProgress('')
    console.log(`\n${operationTable(figures.operations)}\n${note}`)
  }
  for (const training of trainings.filter(isWanted)) {
    figures.cases.push(figuresOf(training, await measureTraining(training, options)))
    await write()
  }
  showProgress('')
  if (figures.cases.length > 0) console.log(`\n${formatTable(figures.cases)}`)
  const isMissing = figures.cases.some(({ results }) => results.dcml && 'error' in results.dcml)
  if (isMissing || figures.operations.some((of) => 'error' in of)) process.exitCode = 1
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

/** The two take turns, so that a GPU that grows warm meets both. */
async function measureTraining(
  training: BenchCase,
  { rounds, seconds }: BenchCudaOptions,
): Promise<Map<Contender, Outcome[]>> {
  const outcomes = new Map<Contender, Outcome[]>([
    ['dcml', []],
    ['pytorch', []],
  ])
  for (let round = 1; round <= rounds; round++)
    for (const [contender, own] of outcomes) {
      if (own.some((outcome) => !('usPerSample' in outcome))) continue
      showProgress(`${training.name}, round ${round} of ${rounds}: ${contender}`)
      own.push(await launch(contender, { ...training, seconds, engine: 'auto', assist: false }))
    }
  return outcomes
}

type PytorchOutcome = { us: Record<string, number>; version: string } | { skipped: string } | { error: string }

/** @returns Times by operation, and what there is to say of PyTorch. */
async function measureOperations(
  names: readonly string[],
  { side, elements, rounds, seconds }: BenchCudaOptions,
): Promise<{ timesOf: Map<string, OperationTimes>; note: string }> {
  const timesOf = new Map(names.map((name): [string, OperationTimes] => [name, { us: [], pytorchUs: [] }]))
  let pytorch: PytorchOutcome | undefined
  for (let round = 1; round <= rounds; round++) {
    for (const [name, times] of timesOf) {
      if (times.error !== undefined) continue
      showProgress(`${name}, round ${round} of ${rounds}: dcml`)
      const outcome = await measureOwn({ name, side, elements, seconds })
      if ('us' in outcome) times.us.push(outcome.us)
      else times.error = outcome.error
    }
    if (pytorch && !('us' in pytorch)) continue
    showProgress(`operations, round ${round} of ${rounds}: pytorch`)
    pytorch = await measurePytorch({ names, side, elements, seconds })
    if ('us' in pytorch) for (const [name, us] of Object.entries(pytorch.us)) timesOf.get(name)!.pytorchUs.push(us)
  }
  return { timesOf, note: pytorchNote(pytorch) }
}

function measureOwn(order: OperationOrder): Promise<OperationMeasurement | { error: string }> {
  const program = fileURLToPath(new URL('./bench-child.js', import.meta.url))
  const args = [program, 'dcml-operation', JSON.stringify(order)]
  return outcomeOf(process.execPath, args, { environment: {}, timeoutSeconds: Math.ceil(60 + 5 * order.seconds) })
}

async function measurePytorch(
  order: Omit<OperationOrder, 'name'> & { names: readonly string[] },
): Promise<PytorchOutcome> {
  const python = await findPython()
  if (python === undefined) return { skipped: 'not installed' }
  const timeoutSeconds = Math.ceil(120 + 5 * order.names.length * order.seconds)
  return outcomeOf(python, ['-c', pytorchProgram, JSON.stringify(order)], { environment: {}, timeoutSeconds })
}

function pytorchNote(outcome: PytorchOutcome | undefined): string {
  if (outcome && 'us' in outcome)
    return (
      `PyTorch ${outcome.version}, eager. bfloat16: its operands and results are bfloat16, those of dcml float32, which ` +
      'keeps a rounded copy of operands.'
    )
  return `No figure of pytorch: ${!outcome ? 'not measured' : 'skipped' in outcome ? outcome.skipped : outcome.error}`
}
