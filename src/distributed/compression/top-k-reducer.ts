/** The largest gradients alone. @module */

import type { FlatParameters } from '../../engine/index.js'
import type { Collectives } from '../../transport/index.js'
import type { GradientReducer } from './reducer.js'
import { encodeSparse, messagesOf } from './sparse.js'

/** Sends the elements of largest magnitude of what has not been sent yet, and keeps the others. */
export class TopKReducer implements GradientReducer {
  readonly error: Float32Array
  readonly #collectives: Collectives
  readonly #count: number

  constructor(collectives: Collectives, { ratio, length }: { ratio: number; length: number }) {
    this.#collectives = collectives
    this.#count = Math.max(1, Math.round(ratio * length))
    this.error = new Float32Array(length)
  }

  async reduce(parameters: FlatParameters): Promise<void> {
    const { error } = this
    const { gradients } = parameters
    for (let i = 0; i < error.length; i++) error[i]! += gradients[i]!
    const message = encodeSparse(error, this.#count)
    const messages = await this.#collectives.allGather(message)
    const target = parameters.gradients
    target.fill(0, 0, error.length)
    for (const entries of messagesOf(messages)) for (const [index, value] of entries) target[index]! += value
  }
}
