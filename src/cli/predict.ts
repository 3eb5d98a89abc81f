/** `dcml predict`: a saved model used on data, one line a row. @module */

import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Command, Option } from 'commander'
import { type Prediction, Predictor } from '../index.js'
import { directory } from '../node.js'
import { DATA_HELP, type DataOptions, fitToModel, openData } from './data.js'

interface PredictOptions extends DataOptions {
  format: 'csv' | 'jsonl'
  out?: string
}

/** What is written of one row. */
type PredictionRecord = Record<string, string | number>

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
  const lines = Readable.from(linesOf(predictor.stream(dataset, { topK: 1 }), options.format))
  if (options.out === undefined) await pipeline(lines, process.stdout, { end: false })
  else await pipeline(lines, createWriteStream(options.out))
  predictor.dispose()
}

async function* linesOf(predictions: AsyncIterable<Prediction>, format: 'csv' | 'jsonl'): AsyncGenerator<string> {
  let head = format === 'csv'
  for await (const prediction of predictions) {
    const record = recordOf(prediction)
    if (head) yield `${Object.keys(record).join(',')}\n`
    head = false
    yield `${format === 'csv' ? csvLine(record) : JSON.stringify(record)}\n`
  }
}

function recordOf(prediction: Prediction): PredictionRecord {
  if ('class' in prediction) return { class: prediction.class, probability: prediction.probability }
  const { value } = prediction
  return typeof value === 'number' ? { value } : Object.fromEntries(value.map((each, i) => [`value${i}`, each]))
}

const csvLine = (record: PredictionRecord) =>
  Object.values(record)
    .map((value) => (/[",\r\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value)))
    .join(',')
