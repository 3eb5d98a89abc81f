/** Fourier transforms of real signals. @module */

import { ConfigError } from './errors.js'

/** Transforms signals of one length; keeps what all of them share. */
export class RealFourier {
  readonly length: number
  readonly #cosine: Float64Array
  readonly #sine: Float64Array
  readonly #order: Uint32Array
  readonly #real: Float64Array
  readonly #imaginary: Float64Array

  /** @param length - A power of two, at least 2. */
  constructor(length: number) {
    if (!Number.isInteger(Math.log2(length)) || length < 2)
      throw new ConfigError('The length of a Fourier transform is out of range.', {
        expected: 'a power of two, at least 2',
        received: length,
      })
    this.length = length
    this.#cosine = Float64Array.from({ length: length / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / length))
    this.#sine = Float64Array.from({ length: length / 2 }, (_, i) => Math.sin((2 * Math.PI * i) / length))
    const bits = Math.log2(length)
    this.#order = Uint32Array.from({ length }, (_, i) => {
      let reversed = 0
      for (let bit = 0; bit < bits; bit++) reversed |= ((i >> bit) & 1) << (bits - 1 - bit)
      return reversed
    })
    this.#real = new Float64Array(length)
    this.#imaginary = new Float64Array(length)
  }

  /**
   * |X_k|^2 for the frequencies k = 0 to length / 2, where X is the transform of the signal.
   *
   * @param signal - `length` values. @param into - Receives `length / 2 + 1` values.
   * @see Cooley and Tukey 1965, https://doi.org/10.1090/S0025-5718-1965-0178586-1
   */
  power(signal: ArrayLike<number>, into: Float64Array): void {
    const real = this.#real
    const imaginary = this.#imaginary
    for (let i = 0; i < this.length; i++) real[i] = signal[this.#order[i]!]!
    imaginary.fill(0)
    for (let half = 1; half < this.length; half *= 2) {
      const stride = this.length / (2 * half)
      for (let start = 0; start < this.length; start += 2 * half)
        for (let i = 0; i < half; i++) {
          const [c, s] = [this.#cosine[i * stride]!, this.#sine[i * stride]!]
          const [a, b] = [start + i, start + i + half]
          const x = real[b]! * c + imaginary[b]! * s
          const y = imaginary[b]! * c - real[b]! * s
          real[b] = real[a]! - x
          imaginary[b] = imaginary[a]! - y
          real[a]! += x
          imaginary[a]! += y
        }
    }
    for (let k = 0; k <= this.length / 2; k++) into[k] = real[k]! * real[k]! + imaginary[k]! * imaginary[k]!
  }
}
