/** Small dense linear algebra, in double precision. Matrices are arrays of rows. @module */

/** Rows of numbers. */
export type Matrix = Float64Array[]

/** Zeros, `[rows, columns]`. */
export const zeros = (rows: number, columns: number): Matrix =>
  Array.from({ length: rows }, () => new Float64Array(columns))

/**
 * Lower triangle L with L Lᵀ = A, for a symmetric A that is positive definite; undefined for another.
 *
 * @param a - `[n, n]`; only its lower triangle is read.
 */
export function cholesky(a: Matrix): Matrix | undefined {
  const n = a.length
  const lower = zeros(n, n)
  for (let i = 0; i < n; i++) {
    const row = lower[i]!
    for (let j = 0; j <= i; j++) {
      const other = lower[j]!
      let sum = a[i]![j]!
      for (let k = 0; k < j; k++) sum -= row[k]! * other[k]!
      if (i !== j) row[j] = sum / other[j]!
      else if (sum > 0) row[j] = Math.sqrt(sum)
      else return undefined
    }
  }
  return lower
}

/** x with L x = b. */
export function solveLower(lower: Matrix, b: ArrayLike<number>): Float64Array {
  const x = Float64Array.from(b)
  for (let i = 0; i < x.length; i++) {
    const row = lower[i]!
    for (let j = 0; j < i; j++) x[i]! -= row[j]! * x[j]!
    x[i]! /= row[i]!
  }
  return x
}

/** x with Lᵀ x = b. */
export function solveUpper(lower: Matrix, b: ArrayLike<number>): Float64Array {
  const x = Float64Array.from(b)
  for (let i = x.length - 1; i >= 0; i--) {
    x[i]! /= lower[i]![i]!
    for (let j = 0; j < i; j++) x[j]! -= lower[i]![j]! * x[i]!
  }
  return x
}
