/** What a user asks for when gradients are to be made smaller before they travel. @module */

import { ConfigError, checkWhole, withDefaults } from '../../core/index.js'

/** A compression as plain data: what `float16()`, `int8()`, `topK()` and their like return. */
export type Compression =
  | { name: 'float16' }
  | { name: 'bfloat16' }
  | { name: 'int8'; bucket: number }
  | { name: 'top-k'; ratio: number }
  | { name: 'power-sgd'; rank: number; seed: number }

/**
 * Half of the bytes: gradients travel as IEEE float16, scaled by a power of two so that the largest fits. They are added
 * up in float32.
 *
 * @example
 * new DataParallel({ workers: 2, compression: float16() })
 */
export const float16 = (): Compression => ({ name: 'float16' })

/** Half of the bytes: gradients travel as bfloat16, with 8 significant bits. They are added up in float32. */
export const bfloat16 = (): Compression => ({ name: 'bfloat16' })

/** Options of `int8`. */
export interface Int8Options {
  /** Elements that share a scale, 1 or more: fewer are more exact and need more bytes. @default 1024 */
  bucket?: number
}

/**
 * A quarter of the bytes: each bucket travels as whole numbers from -127 to 127 and one scale. What rounding leaves out
 * is kept and added to the next gradient (error feedback).
 *
 * @see Karimireddy et al. 2019, error feedback, https://arxiv.org/abs/1901.09847
 */
export function int8(options: Int8Options = {}): Compression {
  const { bucket } = withDefaults('int8', options, { bucket: 1024 })
  checkWhole('bucket of int8', bucket)
  return { name: 'int8', bucket }
}

/** Options of `topK`. */
export interface TopKOptions {
  /** Share of the elements that travels, above 0 to 1. @default 0.01 */
  ratio?: number
}

/**
 * The largest elements alone travel, each as the distance to the one before and a bfloat16. The others are kept and
 * added to the next gradient (error feedback).
 *
 * @see Lin et al. 2018, Deep Gradient Compression, https://arxiv.org/abs/1712.01887
 */
export function topK(options: TopKOptions = {}): Compression {
  const { ratio } = withDefaults('topK', options, { ratio: 0.01 })
  if (!(ratio > 0 && ratio <= 1))
    throw new ConfigError('ratio of topK is out of range.', { expected: 'a number above 0, up to 1', received: ratio })
  return { name: 'top-k', ratio }
}

/** Options of `powerSgd`. */
export interface PowerSgdOptions {
  /** Columns of the two factors that travel instead of a matrix, 1 or more. @default 2 */
  rank?: number
  /** Of the first factors, the same on all workers. @default 0 */
  seed?: number
}

/**
 * Each matrix of gradients travels as the product of two thin ones, found by one step of power iteration that starts
 * from those of the step before. What they leave out is added to the next gradient (error feedback). Vectors, and
 * matrices that would not get smaller, travel whole.
 *
 * @see Vogels et al. 2019, https://arxiv.org/abs/1905.13727
 */
export function powerSgd(options: PowerSgdOptions = {}): Compression {
  const { rank, seed } = withDefaults('powerSgd', options, { rank: 2, seed: 0 })
  checkWhole('rank of powerSgd', rank)
  checkWhole('seed of powerSgd', seed, 0)
  return { name: 'power-sgd', rank, seed }
}
