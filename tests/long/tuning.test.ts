/** What the samplers and schedulers must reach, over enough seeds to be sure: minutes. @module */

import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { selectBackend } from '../../src/backends/index.js'
import { Dataset } from '../../src/data/index.js'
import { sources } from '../../src/data/node.js'
import { adam } from '../../src/optimizers/index.js'
import { Trainer } from '../../src/training/index.js'
import {
  asha,
  choice,
  cmaEs,
  intUniform,
  logUniform,
  population,
  pruning,
  quasiRandom,
  random,
  type Scheduler,
  Tuner,
  type TuningResult,
  tpe,
  uniform,
} from '../../src/tuning/index.js'
import { branin, hartmann6, rosenbrock } from '../unit/tuning/benchmarks.js'
import { medianOf, regrets } from '../unit/tuning/regrets.js'

/**
 * Probability that ranks like these come by chance when both are alike, one-sided, by the normal approximation that is
 * good from 20 values each on.
 *
 * @see Mann and Whitney 1947, https://doi.org/10.1214/aoms/1177730491
 */
function mannWhitney(less: readonly number[], more: readonly number[]): number {
  let wins = 0
  for (const a of less) for (const b of more) wins += a < b ? 1 : a === b ? 0.5 : 0
  const [n, m] = [less.length, more.length]
  const z = (wins - (n * m) / 2) / Math.sqrt((n * m * (n + m + 1)) / 12)
  // The upper tail of the normal distribution, by a sum of its density.
  let tail = 0
  for (let x = z; x < z + 10; x += 1e-3) tail += (Math.exp(-0.5 * (x + 5e-4) ** 2) / Math.sqrt(2 * Math.PI)) * 1e-3
  return tail
}

describe('TPE against random search, 100 trials, 20 seeds', () => {
  it.each([
    ['Branin', branin, 1],
    ['Hartmann-6', hartmann6, 0.5],
    ['Rosenbrock', rosenbrock, 1],
  ])('%s', async (name, benchmark, share) => {
    const options = { seeds: 20, trials: 100 }
    const [found, byChance] = [await regrets(benchmark, tpe, options), await regrets(benchmark, random, options)]
    const [own, other, p] = [medianOf(found), medianOf(byChance), mannWhitney(found, byChance)]
    console.log(
      `${name}: median regret ${own.toFixed(4)} (TPE), ${other.toFixed(4)} (random), p = ${p.toExponential(1)}`,
    )
    expect(p).toBeLessThan(0.05)
    expect(own).toBeLessThan(share * other)
  })
})

it('costs little itself: 500 trials of nothing, by sampler', async () => {
  const space = { a: uniform(0, 1), b: logUniform(1e-4, 1), c: choice(['x', 'y', 'z']), d: intUniform(1, 100) }
  for (const sampler of [random(), quasiRandom(), tpe(), cmaEs(), population()]) {
    const startedMs = performance.now()
    const { trials } = await new Tuner({ space, sampler }).run(({ params: { a } }) => a, { trials: 500 })
    expect(trials).toHaveLength(500)
    console.log(`${sampler.name}: ${((performance.now() - startedMs) / 500).toFixed(2)} ms per trial`)
  }
})

describe.skipIf(!process.env.DCML_DATA_DIR)('ASHA on real digits (set DCML_DATA_DIR)', () => {
  const EPOCHS = 16
  const TRIALS = 48
  let train: Dataset
  let validation: Dataset

  beforeAll(async () => {
    await selectBackend()
    const table = await sources.csv(`${process.env.DCML_DATA_DIR}/tabular/digits.csv.gz`, { header: false }).columns()
    const names = Object.keys(table)
    const rows = table[names[0]!]!.shape[0]!
    const x = new Float32Array(rows * 64)
    for (let column = 0; column < 64; column++)
      for (let row = 0; row < rows; row++)
        x[row * 64 + column] = Number((table[names[column]!]!.data as Float32Array)[row]) / 16
    const y = Int32Array.from(table[names[64]!]!.data as Float32Array)
    const data = Dataset.fromArrays({ x: { data: x, shape: [rows, 64] }, y: { data: y, shape: [rows] } })
    ;({ train, validation } = data.split({ train: 0.7, validation: 0.3 }, { seed: 1, stratifyBy: 'y' }))
  })

  async function search(scheduler?: Scheduler): Promise<{ result: TuningResult; epochs: number }> {
    const tuner = new Tuner({
      space: {
        rate: logUniform(1e-5, 1),
        units: intUniform(4, 128, { log: true }),
        batchSize: intUniform(16, 256, { log: true }),
      },
      sampler: random({ seed: 7 }),
      direction: 'maximize',
      ...(scheduler ? { scheduler } : {}),
    })
    let epochs = 0
    const result = await tuner.run(
      async (trial) => {
        const { rate, units, batchSize } = trial.params
        const kernelInitializer = () => tfl.initializers.glorotUniform({ seed: 1 })
        const model = tfl.sequential({
          layers: [
            tfl.layers.dense({ units, activation: 'relu', inputShape: [64], kernelInitializer: kernelInitializer() }),
            tfl.layers.dense({ units: 10, activation: 'softmax', kernelInitializer: kernelInitializer() }),
          ],
        })
        const trainer = new Trainer({
          model,
          loss: 'sparseCategoricalCrossentropy',
          optimizer: adam({ learningRate: rate }),
          metrics: ['accuracy'],
          callbacks: [pruning(trial, { monitor: 'val_accuracy' })],
        })
        const history = await trainer.fit(train, { epochs: EPOCHS, batchSize, validation })
        epochs += history.epochs.length
        model.dispose()
        return history.epochs.at(-1)!.val_accuracy!
      },
      { trials: TRIALS },
    )
    return { result: result as TuningResult, epochs }
  }

  it('finds what the full search finds within 1 %, in a quarter of the epochs', async () => {
    const full = await search()
    const halved = await search(asha({ minSteps: 1, reductionFactor: 4 }))
    console.log(
      `accuracy ${full.result.value.toFixed(4)} after ${full.epochs} epochs (full), ` +
        `${halved.result.value.toFixed(4)} after ${halved.epochs} (ASHA)`,
    )
    expect(full.epochs).toBe(EPOCHS * TRIALS)
    expect(halved.epochs).toBeLessThanOrEqual(full.epochs / 4)
    expect(halved.result.value).toBeGreaterThanOrEqual(full.result.value - 0.01)
  })
})
