/**
 * Tells malignant from benign tumours by 30 measurements of cell nuclei, and says how far the answer can be trusted:
 * the area under the ROC curve with an interval, whether probabilities mean what they say, which measurements count,
 * and from which probability on to send a patient to the surgeon, when a tumour overlooked is as bad as ten false alarms.
 *
 * Command: DCML_DATA_DIR=folder npm run examples -- 20
 * Data: breast_cancer.csv (569 patients, Wisconsin 1995), in folder/tabular.
 * Time: below 10 s on two cores
 * Prints: the report on patients not seen, what the threshold does to them, and where the HTML page with curves is.
 * @module
 */

import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tfl from '@tensorflow/tfjs-layers'
import {
  adamw,
  calibrationError,
  type Dataset,
  Evaluator,
  earlyStopping,
  evaluatePredictions,
  findThreshold,
  Predictor,
  Preprocessor,
  permutationImportance,
  recall,
  selectBackend,
  standardize,
  Trainer,
} from 'dcml'
import { sources } from 'dcml/node'
import { dataPath, expectAtLeast, expectAtMost } from './targets.js'

const EPOCHS = 60
const OVERLOOKED = 10 // false alarms that are as bad as one tumour overlooked
const TARGETS = { auc: 0.99, calibrationError: 0.05, recall: 0.95 }

const file = dataPath('tabular/breast_cancer.csv', 'scikit-learn (sklearn/datasets/data)')
const nucleus = ['radius', 'texture', 'perimeter', 'area', 'smoothness', 'compactness', 'concavity']
const measures = [...nucleus, 'concave points', 'symmetry', 'fractal dimension']
const names = ['mean', 'error', 'worst'].flatMap((kind) => measures.map((measure) => `${kind} ${measure}`))

await selectBackend()
const table = sources.csv(file, { header: false, skipLines: 1, columns: [...names, 'benign'], target: 'benign' })
// The class to find is 1.
const patients = await table.map(({ x, y }) => ({ x, y: 1 - Number(y) })).collect()
const { train, validation, test } = patients.split(
  { train: 0.5, validation: 0.2, test: 0.3 },
  { seed: 1, stratifyBy: 'y' },
)

const kernelInitializer = () => tfl.initializers.glorotUniform({ seed: 1 })
const preprocessor = new Preprocessor([standardize('x')])
const trainer = new Trainer({
  model: tfl.sequential({
    layers: [
      tfl.layers.dense({ units: 16, activation: 'relu', inputShape: [30], kernelInitializer: kernelInitializer() }),
      tfl.layers.dropout({ rate: 0.3 }),
      tfl.layers.dense({ units: 1, activation: 'sigmoid', kernelInitializer: kernelInitializer() }),
    ],
  }),
  loss: 'binaryCrossentropy',
  optimizer: adamw({ learningRate: 3e-3, weightDecay: 0.05 }),
  preprocessor,
  callbacks: [earlyStopping({ monitor: 'val_loss', patience: 10 })],
  seed: 1,
})
const history = await trainer.fit(train, { epochs: EPOCHS, batchSize: 16, validation })
await trainer.close()

const predictor = new Predictor({ model: trainer.model, preprocessor })
const importance = await permutationImportance(predictor, test, {
  metric: 'logLoss',
  smallerIsBetter: true,
  features: { x: names },
})
const report = await new Evaluator({
  metrics: ['rocAuc', calibrationError({ bins: 10 }), 'brier', 'rocCurve', 'calibrationCurve', 'confusionMatrix'],
  classes: ['benign', 'malignant'],
  confidence: true,
  worst: { count: 5 },
}).evaluate(predictor, test)
console.log(report.toText())
console.log(
  `Counts most: ${importance
    .slice(0, 3)
    .map(({ feature }) => feature)
    .join(', ')}`,
)

const page = join(await mkdtemp(join(tmpdir(), 'dcml-example-')), 'report.html')
await writeFile(page, report.toHTML({ title: 'Is the tumour malignant?', history, importance }))
console.log(`The report: ${page}`)

async function predictions(dataset: Dataset) {
  const columns = await dataset.columns()
  return { truth: columns.y!.data as Float32Array, scores: (await predictor.predict(columns)).data }
}
const { threshold } = findThreshold(await predictions(validation), {
  maximize: ({ falseNegatives, falsePositives }) => -(OVERLOOKED * falseNegatives + falsePositives),
})
const { truth, scores } = await predictions(test)
const alarms = scores.map((score) => Number(score >= threshold))
const decided = evaluatePredictions({ truth, predicted: alarms }, [recall({ average: 'binary' }), 'confusionMatrix'])
console.log(`To the surgeon from a probability of ${threshold.toFixed(3)} on:\n${decided.toText()}`)

expectAtLeast('Area under the ROC curve', report.values.rocAuc as number, TARGETS.auc)
expectAtMost('Calibration error', report.values.calibrationError as number, TARGETS.calibrationError)
expectAtLeast('Tumours found', decided.values.recall as number, TARGETS.recall)
