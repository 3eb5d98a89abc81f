/** All steps, and how each is made again from its options. @module */

import type { Json, Step } from '../step.js'
import { type AddNoiseOptions, addNoise } from './add-noise.js'
import { type BucketizeOptions, bucketize } from './bucketize.js'
import { type BytePairOptions, bytePair } from './byte-pair.js'
import { cast } from './cast.js'
import { clipOutliers } from './clip-outliers.js'
import { concat } from './concat.js'
import { type CropOptions, crop } from './crop.js'
import { type DatePartsOptions, dateParts } from './date-parts.js'
import { dropDuplicates } from './drop-duplicates.js'
import { dropMissing } from './drop-missing.js'
import { type FlipOptions, flip } from './flip.js'
import { type GainOptions, gain } from './gain.js'
import { hashBucket } from './hash-bucket.js'
import { impute } from './impute.js'
import { l2 } from './l2.js'
import { logMel } from './log-mel.js'
import { maxAbs } from './max-abs.js'
import { type MfccOptions, mfcc } from './mfcc.js'
import { minMax } from './min-max.js'
import { type NormalizeOptions, normalize } from './normalize.js'
import { oneHot } from './one-hot.js'
import { type OrdinalOptions, ordinal } from './ordinal.js'
import { type PadOptions, pad } from './pad.js'
import { type PcaOptions, pca } from './pca.js'
import { type PolynomialOptions, polynomial } from './polynomial.js'
import { power } from './power.js'
import { type QuantileTransformOptions, quantileTransform } from './quantile-transform.js'
import { type RandAugmentOptions, randAugment } from './rand-augment.js'
import { rename } from './rename.js'
import { type ResampleOptions, resample } from './resample.js'
import { type ResizeOptions, resize } from './resize.js'
import { type RobustOptions, robust } from './robust.js'
import { type RotateOptions, rotate } from './rotate.js'
import { scale } from './scale.js'
import { select } from './select.js'
import { type SmoothOptions, smooth } from './smooth.js'
import { type SpecAugmentOptions, specAugment } from './spec-augment.js'
import { standardize } from './standardize.js'
import { type TargetEncodeOptions, targetEncode } from './target-encode.js'
import { type TimeShiftOptions, timeShift } from './time-shift.js'
import { type VocabularyOptions, vocabulary } from './vocabulary.js'

export type { Category } from '../categories.js'
export type { PictureOperation } from '../picture-operations.js'
export type { SpectrumOptions } from '../spectrum.js'
export type { ClipOutliersOptions } from './clip-outliers.js'
export type { DatePart } from './date-parts.js'
export type { ImputeOptions } from './impute.js'
export type { OneHotOptions } from './one-hot.js'
export type {
  AddNoiseOptions,
  BucketizeOptions,
  BytePairOptions,
  CropOptions,
  DatePartsOptions,
  FlipOptions,
  GainOptions,
  MfccOptions,
  NormalizeOptions,
  OrdinalOptions,
  PadOptions,
  PcaOptions,
  PolynomialOptions,
  QuantileTransformOptions,
  RandAugmentOptions,
  ResampleOptions,
  ResizeOptions,
  RobustOptions,
  RotateOptions,
  SmoothOptions,
  SpecAugmentOptions,
  TargetEncodeOptions,
  TimeShiftOptions,
  VocabularyOptions,
}
export {
  addNoise,
  bucketize,
  bytePair,
  cast,
  clipOutliers,
  concat,
  crop,
  dateParts,
  dropDuplicates,
  dropMissing,
  flip,
  gain,
  hashBucket,
  impute,
  l2,
  logMel,
  maxAbs,
  mfcc,
  minMax,
  normalize,
  oneHot,
  ordinal,
  pad,
  pca,
  polynomial,
  power,
  quantileTransform,
  randAugment,
  rename,
  resample,
  resize,
  robust,
  rotate,
  scale,
  select,
  smooth,
  specAugment,
  standardize,
  targetEncode,
  timeShift,
  vocabulary,
}

/** Options as they come from JSON; the functions check them. */
type Options = { [key: string]: Json | undefined }
type Made<Rest extends unknown[]> = (columns: string[], ...rest: Rest) => Step

/** Makes a step from the `options` it carries, by its `kind`. */
export const stepKinds: Readonly<Record<string, (options: Options) => Step>> = {
  addNoise: withOptions(addNoise),
  bucketize: withOptions(bucketize),
  bytePair: withOptions(bytePair),
  cast: ({ columns, dtype }) => (cast as Made<[unknown]>)(columns as string[], dtype),
  clipOutliers: withOptions(clipOutliers),
  concat: ({ columns, into }) => concat(columns as string[], into as string),
  crop: withOptions(crop),
  dateParts: withOptions(dateParts),
  dropDuplicates: ({ columns }) => dropDuplicates(columns as string[] | undefined),
  dropMissing: ({ columns }) => dropMissing(columns as string[] | undefined),
  flip: withOptions(flip),
  gain: withOptions(gain),
  hashBucket: withOptions(hashBucket),
  impute: withOptions(impute),
  l2: withOptions(l2),
  logMel: withOptions(logMel),
  maxAbs: withOptions(maxAbs),
  mfcc: withOptions(mfcc),
  minMax: withOptions(minMax),
  normalize: withOptions(normalize),
  oneHot: withOptions(oneHot),
  ordinal: withOptions(ordinal),
  pad: withOptions(pad),
  pca: withOptions(pca),
  polynomial: withOptions(polynomial),
  power: withOptions(power),
  quantileTransform: withOptions(quantileTransform),
  randAugment: withOptions(randAugment),
  rename: ({ names }) => rename(names as Record<string, string>),
  resample: withOptions(resample),
  resize: withOptions(resize),
  robust: withOptions(robust),
  rotate: withOptions(rotate),
  scale: ({ columns, factor }) => scale(columns as string[], factor as number),
  select: ({ columns }) => select(columns as string[]),
  smooth: withOptions(smooth),
  specAugment: withOptions(specAugment),
  standardize: withOptions(standardize),
  targetEncode: withOptions(targetEncode),
  timeShift: withOptions(timeShift),
  vocabulary: withOptions(vocabulary),
}

/** Steps that take columns and then options. */
function withOptions(make: (columns: string[], options: never) => Step): (options: Options) => Step {
  return ({ columns, ...options }) => make(columns as string[], options as never)
}
