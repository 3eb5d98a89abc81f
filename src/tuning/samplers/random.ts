/** Random search. @module */

import { withDefaults } from '../../core/index.js'
import { randomOf, randomParams, type Sampler, type SeedOptions } from './sampler.js'

/**
 * Tries points at random, independent of each other.
 *
 * @see Bergstra and Bengio 2012, https://www.jmlr.org/papers/v13/bergstra12a.html
 */
export function random(options: SeedOptions = {}): Sampler {
  const { seed } = withDefaults('random', options, { seed: 0 })
  // Made now, so that a wrong seed is told at once.
  randomOf(seed, 0)
  return {
    name: 'random',
    multiObjective: true,
    suggest: ({ number, space }) => ({ params: randomParams(space, randomOf(seed, number)) }),
  }
}
