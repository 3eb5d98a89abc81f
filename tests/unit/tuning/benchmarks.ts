/** Functions with a known least value, as the literature gives them. @module */

import { type Params, type SpaceDefinition, uniform } from '../../../src/tuning/index.js'

/** A function of parameters whose least value is 0. */
export interface Benchmark {
  space: SpaceDefinition
  regret(params: Params): number
}

const number = (params: Params, name: string) => params[name] as number

/** @see Branin 1972; least value 0.397887 */
export const branin: Benchmark = {
  space: { x: uniform(-5, 10), y: uniform(0, 15) },
  regret(params) {
    const [x, y] = [number(params, 'x'), number(params, 'y')]
    const bowl = (y - (5.1 / (4 * Math.PI ** 2)) * x ** 2 + (5 / Math.PI) * x - 6) ** 2
    return bowl + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x) + 10 - 0.39788735772973816
  },
}

/** In two dimensions; least value 0 at (1, 1). */
export const rosenbrock: Benchmark = {
  space: { x: uniform(-5, 10), y: uniform(-5, 10) },
  regret(params) {
    const [x, y] = [number(params, 'x'), number(params, 'y')]
    return 100 * (y - x ** 2) ** 2 + (1 - x) ** 2
  },
}

const steepness = [
  [10, 3, 17, 3.5, 1.7, 8],
  [0.05, 10, 17, 0.1, 8, 14],
  [3, 3.5, 1.7, 10, 17, 8],
  [17, 8, 0.05, 10, 0.1, 14],
]
const centers = [
  [1312, 1696, 5569, 124, 8283, 5886],
  [2329, 4135, 8307, 3736, 1004, 9991],
  [2348, 1451, 3522, 2883, 3047, 6650],
  [4047, 8828, 8732, 5743, 1091, 381],
]

/** @see Dixon and Szegö 1978; least value -3.32237 */
export const hartmann6: Benchmark = {
  space: Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`x${i}`, uniform(0, 1)])),
  regret(params) {
    const bump = (i: number) =>
      Math.exp(
        -steepness[i]!.reduce((sum, a, j) => sum + a * (number(params, `x${j}`) - centers[i]![j]! / 1e4) ** 2, 0),
      )
    return 3.322368011415515 - [1, 1.2, 3, 3.2].reduce((sum, alpha, i) => sum + alpha * bump(i), 0)
  },
}
