/** `dcml evaluate`: a saved model measured on data. @module */

import { writeFile } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import { type Columns, Evaluator, type MetricName, type Predictor } from '../index.js'
import { DATA_HELP, type DataOptions, fitToModel, loadModel, ON_ERROR, openData, peek } from './data.js'

interface EvaluateOptions extends DataOptions {
  metrics?: MetricName[]
  json?: string
  html?: string
  markdown?: string
}

/** Adds the command. */
export function registerEvaluate(program: Command): void {
  program
    .command('evaluate')
    .description('Measures a model that trainer.save(directory(dir)) saved, and prints a table.')
    .argument('<dir>', 'folder of the saved model and its preprocessor')
    .argument('<data>', DATA_HELP)
    .option('--target <column>', 'column with the truth', 'y')
    .option('--metrics <names>', 'such as accuracy,f1 (default: by the output of the model and the target)', list)
    .addOption(new Option('--split <half>', 'half of MNIST').choices(['train', 'test']).default('test'))
    .addOption(ON_ERROR)
    .option('--json <file>', 'writes the report as JSON')
    .option('--html <file>', 'writes the report as a page with plots')
    .option('--markdown <file>', 'writes the report as Markdown')
    .action(evaluate)
}

const list = (text: string) => text.split(',').map((name) => name.trim())

async function evaluate(dir: string, data: string, options: EvaluateOptions): Promise<void> {
  const predictor = await loadModel(dir)
  const { model, preprocessor, classes } = predictor
  const fitting = await fitToModel(await openData(data, predictor, options), predictor, { ...options, use: 'evaluate' })
  let read = 0
  const counted = fitting.mapBatches((batch) => {
    read += Object.values(batch)[0]!.shape[0]!
    return batch
  })
  const { first, dataset } = await peek(preprocessor ? preprocessor.transform(counted) : counted)
  const target = Object.hasOwn(first, options.target) ? options.target : 'y'
  const metrics = options.metrics ?? defaultMetrics(predictor, first[target])
  const report = await new Evaluator({ metrics, target, ...(classes && { classes }) }).evaluate(model, dataset)
  console.log(report.toText())
  if (read > report.rows) console.log(`${read - report.rows} of ${read} rows were left out by the preprocessor.`)

  for (const [file, text] of [
    [options.json, () => `${JSON.stringify(report, null, 2)}\n`],
    [options.html, () => report.toHTML({ title: `${dir} on ${data}` })],
    [options.markdown, () => report.toMarkdown()],
  ] as const)
    if (file !== undefined) await writeFile(file, text())
  predictor.dispose()
}

/** Metrics of classes where the truth holds classes that the model can tell apart, else of numbers. */
function defaultMetrics({ model, givesClasses }: Predictor, truth: Columns[string] | undefined): MetricName[] {
  const outputs = model.outputs[0]!.shape.slice(1).reduce<number>((size, length) => size * (length ?? 1), 1)
  if (!truth || !holdsClasses(truth) || (outputs === 1 && !givesClasses)) return ['mse', 'rmse', 'mae', 'r2']
  if (!givesClasses) return ['accuracy', 'f1', 'confusionMatrix']
  return ['accuracy', 'f1', ...(outputs <= 2 ? (['rocAuc'] as const) : []), 'logLoss', 'confusionMatrix']
}

/** Class numbers, or rows of zeros and one 1. */
function holdsClasses({ data, shape }: Columns[string]): boolean {
  const width = data.length / shape[0]!
  const values = Array.from(data as ArrayLike<number>)
  if (width === 1) return values.every((value) => Number.isInteger(value) && value >= 0)
  const ones = new Uint32Array(shape[0]!)
  values.forEach((value, i) => {
    if (value === 1) ones[Math.floor(i / width)]!++
  })
  return values.every((value) => value === 0 || value === 1) && ones.every((count) => count === 1)
}
