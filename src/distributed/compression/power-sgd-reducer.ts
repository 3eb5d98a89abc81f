/** Gradients as products of thin matrices. @module */

import { Random } from '../../core/index.js'
import type { FlatParameters, ParameterLayout } from '../../engine/index.js'
import type { Collectives } from '../../transport/index.js'
import type { GradientReducer } from './reducer.js'

/** A tensor as a matrix, `[rows, columns]`, and where its factors lie among those of all. */
interface Matrix {
  offset: number
  rows: number
  columns: number
  left: number
  right: number
}

/** Sends P = M Q and then Q = M^T P of each matrix M, where P's columns are orthonormal; M is about P Q^T. */
export class PowerSgdReducer implements GradientReducer {
  readonly error: Float32Array
  /** The right factors of all matrices, `[columns, rank]` each: where the next step starts. */
  readonly shared: Float32Array
  readonly #collectives: Collectives
  readonly #rank: number
  readonly #seed: number
  readonly #matrices: Matrix[] = []
  /** Tensors that travel whole. */
  readonly #whole: { offset: number; length: number }[] = []
  /** Elements of all left factors. */
  readonly #leftLength: number

  constructor(
    collectives: Collectives,
    { rank, seed, layout }: { rank: number; seed: number; layout: ParameterLayout },
  ) {
    this.#collectives = collectives
    this.#rank = rank
    this.error = new Float32Array(layout.length)
    let left = 0
    let right = 0
    for (const { shape, offset, length } of layout.entries) {
      const columns = shape.at(-1) ?? 1
      const rows = length / columns
      if (shape.length < 2 || rank * (rows + columns) >= length) {
        this.#whole.push({ offset, length })
        continue
      }
      this.#matrices.push({ offset, rows, columns, left, right })
      left += rows * rank
      right += columns * rank
    }
    this.#leftLength = left
    this.#seed = seed
    this.shared = new Float32Array(right)
  }

  async reduce(parameters: FlatParameters): Promise<void> {
    const { error, shared } = this
    const { gradients } = parameters
    for (let i = 0; i < error.length; i++) error[i]! += gradients[i]!
    // One message for all left factors and what travels whole, one for all right factors.
    const wholeLength = this.#whole.reduce((sum, { length }) => sum + length, 0)
    const first = new Float32Array(this.#leftLength + wholeLength)
    for (const matrix of this.#matrices) {
      this.#fillColumns(matrix)
      this.#multiply(matrix, first)
    }
    let at = this.#leftLength
    for (const { offset, length } of this.#whole) {
      first.set(error.subarray(offset, offset + length), at)
      at += length
    }
    await this.#collectives.allReduce(first)
    for (const { left, rows } of this.#matrices)
      orthonormalize(first.subarray(left, left + rows * this.#rank), this.#rank)
    for (const matrix of this.#matrices) {
      this.#multiplyTransposed(matrix, first)
      // What this worker's own factors leave out of its own matrix: the parts of all workers add up to what is not sent.
      this.#addProduct(matrix, first, error, -1)
    }
    await this.#collectives.allReduce(shared)
    const target = parameters.gradients
    for (const matrix of this.#matrices) {
      target.fill(0, matrix.offset, matrix.offset + matrix.rows * matrix.columns)
      this.#addProduct(matrix, first, target, 1)
    }
    at = this.#leftLength
    for (const { offset, length } of this.#whole) {
      target.set(first.subarray(at, at + length), offset)
      error.fill(0, offset, offset + length)
      at += length
    }
  }

  /** Gives columns of Q that hold nothing random directions: the first, and those that a matrix of low rank left empty. */
  #fillColumns({ columns, right }: Matrix): void {
    const { shared } = this
    const rank = this.#rank
    for (let k = 0; k < rank; k++) {
      let column = 0
      while (column < columns && shared[right + column * rank + k] === 0) column++
      if (column < columns) continue
      const random = new Random(this.#seed, right + k)
      for (column = 0; column < columns; column++) shared[right + column * rank + k] = random.normal()
    }
  }

  /** P = M Q. */
  #multiply({ offset, rows, columns, left, right }: Matrix, factors: Float32Array): void {
    const rank = this.#rank
    const { error, shared } = this
    for (let row = 0; row < rows; row++)
      for (let k = 0; k < rank; k++) {
        let sum = 0
        for (let column = 0; column < columns; column++)
          sum += error[offset + row * columns + column]! * shared[right + column * rank + k]!
        factors[left + row * rank + k] = sum
      }
  }

  /** Q = M^T P. */
  #multiplyTransposed({ offset, rows, columns, left, right }: Matrix, factors: Float32Array): void {
    const rank = this.#rank
    const { error, shared } = this
    shared.fill(0, right, right + columns * rank)
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const value = error[offset + row * columns + column]!
        for (let k = 0; k < rank; k++) shared[right + column * rank + k]! += value * factors[left + row * rank + k]!
      }
  }

  /** Adds sign * P Q^T. */
  #addProduct({ offset, rows, columns, left, right }: Matrix, factors: Float32Array, into: Float32Array, sign: 1 | -1) {
    const rank = this.#rank
    const { shared } = this
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        let sum = 0
        for (let k = 0; k < rank; k++) sum += factors[left + row * rank + k]! * shared[right + column * rank + k]!
        into[offset + row * columns + column]! += sign * sum
      }
  }
}

/** What is left of a column that depends on those before it is rounding, below this share. */
const DEPENDENT = 1e-5

/** Makes the columns of `[rows, rank]` orthonormal (modified Gram-Schmidt); those that depend on others become zero. */
function orthonormalize(matrix: Float32Array, rank: number): void {
  const dot = (a: number, b: number) => {
    let sum = 0
    for (let i = 0; i < matrix.length; i += rank) sum += matrix[i + a]! * matrix[i + b]!
    return sum
  }
  for (let column = 0; column < rank; column++) {
    const length = Math.sqrt(dot(column, column))
    for (let before = 0; before < column; before++) {
      const share = dot(column, before)
      for (let i = 0; i < matrix.length; i += rank) matrix[i + column]! -= share * matrix[i + before]!
    }
    const norm = Math.sqrt(dot(column, column))
    for (let i = column; i < matrix.length; i += rank) matrix[i] = norm > DEPENDENT * length ? matrix[i]! / norm : 0
  }
}
