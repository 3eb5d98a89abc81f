/** Population-based training. @module */

import type { Random } from '../../core/index.js'
import { checkBetween, checkWhole, withDefaults } from '../../core/index.js'
import type { Axis, Params, Space } from '../space/index.js'
import { observationsOf, randomOf, randomParams, type Sampler, type SeedOptions } from './sampler.js'

/** Options of `population`. */
export interface PopulationOptions extends SeedOptions {
  /** Members that are trained side by side. @default 10 */
  size?: number
  /** Share of the members that give up, and of those that they copy. @default 0.2 */
  truncate?: number
  /** Probability that a parameter of a copy is drawn anew instead of changed a little. @default 0.25 */
  resample?: number
}

/** How far a parameter of a copy moves, as a share of its range; whole numbers by one at least. */
const NUDGE = 0.1

/**
 * Trains a population in rounds, each a trial: after a round the worst members go on from the weights of the best,
 * with parameters a little changed. So parameters change in the course of training.
 *
 * A trial continues the trial `trial.parent`: load its weights, train one round, and save the weights under
 * `trial.number`. Without a parent it starts afresh. A study of `size * rounds` trials makes so many rounds.
 *
 * @see Jaderberg et al. 2017, https://arxiv.org/abs/1711.09846: truncation selection, perturb and resample
 * @example
 * await new Tuner({ space, sampler: population({ size: 8 }) }).run(async (trial) => {
 *   const store = (number: number) => directory(`run/${number}`)
 *   const trainer = new Trainer({ ..., callbacks: [checkpoint({ store: store(trial.number) })] })
 *   const resumed = trial.parent === undefined ? {} : { resumeFrom: store(trial.parent) }
 *   const round = Math.floor(trial.number / 8) + 1
 *   return (await trainer.fit(train, { epochs: round, validation, ...resumed })).epochs.at(-1)!.val_loss
 * }, { trials: 80 })
 */
export function population(options: PopulationOptions = {}): Sampler {
  const { seed, size, truncate, resample } = withDefaults('population', options, {
    size: 10,
    truncate: 0.2,
    resample: 0.25,
    seed: 0,
  })
  randomOf(seed, 0)
  checkWhole('The size of a population', size, 2)
  checkBetween('truncate of a population', truncate, 0, 0.5 + Number.EPSILON)
  checkBetween('resample of a population', resample, -Number.EPSILON, 1 + Number.EPSILON)
  return {
    name: 'population',
    suggest(context) {
      const { number, space } = context
      const random = randomOf(seed, number)
      if (number < size) return { params: randomParams(space, random) }
      // Only of the round before: who copied one that is a round ahead would have nothing left to train.
      const round = Math.floor(number / size)
      const ranked = observationsOf(context)
        .filter((other) => Math.floor(other.number / size) === round - 1)
        .sort((a, b) => a.loss - b.loss)
      if (ranked.length === 0) return { params: randomParams(space, random) }
      const few = Math.max(1, Math.floor(truncate * ranked.length))
      const place = ranked.findIndex((member) => member.number === number - size)
      // A member whose own round failed or is not over yet follows one of the best, too.
      if (place >= 0 && (place < ranked.length - few || place === 0))
        return { params: ranked[place]!.params, notes: { parent: number - size } }
      const model = ranked[random.integer(few)]!
      const params = space.draw(() => changed(model.params, space, resample, random))
      return { params, notes: { parent: model.number } }
    },
  }
}

function changed(params: Params, space: Space, resample: number, random: Random): Params {
  const units = space.encode(params)
  return space.decode((axis, i) => {
    const anew = random.uniform()
    if (random.uniform() < resample) return anew
    return axis.unordered ? units[i]! : moved(axis, units[i]!, anew < 0.5 ? -1 : 1)
  })
}

function moved(axis: Axis, unit: number, side: number): number {
  const bin = axis.bin(unit)
  const distance = Math.max(NUDGE, bin ? bin[1] - bin[0] : 0)
  return Math.min(1, Math.max(0, unit + side * distance))
}
