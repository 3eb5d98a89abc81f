/** The minimum of a function of one number. @module */

const GOLDEN = (3 - Math.sqrt(5)) / 2
const MAX_STEPS = 200

/**
 * The place of a minimum between two bounds, without derivatives: parabolas, with golden sections where they fail.
 *
 * @param f - With one minimum in between; of several, one is found.
 * @param tolerance - Of the place, relative.
 * @see Brent 1973, "Algorithms for Minimization without Derivatives", chapter 5
 */
export function brentMinimum(f: (x: number) => number, low: number, high: number, tolerance = 1e-10): number {
  let [a, b] = [low, high]
  let x = a + GOLDEN * (b - a)
  let [second, third] = [x, x]
  let fx = f(x)
  let [fSecond, fThird] = [fx, fx]
  let step = 0
  let before = 0
  for (let i = 0; i < MAX_STEPS; i++) {
    const middle = (a + b) / 2
    const least = tolerance * Math.abs(x) + 1e-12
    if (Math.abs(x - middle) <= 2 * least - (b - a) / 2) break
    let useGolden = true
    if (Math.abs(before) > least) {
      // The lowest point of the parabola through the three best points.
      const r = (x - second) * (fx - fThird)
      let q = (x - third) * (fx - fSecond)
      let p = (x - third) * q - (x - second) * r
      q = 2 * (q - r)
      if (q > 0) p = -p
      else q = -q
      if (Math.abs(p) < Math.abs(0.5 * q * before) && p > q * (a - x) && p < q * (b - x)) {
        before = step
        step = p / q
        const u = x + step
        if (u - a < 2 * least || b - u < 2 * least) step = x < middle ? least : -least
        useGolden = false
      }
    }
    if (useGolden) {
      before = x < middle ? b - x : a - x
      step = GOLDEN * before
    }
    const u = x + (Math.abs(step) >= least ? step : step > 0 ? least : -least)
    const fu = f(u)
    if (fu <= fx) {
      if (u < x) b = x
      else a = x
      ;[third, fThird] = [second, fSecond]
      ;[second, fSecond] = [x, fx]
      ;[x, fx] = [u, fu]
    } else {
      if (u < x) a = u
      else b = u
      if (fu <= fSecond || second === x) {
        ;[third, fThird] = [second, fSecond]
        ;[second, fSecond] = [u, fu]
      } else if (fu <= fThird || third === x || third === second) [third, fThird] = [u, fu]
    }
  }
  return x
}
