/** Points that fill the space evenly. @module */

import { Random, withDefaults } from '../../core/index.js'
import { randomOf, type Sampler, type SeedOptions } from './sampler.js'

/**
 * Tries the points of a scrambled Halton sequence: as random search, but without gaps and clusters.
 *
 * Each coordinate is the number of the trial written in a prime base, its digits mirrored at the point and each permuted at
 * random in a way of its own.
 *
 * @see Owen 2017, "A randomized Halton algorithm in R", https://arxiv.org/abs/1706.02808
 */
export function quasiRandom(options: SeedOptions = {}): Sampler {
  const { seed } = withDefaults('quasiRandom', options, { seed: 0 })
  randomOf(seed, 0)
  const digits: ((index: number) => number)[] = []
  return {
    name: 'quasiRandom',
    multiObjective: true,
    suggest({ number, space }) {
      for (let i = digits.length; i < space.axes.length; i++)
        digits.push(scrambledDigits(firstPrimes(i + 1)[i]!, seed, i))
      const point = (index: number) => space.decode((_, i) => digits[i]!(index))
      if (!space.constrained) return { params: point(number) }
      // Where constraints refuse points, the trials get those that are left, in their order.
      let index = 0
      for (let allowed = 0; ; allowed++) {
        const params = space.draw(() => point(index++))
        if (allowed === number) return { params }
      }
    },
  }
}

/** The scrambled radical inverse of an index in a base, from 0 to below 1. */
function scrambledDigits(base: number, seed: number, dimension: number): (index: number) => number {
  // As many digits as 32 bits hold; those above the index's own are zeros, which are permuted too.
  const permutations = Array.from({ length: Math.ceil(32 / Math.log2(base)) }, (_, digit) =>
    new Random(seed, dimension * 32 + digit).permutation(base),
  )
  return (index) => {
    let value = 0
    let weight = 1 / base
    let rest = index
    for (const permutation of permutations) {
      value += permutation[rest % base]! * weight
      rest = Math.floor(rest / base)
      weight /= base
    }
    return Math.min(value, 1 - 2 ** -32)
  }
}

function firstPrimes(count: number): number[] {
  const primes: number[] = []
  for (let candidate = 2; primes.length < count; candidate++)
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate)
  return primes
}
