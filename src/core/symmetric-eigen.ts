/** Eigenvalues and eigenvectors of symmetric matrices. @module */

/** Sweeps of the QL method for one eigenvalue; two are usual. */
const MAX_SWEEPS = 60

/** Eigenvalues from the largest down, and a unit vector for each. */
export interface Eigen {
  values: Float64Array
  /** `vectors[i]` belongs to `values[i]`. */
  vectors: Float64Array[]
}

/**
 * Decomposes a symmetric matrix: Householder's reduction to three diagonals, then QL with implicit shifts. About 3 n^3
 * multiplications.
 *
 * @param matrix - `[n, n]`, rows; not changed. Only its lower triangle is read.
 * @see Bowdler, Martin, Reinsch, Wilkinson 1968, https://doi.org/10.1007/BF02165404; Martin and Wilkinson 1968
 */
export function symmetricEigen(matrix: readonly ArrayLike<number>[]): Eigen {
  const rows = matrix.map((row) => Float64Array.from(row))
  const { diagonal, beside } = tridiagonal(rows)
  diagonalize(rows, diagonal, beside)
  const order = Array.from(diagonal.keys()).sort((a, b) => diagonal[b]! - diagonal[a]!)
  return {
    values: Float64Array.from(order, (i) => diagonal[i]!),
    vectors: order.map((i) => Float64Array.from(rows, (row) => row[i]!)),
  }
}

/** Leaves in `rows` the orthogonal matrix that makes three diagonals of what was there. */
function tridiagonal(rows: Float64Array[]): { diagonal: Float64Array; beside: Float64Array } {
  const n = rows.length
  const diagonal = new Float64Array(n)
  const beside = new Float64Array(n)
  for (let i = n - 1; i > 0; i--) {
    const row = rows[i]!
    let scale = 0
    for (let k = 0; k < i; k++) scale += Math.abs(row[k]!)
    let norm = 0
    if (i === 1 || scale === 0) beside[i] = row[i - 1]!
    else {
      for (let k = 0; k < i; k++) {
        row[k]! /= scale
        norm += row[k]! * row[k]!
      }
      const last = row[i - 1]!
      const length = last >= 0 ? -Math.sqrt(norm) : Math.sqrt(norm)
      beside[i] = scale * length
      norm -= last * length
      row[i - 1] = last - length
      let sum = 0
      for (let j = 0; j < i; j++) {
        rows[j]![i] = row[j]! / norm
        let product = 0
        for (let k = 0; k <= j; k++) product += rows[j]![k]! * row[k]!
        for (let k = j + 1; k < i; k++) product += rows[k]![j]! * row[k]!
        beside[j] = product / norm
        sum += beside[j]! * row[j]!
      }
      const half = sum / (norm + norm)
      for (let j = 0; j < i; j++) {
        const left = row[j]!
        const right = beside[j]! - half * left
        beside[j] = right
        for (let k = 0; k <= j; k++) rows[j]![k]! -= left * beside[k]! + right * row[k]!
      }
    }
    diagonal[i] = norm
  }
  for (let i = 0; i < n; i++) {
    const row = rows[i]!
    if (diagonal[i] !== 0)
      for (let j = 0; j < i; j++) {
        let product = 0
        for (let k = 0; k < i; k++) product += row[k]! * rows[k]![j]!
        for (let k = 0; k < i; k++) rows[k]![j]! -= product * rows[k]![i]!
      }
    diagonal[i] = row[i]!
    row[i] = 1
    for (let j = 0; j < i; j++) {
      rows[j]![i] = 0
      row[j] = 0
    }
  }
  return { diagonal, beside }
}

/** Turns `diagonal` into the eigenvalues and the columns of `rows` into the vectors. */
function diagonalize(rows: Float64Array[], diagonal: Float64Array, beside: Float64Array): void {
  const n = diagonal.length
  beside.copyWithin(0, 1)
  beside[n - 1] = 0
  for (let low = 0; low < n; low++)
    for (let sweep = 0; ; sweep++) {
      let high = low
      while (high < n - 1) {
        const size = Math.abs(diagonal[high]!) + Math.abs(diagonal[high + 1]!)
        if (Math.abs(beside[high]!) <= Number.EPSILON * size) break
        high++
      }
      if (high === low || sweep === MAX_SWEEPS) break
      sweepUp(rows, diagonal, beside, low, high)
    }
}

/** One implicit QL step on the block from `low` to `high`. */
function sweepUp(rows: Float64Array[], diagonal: Float64Array, beside: Float64Array, low: number, high: number): void {
  let g = (diagonal[low + 1]! - diagonal[low]!) / (2 * beside[low]!)
  let r = Math.hypot(g, 1)
  g = diagonal[high]! - diagonal[low]! + beside[low]! / (g + (g >= 0 ? r : -r))
  let sine = 1
  let cosine = 1
  let shift = 0
  for (let i = high - 1; i >= low; i--) {
    const f = sine * beside[i]!
    const b = cosine * beside[i]!
    r = Math.hypot(f, g)
    beside[i + 1] = r
    if (r === 0) {
      diagonal[i + 1]! -= shift
      beside[high] = 0
      return
    }
    sine = f / r
    cosine = g / r
    g = diagonal[i + 1]! - shift
    r = (diagonal[i]! - g) * sine + 2 * cosine * b
    shift = sine * r
    diagonal[i + 1] = g + shift
    g = cosine * r - b
    for (const row of rows) {
      const next = row[i + 1]!
      row[i + 1] = sine * row[i]! + cosine * next
      row[i] = cosine * row[i]! - sine * next
    }
  }
  diagonal[low]! -= shift
  beside[low] = g
  beside[high] = 0
}
