/**
 * Learns to write like Shakespeare, a letter at a time. An LSTM reads his plays and says after each letter how probable
 * each letter is as the next. Its perplexity on plays that it has not read, the number of letters among which one would
 * have to guess blindly to be surprised as much, stands beside that of counting what followed the last letters so far.
 *
 * Command: DCML_DATA_DIR=folder npm run examples -- 22
 * Data: tinyshakespeare.txt (1.1 million letters), in folder/text.
 * Time: about 40 s on two cores
 * Prints: perplexities by counting and after each epoch, and a passage that the network wrote.
 * @module
 */

import { readFile } from 'node:fs/promises'
import * as tfl from '@tensorflow/tfjs-layers'
import { adamw, DataParallel, Dataset, oneCycle, Predictor, Random, selectBackend, Trainer } from 'dcml'
import { dataPath, expectAtMost, quick } from './targets.js'

const LETTERS_READ = quick ? 60_000 : Number.POSITIVE_INFINITY
const HELD_OUT = 0.1
const PIECE = 64 // letters; of plays not read, four times as many
const UNITS = 128
const EPOCHS = quick ? 2 : 3
const BATCH = quick ? 16 : 32
const TARGET = quick ? 12 : 5.3

const file = dataPath('text/tinyshakespeare.txt', 'https://github.com/karpathy/char-rnn')
const text = (await readFile(file, 'utf8')).slice(0, LETTERS_READ)
const alphabet = [...new Set(text)].sort()
const codes = Int32Array.from(text, (letter) => alphabet.indexOf(letter))
const train = codes.subarray(0, Math.floor(codes.length * (1 - HELD_OUT)))
const test = codes.subarray(train.length)

counted(4).forEach((perplexity, order) => {
  console.log(`Counting what follows ${order} letters: perplexity ${perplexity.toFixed(2)}`)
})

/** Pieces of text, and the same moved on by a letter. */
function pieces(of: Int32Array, length: number): Dataset {
  const count = Math.floor((of.length - 1) / length)
  const from = (start: number) => ({ data: of.subarray(start, start + count * length), shape: [count, length] })
  return Dataset.fromArrays({ x: from(0), y: from(1) })
}

await selectBackend()
const { layers, initializers } = tfl
const kernelInitializer = (seed: number) => initializers.glorotUniform({ seed })
const embeddingsInitializer = initializers.randomNormal({ stddev: 0.5, seed: 1 })
const read = pieces(train, PIECE)
const trainer = new Trainer({
  model: tfl.sequential({
    layers: [
      layers.embedding({ inputDim: alphabet.length, outputDim: 32, embeddingsInitializer }),
      layers.lstm({
        units: UNITS,
        returnSequences: true,
        kernelInitializer: kernelInitializer(2),
        recurrentInitializer: kernelInitializer(3),
      }),
      layers.dense({ units: alphabet.length, activation: 'softmax', kernelInitializer: kernelInitializer(4) }),
    ],
  }),
  loss: 'sparseCategoricalCrossentropy',
  optimizer: adamw({
    learningRate: oneCycle(0.01, { steps: EPOCHS * Math.ceil(read.size! / BATCH) }),
    weightDecay: 0.01,
  }),
  clipNorm: 1,
  strategy: new DataParallel({ workers: 2 }),
  callbacks: [
    {
      onEpochEnd: ({ record }) =>
        console.log(`Epoch ${record.epoch + 1}: perplexity ${Math.exp(record.val_loss!).toFixed(2)}`),
    },
  ],
  seed: 1,
})
const { epochs } = await trainer.fit(read, { epochs: EPOCHS, batchSize: BATCH, validation: pieces(test, 4 * PIECE) })
await trainer.close()

console.log(`\n${await write(test.subarray(0, PIECE), 400)}\n`)
expectAtMost('Perplexity on plays not read', Math.exp(epochs.at(-1)!.val_loss!), TARGET)

/** Goes on from the letters there are. */
async function write(start: Int32Array, count: number): Promise<string> {
  const predictor = new Predictor({ model: trainer.model })
  const random = new Random(1)
  const written = [...start]
  for (let i = 0; i < count; i++) {
    const x = { data: Int32Array.from(written.slice(-PIECE)), shape: [1, PIECE] }
    const { data } = await predictor.predict({ x })
    const next = data.subarray(-alphabet.length) // the probabilities after the last letter
    let code = 0
    for (let left = random.uniform() - next[0]!; left > 0 && code < next.length - 1; ) left -= next[++code]!
    written.push(code)
  }
  return written
    .slice(start.length)
    .map((code) => alphabet[code])
    .join('')
}

/** Perplexities of counting what follows the last 0 to `most` letters; where those are rare, fewer of them. */
function counted(most: number): number[] {
  const FALL_BACK = 5
  const counts = new Map<number, { of: Float64Array; all: number }>()
  /** A number for the last letters: for none of them, for one, up to `most`. */
  const contexts = (at: number, of: Int32Array) => {
    const numbers = [0]
    for (let n = 1; n <= most; n++) numbers.push((numbers[n - 1]! + of[at - n]! + 1) * (alphabet.length + 1))
    return numbers
  }
  for (let at = most; at < train.length; at++)
    for (const context of contexts(at, train)) {
      const count = counts.get(context) ?? { of: new Float64Array(alphabet.length), all: 0 }
      count.of[train[at]!]!++
      count.all++
      counts.set(context, count)
    }
  const surprises = new Float64Array(most + 1)
  for (let at = most; at < test.length; at++) {
    let probability = 1 / alphabet.length
    contexts(at, test).forEach((context, n) => {
      const count = counts.get(context)
      if (count) probability = (count.of[test[at]!]! + FALL_BACK * probability) / (count.all + FALL_BACK)
      surprises[n]! -= Math.log(probability)
    })
  }
  return Array.from(surprises, (surprise) => Math.exp(surprise / (test.length - most)))
}
