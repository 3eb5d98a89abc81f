/**
 * `dcml bench plan`: what planTraining predicts, beside what training then takes.
 *
 * Owns: the order of rounds, progress, the table and the file of figures.
 * Leaves: predictions to planTraining, the network to networks.ts.
 * @module
 */

import { fileURLToPath } from 'node:url'
import {
  adam,
  DataParallel,
  Dataset,
  type EpochRecord,
  type LinkModel,
  planTraining,
  SingleWorker,
  selectBackend,
  Trainer,
  TransportError,
} from '../../index.js'
import { cases, type Network } from './cases.js'
import { launch } from './launch.js'
import { buildNetwork } from './networks.js'
import { randomData } from './random-data.js'
import { showProgress, writeFigures } from './report.js'
import { outcomeOfGroup } from './run-child.js'

/** How the workers reach each other: threads, or processes over loopback. */
export const planTransports = ['sharedMemory', 'tcp'] as const

/** Options of the command. */
export interface BenchPlanOptions {
  case: string
  transport: (typeof planTransports)[number]
  batchSize: number
  workers: number[]
  rounds: number
  json?: string
}

/** One line of the table; times of a step in milliseconds. */
interface PlanFigures {
  workers: number
  predictedMs: number
  measuredMs: number
  /** Predicted over measured, less 1. */
  error: number
}

const STEPS = 8
const FIRST_EPOCHS = 3
const MEASURED_MS = 400

/** Predicts, measures and reports. */
export async function runBenchPlan(options: BenchPlanOptions): Promise<void> {
  const { case: name, transport, batchSize, workers, rounds, json } = options
  if (json !== undefined) await writeFigures(json, {})
  await selectBackend()
  const { network } = cases.find((benchCase) => benchCase.name === name)!
  const { rows, shape, x, y } = randomData({ network, rowsPerWorker: batchSize, workers: 1, stepsPerEpoch: STEPS })
  const data = Dataset.fromArrays({ x: { data: x, shape: [rows, ...shape] }, y: { data: y, shape: [rows] } })
  const model = buildNetwork(network)
  showProgress('measures the costs of a step')
  const loss = 'sparseCategoricalCrossentropy'
  const plan = await planTraining({ model, loss, data, optimizer: adam(), batchSize, workers: 1 })
  const link = transport === 'tcp' ? await linkOfProcesses() : undefined
  const measured = new Map(workers.map((count) => [count, Infinity]))
  for (let round = 1; round <= rounds; round++)
    for (const count of workers) {
      showProgress(`round ${round} of ${rounds}: ${count} workers`)
      const ms = link
        ? await stepMsOfProcesses({ network, batchSize }, count)
        : await stepMs({ model: buildNetwork(network), data, batchSize }, count)
      measured.set(count, Math.min(measured.get(count)!, ms))
    }
  showProgress('')
  const figures = workers.map((count): PlanFigures => {
    const predictedMs = plan.at({ workers: count, ...(link ? { link, workersPerMachine: count } : {}) }).stepMs
    const measuredMs = measured.get(count)!
    return { workers: count, predictedMs, measuredMs, error: predictedMs / measuredMs - 1 }
  })
  console.log(format(figures, { name, batchSize, rounds, link }))
  if (json !== undefined)
    await writeFigures(json, { case: name, transport, batchSize, rounds, link, costs: plan.costs, plans: figures })
}

/** The link between two processes over TCP. */
async function linkOfProcesses(): Promise<LinkModel> {
  showProgress('measures the link')
  const link = await outcomeOfGroup<LinkModel>(fileURLToPath(new URL('./bench-link-rank.js', import.meta.url)), [], 2)
  if ('error' in link) throw new TransportError(`The link could not be measured: ${link.error}`)
  return link
}

/** A step of a training by processes. */
async function stepMsOfProcesses(
  { network, batchSize }: { network: Network; batchSize: number },
  workers: number,
): Promise<number> {
  const task = { network, rowsPerWorker: batchSize / workers, workers, processes: workers > 1, stepsPerEpoch: STEPS }
  const outcome = await launch('dcml', { ...task, seconds: MEASURED_MS / 1000, engine: 'auto', assist: false })
  if ('usPerSample' in outcome) return (outcome.usPerSample * batchSize) / 1000
  throw new TransportError('A training could not be measured.', { cause: outcome })
}

/** The shortest epoch of a training, per step. */
async function stepMs(
  { model, data, batchSize }: { model: ReturnType<typeof buildNetwork>; data: Dataset; batchSize: number },
  workers: number,
): Promise<number> {
  let [shortest, total, epochs] = [Infinity, 0, 0]
  const trainer = new Trainer({
    model,
    loss: 'sparseCategoricalCrossentropy',
    optimizer: adam(),
    strategy: workers > 1 ? new DataParallel({ workers }) : new SingleWorker(),
    callbacks: [
      {
        onEpochEnd({ record, stop }: { record: EpochRecord; stop(): void }) {
          if (++epochs <= FIRST_EPOCHS) return
          shortest = Math.min(shortest, record.seconds)
          total += record.seconds * 1000
          if (total > MEASURED_MS) stop()
        },
      },
    ],
  })
  // The clock stops it.
  await trainer.fit(data, { epochs: Number.MAX_SAFE_INTEGER, batchSize })
  await trainer.close()
  return (shortest * 1000) / STEPS
}

function format(
  figures: readonly PlanFigures[],
  { name, batchSize, rounds, link }: { name: string; batchSize: number; rounds: number; link: LinkModel | undefined },
): string {
  const rows = [
    ['workers', 'predicted ms', 'measured ms', 'error'],
    ...figures.map(({ workers, predictedMs, measuredMs, error }) => [
      String(workers),
      predictedMs.toFixed(2),
      measuredMs.toFixed(2),
      `${error > 0 ? '+' : ''}${(error * 100).toFixed(0)}%`,
    ]),
  ]
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  return [
    link
      ? `Steps of ${name} with ${batchSize} rows, by processes over TCP: ${link.latencyUs.toFixed(0)} us, ${link.megabytesPerSecond.toFixed(0)} MB/s.`
      : `Steps of ${name} with ${batchSize} rows, on threads of this machine.`,
    '',
    ...rows.map((row) => row.map((text, i) => text.padStart(widths[i]!)).join('  ')),
    '',
    `The shortest epochs of ${rounds} rounds: noise only adds.`,
  ].join('\n')
}
