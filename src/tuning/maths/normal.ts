/** The normal distribution. @module */

/** Density of the standard normal at x. */
export const normalDensity = (x: number): number => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI)

/**
 * Probability that a standard normal is below x; relative error below 1e-7, in the tails too.
 *
 * Rational approximations of erfc by range of |x|.
 *
 * @see Hart 1968, "Computer Approximations", algorithm 5666, as given by West 2005, "Better approximations to
 *   cumulative normal functions"
 */
export function normalCdf(x: number): number {
  const size = Math.abs(x)
  if (size > 37) return x > 0 ? 1 : 0
  const exponential = Math.exp((-size * size) / 2)
  let tail: number
  if (size < 7.07106781186547) {
    const above =
      (((((0.0352624965998911 * size + 0.700383064443688) * size + 6.37396220353165) * size + 33.912866078383) * size +
        112.079291497871) *
        size +
        221.213596169931) *
        size +
      220.206867912376
    const below =
      ((((((0.0883883476483184 * size + 1.75566716318264) * size + 16.064177579207) * size + 86.7807322029461) * size +
        296.564248779674) *
        size +
        637.333633378831) *
        size +
        793.826512519948) *
        size +
      440.413735824752
    tail = (exponential * above) / below
  } else {
    const fraction = size + 1 / (size + 2 / (size + 3 / (size + 4 / (size + 0.65))))
    tail = exponential / fraction / 2.506628274631
  }
  return x > 0 ? 1 - tail : tail
}

/** log of the sum of exponentials. */
export function logSumExp(values: Float64Array): number {
  const most = values.reduce((a, b) => Math.max(a, b), -Infinity)
  if (most === -Infinity) return -Infinity
  return most + Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0))
}
