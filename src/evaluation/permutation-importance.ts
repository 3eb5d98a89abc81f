/** What a model reads: how much worse it gets when one feature is shuffled. @module */

import { ensureBackend } from '../backends/index.js'
import { checkWhole, DataError, Random, withDefaults } from '../core/index.js'
import { type Columns, columnOf, Dataset } from '../data/index.js'
import type { Metric, MetricName } from '../metrics/index.js'
import { type Evaluable, Evaluator } from './evaluator.js'

/** How importance is measured. */
export interface ImportanceOptions {
  /** One number; the larger the better unless `smallerIsBetter`. */
  metric: Metric | MetricName
  /** @default false */
  smallerIsBetter?: boolean
  /** Columns whose rows, or features within a row, are shuffled. @default ['x'] */
  columns?: readonly string[]
  /** Names of the features of a column, by column. @default their numbers */
  features?: Readonly<Record<string, readonly string[]>>
  /** Shuffles of each feature. @default 5 */
  repeats?: number
  /** @default 0 */
  seed?: number
  /** Column of the targets. @default 'y' */
  target?: string
}

/** How much a feature matters. */
export interface FeatureImportance {
  feature: string
  /** Mean loss of the metric over the shuffles: below 0, or near it, the model does without. */
  importance: number
  /** Standard deviation over the shuffles. */
  deviation: number
}

/** Features of one column that are shuffled each by itself; a column of more is shuffled as a whole. */
const MAX_FEATURES = 1000

/**
 * Loss of the metric when a feature's values are dealt out to other rows, the most important feature first.
 *
 * A column `[rows, features]` is taken feature by feature, any other as a whole. Features that say the same share their
 * importance, or hide it.
 *
 * @param dataset - In memory; raw for a `Predictor`.
 * @see Breiman 2001, https://doi.org/10.1023/A:1010933404324
 * @example
 * await permutationImportance(model, test, { metric: 'accuracy', features: { x: names } })
 */
export async function permutationImportance(
  model: Evaluable,
  dataset: Dataset,
  options: ImportanceOptions,
): Promise<FeatureImportance[]> {
  const {
    metric,
    smallerIsBetter,
    columns: names,
    repeats,
    seed,
    target,
  } = withDefaults('permutationImportance', options, {
    metric: undefined,
    smallerIsBetter: false,
    columns: ['x'],
    features: undefined,
    repeats: 5,
    seed: 0,
    target: 'y',
  })
  checkWhole('repeats', repeats)
  await ensureBackend()
  const evaluator = new Evaluator({ metrics: [metric], target })
  const columns = await dataset.columns()
  const measure = async (some: Columns) => {
    const [value] = Object.values((await evaluator.evaluate(model, Dataset.fromArrays(some))).values)
    if (typeof value === 'number') return smallerIsBetter ? -value : value
    throw new DataError('Importance needs a metric that is one number.', { received: value })
  }
  const whole = await measure(columns)
  const found: FeatureImportance[] = []
  let stream = 0
  for (const { name, feature, label } of featuresOf(columns, names, options.features)) {
    const losses: number[] = []
    for (let repeat = 0; repeat < repeats; repeat++)
      losses.push(whole - (await measure(shuffled(columns, name, feature, new Random(seed, stream++)))))
    const importance = losses.reduce((sum, loss) => sum + loss, 0) / repeats
    const deviation = Math.sqrt(losses.reduce((sum, loss) => sum + (loss - importance) ** 2, 0) / repeats)
    found.push({ feature: label, importance, deviation })
  }
  return found.sort((a, b) => b.importance - a.importance)
}

interface Feature {
  name: string
  /** Its place in the row; undefined: the whole column. */
  feature: number | undefined
  label: string
}

function featuresOf(columns: Columns, names: readonly string[], labels: ImportanceOptions['features']): Feature[] {
  return names.flatMap((name): Feature[] => {
    const { shape } = columnOf(columns, name, 'permutationImportance')
    const width = shape[1] ?? 1
    if (shape.length !== 2 || width === 1 || width > MAX_FEATURES) return [{ name, feature: undefined, label: name }]
    return Array.from({ length: width }, (_, feature) => ({
      name,
      feature,
      label: labels?.[name]?.[feature] ?? (names.length === 1 ? String(feature) : `${name}[${feature}]`),
    }))
  })
}

/** Columns in which one feature, or all of a column, is dealt out anew. */
function shuffled(columns: Columns, name: string, feature: number | undefined, random: Random): Columns {
  const { data, shape } = columns[name]!
  const rows = shape[0]!
  const width = shape.slice(1).reduce((size, length) => size * length, 1)
  const order = random.permutation(rows)
  const copy = data.slice()
  const [from, to] = feature === undefined ? [0, width] : [feature, feature + 1]
  for (let row = 0; row < rows; row++)
    for (let i = from; i < to; i++) copy[row * width + i] = data[order[row]! * width + i]!
  return { ...columns, [name]: { data: copy, shape } }
}
