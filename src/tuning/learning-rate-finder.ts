/** The learning rate range test. @module */

import { ConfigError, checkWhole, NumericError, withDefaults } from '../core/index.js'
import type { Dataset } from '../data/index.js'
import { draw, font, page, section, themed } from '../evaluation/index.js'
import type { Callback, Trainer, TrainerOptions } from '../training/index.js'
import { keepWeights } from './keep-weights.js'
import { terminalPlot } from './report/terminal-plot.js'

/** How to look for a learning rate. */
export interface LearningRateOptions {
  /** First rate. @default 1e-6 */
  from?: number
  /** Last rate, should the loss not run away before. @default 1 */
  to?: number
  /** Updates from the first to the last. @default 100 */
  steps?: number
  /** @default 32 */
  batchSize?: number
}

/** Weight of the past in the smoothed loss. */
const SMOOTHING = 0.9
/** Steps after which the smoothed loss is one of enough batches to be quiet. */
const SETTLED = 10
/** The test ends when the smoothed loss is so many times its least. */
const RUNAWAY = 4

/** Losses by learning rate. */
export class LearningRateCurve {
  readonly rates: readonly number[]
  /** Loss of each step's batch. */
  readonly losses: readonly number[]
  /** The same, smoothed. */
  readonly smoothed: readonly number[]

  constructor(rates: readonly number[], losses: readonly number[]) {
    this.rates = rates
    this.losses = losses
    this.smoothed = smooth(losses)
  }

  /** The rate at which the smoothed loss falls fastest. */
  get suggestion(): number {
    return this.rates[this.#steepest]!
  }

  /** For a terminal. */
  toText(): string {
    const ends = [this.rates[0]!, this.rates.at(-1)!].map((rate) => rate.toExponential(1)) as [string, string]
    const plot = terminalPlot(this.smoothed, { ends, mark: this.#steepest })
    return `Loss by learning rate; suggested: ${this.suggestion.toExponential(2)}\n\n${plot}\n`
  }

  /** One page that needs no other file. */
  toHTML(options: { title?: string } = {}): string {
    const { title } = withDefaults('LearningRateCurve.toHTML', options, { title: 'Learning rate' })
    const points = (losses: readonly number[]) => losses.map((loss, i) => [this.rates[i]!, loss])
    const plot = themed((palette) => {
      const label = { color: palette.faint, fontFamily: font }
      const axis = { axisLabel: label, splitLine: { lineStyle: { color: palette.line } } }
      return draw(940, 380, {
        grid: { left: 72, right: 20, top: 16, bottom: 44 },
        xAxis: {
          ...axis,
          type: 'log',
          name: 'learning rate',
          nameLocation: 'middle',
          nameGap: 28,
          nameTextStyle: label,
        },
        yAxis: { ...axis, type: 'value', scale: true },
        series: [
          { type: 'scatter', data: points(this.losses), symbolSize: 4, itemStyle: { color: palette.faint } },
          { type: 'line', data: points(this.smoothed), symbol: 'none', color: palette.series[0] },
          {
            type: 'scatter',
            data: [[this.suggestion, this.smoothed[this.#steepest]!]],
            symbolSize: 14,
            itemStyle: { color: palette.series[1] },
          },
        ],
      })
    })
    const subtitle = `Suggested: ${this.suggestion.toExponential(2)}`
    return page({ title, subtitle, sections: [section('Loss by learning rate', plot)] })
  }

  get #steepest(): number {
    const least = this.smoothed.indexOf(Math.min(...this.smoothed))
    let steepest = 0
    let fall = 0
    // Rates grow by a constant factor, so that differences of neighbours are slopes; over three, for quiet.
    for (let i = Math.min(SETTLED, Math.floor(least / 2)) + 1; i < least; i++) {
      const slope = this.smoothed[i + 1]! - this.smoothed[i - 1]!
      if (slope >= fall) continue
      fall = slope
      steepest = i
    }
    return steepest
  }
}

/**
 * Trains while the learning rate grows from step to step until the loss runs away, and suggests the rate at which it
 * fell fastest. The model is left as it was.
 *
 * @throws {ConfigError} if the trainer has an optimizer of tfjs, whose rate cannot be set.
 * @see Smith 2017, "Cyclical Learning Rates for Training Neural Networks", https://arxiv.org/abs/1506.01186
 * @example
 * const curve = await findLearningRate(trainer, train)
 * console.log(curve.toText())
 */
export async function findLearningRate(
  trainer: Trainer,
  train: Dataset,
  options: LearningRateOptions = {},
): Promise<LearningRateCurve> {
  const { from, to, steps, batchSize } = withDefaults('findLearningRate', options, {
    from: 1e-6,
    to: 1,
    steps: 100,
    batchSize: 32,
  })
  if (!(from > 0 && to > from && Number.isFinite(to)))
    throw new ConfigError('The rates to look at are not a range.', {
      expected: 'from above 0 and to above from',
      received: [from, to],
    })
  checkWhole('steps', steps, 10)
  const factor = (to / from) ** (1 / (steps - 1))
  const losses: number[] = []
  const watch: Callback = {
    onStepEnd({ loss, stop }) {
      losses.push(loss)
      const smoothed = smooth(losses)
      if (losses.length >= steps) stop('all rates were tried')
      else if (smoothed.at(-1)! > RUNAWAY * Math.min(...smoothed)) stop('the loss ran away')
    },
  }
  const kept = keepWeights()
  const probe = trainer.with(({ model, optimizer }) => ({
    optimizer: withRate(optimizer, { kind: 'stepDecay', rate: from, everySteps: 1, factor }),
    callbacks: [kept.callback(model), watch],
  }))
  try {
    await probe.fit(train, { batchSize, epochs: steps })
  } catch (error) {
    // No number: the loss ran away within one step.
    if (!(error instanceof NumericError) || losses.length < 2) throw error
  } finally {
    kept.restore()
  }
  return new LearningRateCurve(
    losses.map((_, i) => from * factor ** i),
    losses,
  )
}

type OptimizerOption = NonNullable<TrainerOptions['optimizer']>
type Described = Extract<OptimizerOption, { options: unknown }>

function withRate(optimizer: OptimizerOption = 'adam', learningRate: Described['learningRate']): Described {
  if (typeof optimizer === 'string') return { name: optimizer, options: {}, learningRate }
  if ('options' in optimizer) return { ...optimizer, learningRate }
  throw new ConfigError('The learning rate of a tf.Optimizer cannot be changed from step to step.', {
    remedy: "Use an optimizer of dcml's own, such as adam()",
  })
}

/** Exponential means without the pull towards 0 of their start. */
function smooth(losses: readonly number[]): number[] {
  let mean = 0
  return losses.map((loss, i) => {
    mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
    return mean / (1 - SMOOTHING ** (i + 1))
  })
}
