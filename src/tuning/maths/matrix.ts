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

/**
 * Eigenvalues and eigenvectors of a symmetric matrix, by Jacobi's rotations.
 *
 * @param a - `[n, n]`, not changed.
 * @returns `values[i]` belongs to the column i of `vectors`.
 * @see Golub and Van Loan 2013, "Matrix Computations", section 8.5
 */
export function symmetricEigen(a: Matrix): { values: Float64Array; vectors: Matrix } {
  const n = a.length
  const rest = a.map((row) => Float64Array.from(row))
  const vectors = zeros(n, n)
  for (let i = 0; i < n; i++) vectors[i]![i] = 1
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0
    let diagonal = 0
    for (let i = 0; i < n; i++) {
      diagonal += rest[i]![i]! ** 2
      for (let j = 0; j < i; j++) off += rest[i]![j]! ** 2
    }
    if (off <= 1e-30 * diagonal) break
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(rest, vectors, p, q)
  }
  return { values: Float64Array.from(rest, (row, i) => row[i]!), vectors }
}

/** Makes the element (p, q) zero. */
function rotate(a: Matrix, vectors: Matrix, p: number, q: number): void {
  const apq = a[p]![q]!
  if (apq === 0) return
  const theta = (a[q]![q]! - a[p]![p]!) / (2 * apq)
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1))
  const c = 1 / Math.sqrt(t * t + 1)
  const s = t * c
  const mix = (row: Float64Array) => {
    const [x, y] = [row[p]!, row[q]!]
    row[p] = c * x - s * y
    row[q] = s * x + c * y
  }
  for (const row of a) mix(row)
  const [rowP, rowQ] = [a[p]!, a[q]!]
  for (let k = 0; k < a.length; k++) {
    const [x, y] = [rowP[k]!, rowQ[k]!]
    rowP[k] = c * x - s * y
    rowQ[k] = s * x + c * y
  }
  for (const row of vectors) mix(row)
}
