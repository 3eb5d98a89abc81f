/** Datasets that need no download. @module */

import { syntheticDigits } from './synthetic-digits.js'

/** Data that dcml makes itself. */
export const datasets = {
  /** Drawn digits, `x: [count, 28, 28, 1]` uint8 and `y: [count]` int32. */
  syntheticDigits,
}
