/** Gradients in 16 bits. @module */

import type { HalfFormat } from '../../core/index.js'
import type { FlatParameters } from '../../engine/index.js'
import type { Collectives } from '../../transport/index.js'
import type { GradientReducer } from './reducer.js'

/** The largest magnitude of float16 is just below 2^16. */
const LARGEST = 2 ** 15

/** Rounds values on their way; they are added up in float32. */
export class HalfReducer implements GradientReducer {
  readonly #collectives: Collectives
  readonly #format: HalfFormat

  constructor(collectives: Collectives, format: HalfFormat) {
    this.#collectives = collectives
    this.#format = format
  }

  async reduce(parameters: FlatParameters): Promise<void> {
    const { length } = parameters.layout
    const sums = parameters.gradients.slice(0, length)
    const scale = this.#format === 'float16' ? await this.#scaleFor(sums) : 1
    multiply(sums, scale)
    await this.#collectives.allReduce(sums, { wire: this.#format })
    multiply(sums, 1 / scale)
    parameters.gradients.set(sums)
  }

  /** A power of two, so that no bit is lost by it; also the sum over all workers fits. */
  async #scaleFor(values: Float32Array): Promise<number> {
    const largest = Float32Array.of(0)
    for (const value of values) largest[0] = Math.max(largest[0]!, Math.abs(value))
    await this.#collectives.allReduce(largest)
    return largest[0]! > 0 && Number.isFinite(largest[0]) ? 2 ** Math.floor(Math.log2(LARGEST / largest[0]!)) : 1
  }
}

function multiply(values: Float32Array, factor: number): void {
  if (factor === 1) return
  for (let i = 0; i < values.length; i++) values[i]! *= factor
}
