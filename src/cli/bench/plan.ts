/**
 * `dcml bench plan`: what planTraining predicts, beside what training then takes.
 *
 * Owns: the order of rounds, progress, the table and the file of figures.
 * Leaves: predictions to planTraining, the network to networks.ts.
 * @module
 */

import {
  adam,
  DataParallel,
  Dataset,
  type EpochRecord,
  planTraining,
  SingleWorker,
  selectBackend,
  Trainer,
} from '../../index.js'
import { cases } from './cases.js'
import { buildNetwork } from './networks.js'
import { randomData } from './random-data.js'
import { showProgress, writeFigures } from './report.js'

/** Options of the command. */
export interface BenchPlanOptions {
  case: string
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
export async function runBenchPlan({ case: name, batchSize, workers, rounds, json }: BenchPlanOptions): Promise<void> {
  if (json !== undefined) await writeFigures(json, {})
  await selectBackend()
  const { network } = cases.find((benchCase) => benchCase.name === name)!
  const { rows, shape, x, y } = randomData({ network, rowsPerWorker: batchSize, workers: 1, stepsPerEpoch: STEPS })
  const data = Dataset.fromArrays({ x: { data: x, shape: [rows, ...shape] }, y: { data: y, shape: [rows] } })
  const model = buildNetwork(network)
  showProgress('measures the costs of a step')
  const loss = 'sparseCategoricalCrossentropy'
  const plan = await planTraining({ model, loss, data, optimizer: adam(), batchSize, workers: 1 })
  const measured = new Map(workers.map((count) => [count, Infinity]))
  for (let round = 1; round <= rounds; round++)
    for (const count of workers) {
      showProgress(`round ${round} of ${rounds}: ${count} workers`)
      measured.set(
        count,
        Math.min(measured.get(count)!, await stepMs({ model: buildNetwork(network), data, batchSize }, count)),
      )
    }
  showProgress('')
  const figures = workers.map((count): PlanFigures => {
    const predictedMs = plan.at({ workers: count }).stepMs
    const measuredMs = measured.get(count)!
    return { workers: count, predictedMs, measuredMs, error: predictedMs / measuredMs - 1 }
  })
  console.log(format(figures, { name, batchSize, rounds }))
  if (json !== undefined) await writeFigures(json, { case: name, batchSize, rounds, costs: plan.costs, plans: figures })
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
  { name, batchSize, rounds }: { name: string; batchSize: number; rounds: number },
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
    `Steps of ${name} with ${batchSize} rows, on threads of this machine.`,
    '',
    ...rows.map((row) => row.map((text, i) => text.padStart(widths[i]!)).join('  ')),
    '',
    `The shortest epochs of ${rounds} rounds: noise only adds.`,
  ].join('\n')
}
