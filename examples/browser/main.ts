/**
 * Trains a classifier of drawn digits in a page, on worker threads where the page may share memory.
 *
 * Command: npm run example:browser
 * @module
 */

import * as tfl from '@tensorflow/tfjs-layers'
import {
  adam,
  type BackendName,
  type Callback,
  DataParallel,
  datasets,
  listBackends,
  Predictor,
  Preprocessor,
  SingleWorker,
  scale,
  selectBackend,
  Trainer,
} from 'dcml'
import { showBackends, showDigits } from './display.js'
import { lossCurve } from './loss-curve.js'

const IMAGES = 5000
const BATCH_SIZE = 32
const SHOWN_DIGITS = 18

const element = <T extends HTMLElement>(id: string) => document.getElementById(id) as T
const settings = element<HTMLFormElement>('settings')
const trainButton = element<HTMLButtonElement>('train')
const stopButton = element<HTMLButtonElement>('stop')
const progress = element<HTMLProgressElement>('progress')
const curve = lossCurve(element('curve'))

const { train, test } = datasets
  .syntheticDigits({ count: IMAGES, seed: 1 })
  .split({ train: 0.8, test: 0.2 }, { seed: 1, stratifyBy: 'y' })
const shown = await test.take(SHOWN_DIGITS).columns()

function network(): tfl.LayersModel {
  const dense = (units: number, activation: 'relu' | 'softmax', seed: number) =>
    tfl.layers.dense({ units, activation, kernelInitializer: tfl.initializers.heUniform({ seed }) })
  return tfl.sequential({
    layers: [
      tfl.layers.flatten({ inputShape: [28, 28, 1] }),
      dense(64, 'relu', 1),
      dense(64, 'relu', 2),
      dense(10, 'softmax', 3),
    ],
  })
}

async function run(signal: AbortSignal): Promise<string> {
  const form = new FormData(settings)
  const wanted = form.get('backend') as BackendName | 'auto'
  const backend = await selectBackend(wanted === 'auto' ? {} : { prefer: [wanted] })
  element('backend').textContent = backend.name

  const preprocessor = new Preprocessor([scale('x', 1 / 255)])
  const model = network()
  const predictor = new Predictor({ model, preprocessor })
  const report: Callback = {
    relaxed: true,
    onStepEnd({ step, loss, epochs, stepsPerEpoch }) {
      curve.add(step, loss)
      element('loss').textContent = loss.toFixed(3)
      progress.value = step / (epochs * stepsPerEpoch!)
    },
    async onEpochEnd({ epoch, epochs, record }) {
      element('accuracy').textContent = `${(100 * record.val_accuracy!).toFixed(1)} %`
      element('speed').textContent = Math.round(record.samplesPerSecond).toLocaleString('en')
      say(`Epoch ${epoch + 1} of ${epochs} is done.`)
      await predict()
    },
  }
  const predict = async () => showDigits(element('digits'), shown, await predictor.explain(shown, { topK: 1 }))
  const trainer = new Trainer({
    model,
    loss: 'sparseCategoricalCrossentropy',
    optimizer: adam({ learningRate: 1e-3 }),
    metrics: ['accuracy'],
    preprocessor,
    // One worker thread, too, is better than none: the page stays free.
    strategy: crossOriginIsolated ? new DataParallel({ workers: Number(form.get('workers')) }) : new SingleWorker(),
    callbacks: [report],
    seed: 42,
  })
  const startedMs = performance.now()
  try {
    const history = await trainer.fit(train, {
      epochs: Number(form.get('epochs')),
      batchSize: BATCH_SIZE,
      validation: test,
      signal,
    })
    await predict()
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
    return history.stopReason === undefined ? `Trained in ${seconds} s.` : `Stopped after ${seconds} s.`
  } finally {
    await trainer.close()
    predictor.dispose()
    curve.draw()
  }
}

function say(text: string, failed = false): void {
  const status = element('status')
  status.textContent = text
  status.classList.toggle('failed', failed)
}

settings.addEventListener('submit', async (event) => {
  event.preventDefault()
  const stop = new AbortController()
  stopButton.onclick = () => stop.abort()
  trainButton.disabled = true
  stopButton.disabled = false
  progress.value = 0
  curve.clear()
  say('Training …')
  try {
    say(await run(stop.signal))
  } catch (error) {
    say(String(error), true)
  }
  trainButton.disabled = false
  stopButton.disabled = true
})

const threads = crossOriginIsolated ? navigator.hardwareConcurrency : 1
for (let workers = 1; workers <= threads; workers++)
  (settings.elements.namedItem('workers') as HTMLSelectElement).add(new Option(String(workers)))
showBackends(element('backends'), settings.elements.namedItem('backend') as HTMLSelectElement, await listBackends())
say(
  crossOriginIsolated
    ? 'Ready. Threads may share memory here.'
    : 'Ready. The page is not cross-origin isolated, so there are no worker threads: it trains in its own.',
)
trainButton.disabled = false
