/**
 * Evaluates a trained model, writes the report, saves the model, and loads it again as any program would.
 *
 * Command: npm run examples -- 07
 * Time: below 10 s on two cores
 * Prints: the report, the files written, and the accuracy of the model that was loaded.
 * @module
 */

import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { adam, Evaluator, Predictor, selectBackend, Trainer } from 'dcml'
import { directory } from 'dcml/node'
import { digits, network } from './digits.js'
import { expectAtLeast } from './targets.js'

const TARGET = 0.9

await selectBackend()
const trainer = new Trainer({
  model: network(),
  loss: 'sparseCategoricalCrossentropy',
  optimizer: adam({ learningRate: 2e-3 }),
  seed: 42,
})
const history = await trainer.fit(await digits(4000, 1), { epochs: 5, batchSize: 32 })
await trainer.close()

const test = await digits(1000, 2)
const evaluator = new Evaluator({ metrics: ['accuracy', 'f1', 'logLoss', 'confusionMatrix'] })
const report = await evaluator.evaluate(trainer.model, test)
console.log(report.toText())

const folder = await mkdtemp(join(tmpdir(), 'dcml-example-'))
await writeFile(join(folder, 'report.md'), report.toMarkdown())
await writeFile(join(folder, 'report.html'), report.toHTML({ title: 'Drawn digits', history }))

// model.json is the topology of tfjs; the weights are in model.safetensors, which many libraries read.
const store = directory(join(folder, 'model'))
await trainer.save(store)
console.log(`In ${folder}: report.md, report.html, ${(await store.list('')).map((name) => `model/${name}`).join(', ')}`)

const predictor = await Predictor.load(store)
const loaded = await evaluator.evaluate(predictor, test)
predictor.dispose()
if (loaded.values.accuracy !== report.values.accuracy) process.exitCode = 1
expectAtLeast('Accuracy of the loaded model', loaded.values.accuracy!, TARGET)
