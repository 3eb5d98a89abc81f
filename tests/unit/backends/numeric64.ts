/** Gradients by central differences in float64, for references that are plain loops over numbers. @module */

/**
 * Slopes of `f` in each element of each array.
 *
 * @param f - Of the arrays given, which it does not change.
 */
export function numericGradients(f: (arrays: Float64Array[]) => number, arrays: readonly ArrayLike<number>[]) {
  const at = arrays.map((values) => Float64Array.from(values))
  const step = 1e-5
  return at.map((values) =>
    Float64Array.from(values, (value, i) => {
      values[i] = value + step
      const above = f(at)
      values[i] = value - step
      const below = f(at)
      values[i] = value
      return (above - below) / (2 * step)
    }),
  )
}
