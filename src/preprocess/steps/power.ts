/** Skewed values made more like normal ones. @module */

import { brentMinimum, withDefaults } from '../../core/index.js'
import { checkPer, mapRow, mapValues, namesOf, type Per } from '../column-groups.js'
import type { Distribution } from '../distribution.js'
import { quantileFitting } from '../quantiles.js'
import { fittingOf, type Step } from '../step.js'

interface Power {
  lambda: number
  mean: number
  deviation: number
}

type Fitted = Record<string, Power[]>

/** Exponents that are tried lie within this of 0, and further out where the best is near that border. */
const REACH = 4
const FURTHEST = 256

/**
 * Yeo and Johnson's power transform, with the exponent that makes the training set most like a normal distribution,
 * then standardized; as float32. NaN stays NaN; values that never vary become 0. Fitted on all rows up to 100,000
 * (fewer for wide columns), on a sketch of them above.
 *
 * For x at least 0: ((x + 1)^lambda - 1) / lambda, or ln(x + 1) where lambda is 0;
 * below 0: -((1 - x)^(2 - lambda) - 1) / (2 - lambda), or -ln(1 - x) where lambda is 2.
 *
 * @param columns - Numeric columns of any shape.
 * @param options - `per`: which values share a statistic. @default 'feature'
 * @see Yeo and Johnson 2000, https://doi.org/10.1093/biomet/87.4.954
 */
export function power(columns: string | readonly string[], options: { per?: Per } = {}): Step {
  const { per } = withDefaults('power', options, { per: 'feature' })
  const names = namesOf(columns)
  checkPer(per)
  return {
    kind: 'power',
    options: { columns: names, per },
    reads: names,
    makes: names,
    takes: 'numbers',
    gives: 'numbers',
    fitting: fittingOf(
      quantileFitting('power', names, per, (groups) => groups.map((values) => ({ ...mostNormal(values) }))),
    ),
    apply(columns, fitted) {
      return mapValues(columns, names, 'power', (name) => {
        const powers = (fitted as unknown as Fitted)[name]!
        return {
          groups: powers.length,
          map(value, g) {
            const { lambda, mean, deviation } = powers[g]!
            return (transformed(value, lambda) - mean) / deviation
          },
        }
      })
    },
    inverse(row, fitted) {
      return mapRow(row, names, (name) => {
        const powers = (fitted as unknown as Fitted)[name]!
        return {
          groups: powers.length,
          map(value, g) {
            const { lambda, mean, deviation } = powers[g]!
            return original(value * deviation + mean, lambda)
          },
        }
      })
    },
  }
}

function mostNormal(known: Distribution): Power {
  const { values, weights, count } = known
  if (values[0] === values[values.length - 1]) return { lambda: 1, mean: values[0]!, deviation: 1 }
  let logs = 0
  for (let i = 0; i < values.length; i++)
    logs += (weights?.[i] ?? 1) * Math.sign(values[i]!) * Math.log1p(Math.abs(values[i]!))
  // Minus the log-likelihood, without its constants.
  const cost = (lambda: number) => (count / 2) * Math.log(spread(known, lambda).variance) - (lambda - 1) * logs
  let reach = REACH
  let lambda = 0
  do {
    reach *= 2
    lambda = brentMinimum((x) => finite(cost(x)), -reach, reach)
  } while (Math.abs(lambda) > 0.9 * reach && reach < FURTHEST)
  const { mean, variance } = spread(known, lambda)
  return { lambda, mean, deviation: Math.sqrt(variance) || 1 }
}

/** An exponent under which values overflow, or all become one, is the worst. */
const finite = (cost: number) => (Number.isFinite(cost) ? cost : Number.MAX_VALUE)

function spread({ values, weights }: Distribution, lambda: number): { mean: number; variance: number } {
  let count = 0
  let mean = 0
  let squares = 0
  for (let i = 0; i < values.length; i++) {
    const value = transformed(values[i]!, lambda)
    const weight = weights?.[i] ?? 1
    const delta = value - mean
    count += weight
    mean += (delta * weight) / count
    squares += weight * delta * (value - mean)
  }
  return { mean, variance: squares / count }
}

function transformed(x: number, lambda: number): number {
  if (x >= 0) return powerOf(Math.log1p(x), lambda)
  return -powerOf(Math.log1p(-x), 2 - lambda)
}

function original(y: number, lambda: number): number {
  if (y >= 0) return rootOf(y, lambda)
  return -rootOf(-y, 2 - lambda)
}

/** (e^log ^ exponent - 1) / exponent, exact near exponent 0 too. */
const powerOf = (log: number, exponent: number) =>
  Math.abs(exponent) < Number.EPSILON ? log : Math.expm1(log * exponent) / exponent

const rootOf = (y: number, exponent: number) =>
  Math.expm1(Math.abs(exponent) < Number.EPSILON ? y : Math.log1p(y * exponent) / exponent)
