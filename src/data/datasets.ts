/** Datasets that need no download. @module */

import { syntheticDigits } from './synthetic-digits.js'

/** Data that dcml makes itself. */
export const datasets = { syntheticDigits }
