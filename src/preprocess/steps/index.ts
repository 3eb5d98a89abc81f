/** All steps, and how each is made again from its options. @module */

import type { Json, Step } from '../step.js'
import { cast } from './cast.js'
import { clipOutliers } from './clip-outliers.js'
import { concat } from './concat.js'
import { dropMissing } from './drop-missing.js'
import { impute } from './impute.js'
import { minMax } from './min-max.js'
import { oneHot } from './one-hot.js'
import { rename } from './rename.js'
import { scale } from './scale.js'
import { select } from './select.js'
import { standardize } from './standardize.js'

export type { ClipOutliersOptions } from './clip-outliers.js'
export type { ImputeOptions } from './impute.js'
export type { Category, OneHotOptions } from './one-hot.js'
export { cast, clipOutliers, concat, dropMissing, impute, minMax, oneHot, rename, scale, select, standardize }

/** Options as they come from JSON; the functions check them. */
type Options = { [key: string]: Json | undefined }
type Made<Rest extends unknown[]> = (columns: string[], ...rest: Rest) => Step

/** Makes a step from the `options` it carries, by its `kind`. */
export const stepKinds: Readonly<Record<string, (options: Options) => Step>> = {
  cast: ({ columns, dtype }) => (cast as Made<[unknown]>)(columns as string[], dtype),
  clipOutliers: ({ columns, ...options }) => clipOutliers(columns as string[], options),
  concat: ({ columns, into }) => concat(columns as string[], into as string),
  dropMissing: ({ columns }) => dropMissing(columns as string[] | undefined),
  impute: ({ columns, ...options }) => impute(columns as string[], options),
  minMax: ({ columns, ...options }) => minMax(columns as string[], options),
  oneHot: ({ columns, ...options }) => oneHot(columns as string[], options),
  rename: ({ names }) => rename(names as Record<string, string>),
  scale: ({ columns, factor }) => scale(columns as string[], factor as number),
  select: ({ columns }) => select(columns as string[]),
  standardize: ({ columns, ...options }) => standardize(columns as string[], options),
}
