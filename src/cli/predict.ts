/** `dcml predict`: a saved model used on data, one line a row. @module */

import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Command, Option } from 'commander'
import { type Columns, type Dataset, Predictor } from '../index.js'
import { directory } from '../node.js'
import { DATA_HELP, type DataOptions, fitToModel, openData } from './data.js'

interface PredictOptions extends DataOptions {
  format: 'csv' | 'jsonl'
  out?: string
}

/** What is written of one row. */
type Prediction = Record<string, string | number>

/** Adds the command. */
export function registerPredict(program: Command): void {
  program
    .command('predict')
    .description(
      'Predicts with a model that trainer.save(directory(dir)) saved: class and probability of every row, or its values.',
    )
    .argument('<dir>', 'folder of the saved model and its preprocessor')
    .argument('<data>', DATA_HELP)
    .option('--target <column>', 'column with the truth, which is left out where the data has it', 'y')
    .addOption(new Option('--split <half>', 'half of MNIST').choices(['train', 'test']).default('test'))
    .addOption(
      new Option('--format <format>', 'csv begins with a line of names').choices(['csv', 'jsonl']).default('csv'),
    )
    .option('--out <file>', 'writes to the file (default: standard output)')
    .action(predict)
}

async function predict(dir: string, data: string, options: PredictOptions): Promise<void> {
  const predictor = await Predictor.load(directory(dir))
  const dataset = await fitToModel(await openData(data, options), predictor, { ...options, use: 'predict' })
  const lines = Readable.from(linesOf(predictor, dataset, options.format))
  if (options.out === undefined) await pipeline(lines, process.stdout, { end: false })
  else await pipeline(lines, createWriteStream(options.out))
  predictor.dispose()
}

async function* linesOf(predictor: Predictor, dataset: Dataset, format: 'csv' | 'jsonl'): AsyncGenerator<string> {
  let firstRow = 0
  for await (const batch of dataset.batches()) {
    const predictions = await predictBatch(predictor, batch, firstRow)
    if (format === 'csv' && firstRow === 0) yield `${Object.keys(predictions[0]!).join(',')}\n`
    const line = format === 'csv' ? csvLine : (prediction: Prediction) => JSON.stringify(prediction)
    yield predictions.map((prediction) => `${line(prediction)}\n`).join('')
    firstRow += predictions.length
  }
}

async function predictBatch(predictor: Predictor, batch: Columns, firstRow: number): Promise<Prediction[]> {
  if (predictor.givesClasses) {
    const explanations = await predictor.explain(batch, { topK: 1, firstRow })
    return explanations.map(({ class: name, probability }) => ({ class: name, probability }))
  }
  const { data, shape } = await predictor.predict(batch, { firstRow })
  const width = data.length / shape[0]!
  return Array.from({ length: shape[0]! }, (_, row) => {
    const values = inUnitsOfTarget(predictor, data.subarray(row * width, (row + 1) * width))
    return width === 1
      ? { value: values[0]! }
      : Object.fromEntries(Array.from(values, (value, i) => [`value${i}`, value]))
  })
}

/** The values before what the preprocessor did to the target, such as standardize('y'). */
function inUnitsOfTarget({ preprocessor }: Predictor, values: Float32Array): ArrayLike<number> {
  const before = preprocessor ? Object.values(preprocessor.inverse({ y: values }))[0] : values
  return before instanceof Float32Array ? before : values
}

const csvLine = (prediction: Prediction) =>
  Object.values(prediction)
    .map((value) => (/[",\r\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value)))
    .join(',')
