/** `dcml predict`: a saved model used on data, one record a row. @module */

import { type Command, Option } from 'commander'
import { Dataset, type Prediction } from '../index.js'
import { type TableFormat, writeTable } from '../node.js'
import { DATA_HELP, type DataOptions, fitToModel, loadModel, ON_ERROR, openData } from './data.js'

interface PredictOptions extends DataOptions {
  format?: TableFormat
  out?: string
}

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
    .addOption(ON_ERROR)
    .addOption(
      new Option(
        '--format <format>',
        'csv begins with a line of names (default: by the ending of --out, else csv)',
      ).choices(['csv', 'jsonl', 'parquet']),
    )
    .option('--out <file>', 'writes to the file: .csv, .jsonl or .parquet (default: standard output)')
    .action(predict)
}

async function predict(dir: string, data: string, options: PredictOptions): Promise<void> {
  const predictor = await loadModel(dir)
  const dataset = await fitToModel(await openData(data, predictor, options), predictor, { ...options, use: 'predict' })
  const records = Dataset.fromRows(() => recordsOf(predictor.stream(dataset, { topK: 1 })))
  const { out = process.stdout, format = options.out === undefined ? 'csv' : undefined } = options
  await writeTable(records, out, format ? { format } : {})
  predictor.dispose()
}

/** What is written of each row. */
async function* recordsOf(predictions: AsyncIterable<Prediction>): AsyncGenerator<Record<string, string | number>> {
  for await (const prediction of predictions) {
    if ('class' in prediction) yield { class: prediction.class, probability: prediction.probability }
    else if (typeof prediction.value === 'number') yield { value: prediction.value }
    else yield Object.fromEntries(prediction.value.map((each, i) => [`value${i}`, each]))
  }
}
