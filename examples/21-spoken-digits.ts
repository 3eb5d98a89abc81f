/**
 * Recognises spoken digits of speakers whom it has never heard. Sounds become pictures of how loud each band is over time
 * (log-mel), on which a small convolutional network is trained, six times, each time without one of six speakers. Five
 * voices, each with a microphone of its own, are few to learn from: hence each recording is also taken faster or slower,
 * as by another microphone, in more or less noise. What the variety of voices is worth shows beside recordings that were
 * left out of the speakers that it has heard.
 *
 * Command: DCML_DATA_DIR=folder npm run examples -- 21
 * Data: the Free Spoken Digit Dataset, 3,000 recordings, in folder/speech/free-spoken-digits.
 * Time: about two minutes on two cores
 * Prints: the accuracy on each speaker not heard, and on recordings not heard of speakers that were.
 * @module
 */

import * as tfl from '@tensorflow/tfjs-layers'
import {
  adamw,
  DataParallel,
  Dataset,
  logMel,
  oneCycle,
  ordinal,
  Preprocessor,
  Random,
  selectBackend,
  specAugment,
  standardize,
  Trainer,
} from 'dcml'
import { sources } from 'dcml/node'
import { anotherVoice, placed, recorded } from './sounds.js'
import { between, dataPath, expectAtLeast, quick } from './targets.js'

const SPEAKERS = quick ? ['theo'] : ['george', 'jackson', 'lucas', 'nicolas', 'theo', 'yweweler']
const TAKES = quick ? 12 : 50 // of each digit by each speaker
const EARLY = 5 // takes that are never trained on
const VOICES = quick ? 2 : 4 // in which each recording is taken
const EPOCHS = quick ? 10 : 6
const BATCH = 32
const SAMPLES = 6400 // 0.8 s
const QUIET = 0.02 // loudness of the noise in a quiet room, beside the digit
const TARGETS = quick ? { speakers: 0.4, recordings: 0.6 } : { speakers: 0.84, recordings: 0.97 }

const folder = dataPath('speech/free-spoken-digits', 'https://github.com/Jakobovski/free-spoken-digit-dataset')
const partsOf = (name: string) => name.split(/[_.]/) // names are digit_speaker_take.wav
const takeOf = (name: string) => Number(partsOf(name)[2])
const random = new Random(1)

await selectBackend()
const recordings = await sources
  .audioFolder(folder, { samples: 12_000, filter: (name) => takeOf(name) < TAKES, label: (name) => name[0]! })
  .map(({ x, y, file }) => ({ x, y, speaker: partsOf(String(file))[1], take: takeOf(String(file)) }))
  .collect()
const voices = Dataset.fromRows(async function* () {
  for await (const { x, y, speaker, take } of recordings.rows()) {
    const sound = x as Float32Array
    const labels = { y, speaker, early: Number(take) < EARLY } // true becomes 1, false 0
    yield { x: recorded(placed(sound, SAMPLES), QUIET, random), changed: false, ...labels }
    for (let voice = 0; voice < VOICES; voice++) {
      const noise = between(random, QUIET / 3, 3 * QUIET)
      yield { x: recorded(anotherVoice(sound, SAMPLES, random), noise, random), changed: true, ...labels }
    }
  }
})
const pictures = new Preprocessor([
  logMel('x', { sampleRate: 8000, frameLength: 256, hop: 200, mels: 32 }),
  ordinal('y'),
])
await pictures.fit(recordings)
const all = await pictures.transform(voices).collect()

const { layers, initializers } = tfl
const network = () =>
  tfl.sequential({
    layers: [
      layers.reshape({ targetShape: [33, 32, 1], inputShape: [33, 32] }),
      ...[16, 32, 64].flatMap((filters) => [
        layers.conv2d({
          filters,
          kernelSize: 3,
          padding: 'same',
          useBias: false,
          kernelInitializer: initializers.heNormal({ seed: filters }),
        }),
        layers.batchNormalization(),
        layers.reLU(),
        layers.maxPooling2d({ poolSize: 2 }),
      ]),
      layers.flatten(),
      layers.dropout({ rate: 0.3, seed: 1 }),
      layers.dense({ units: 10, activation: 'softmax', kernelInitializer: initializers.glorotUniform({ seed: 1 }) }),
    ],
  })

const accuracies: { speaker: number; recordings: number }[] = []
for (const speaker of SPEAKERS) {
  const train = await all.filter((row) => row.speaker !== speaker && row.early === 0 && row.changed === 1).collect()
  const others = await all.filter((row) => row.speaker !== speaker && row.early === 1 && row.changed === 0).collect()
  const test = await all.filter((row) => row.speaker === speaker && row.changed === 0).collect()
  const trainer = new Trainer({
    model: network(),
    loss: 'sparseCategoricalCrossentropy',
    optimizer: adamw({
      learningRate: oneCycle(4e-3, { steps: EPOCHS * Math.ceil(train.size! / BATCH) }),
      weightDecay: 0.01,
    }),
    metrics: ['accuracy'],
    preprocessor: new Preprocessor([
      standardize('x', { per: 'channel' }),
      specAugment('x', { timeMasks: 1, frequencyMasks: 1 }),
    ]),
    strategy: new DataParallel({ workers: 2 }),
    seed: 1,
  })
  await trainer.fit(train, { epochs: EPOCHS, batchSize: BATCH })
  const accuracyOn = async (dataset: Dataset) => (await trainer.evaluate(dataset)).accuracy!
  const reached = { speaker: await accuracyOn(test), recordings: await accuracyOn(others) }
  await trainer.close()
  accuracies.push(reached)
  console.log(
    `Without ${speaker}: ${reached.speaker.toFixed(3)}; others' early takes: ${reached.recordings.toFixed(3)}`,
  )
}
const meanOf = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
expectAtLeast('Accuracy on speakers not heard', meanOf(accuracies.map(({ speaker }) => speaker)), TARGETS.speakers)
expectAtLeast('On recordings not heard', meanOf(accuracies.map(({ recordings }) => recordings)), TARGETS.recordings)
