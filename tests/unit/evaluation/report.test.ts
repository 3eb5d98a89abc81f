import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, expect, it } from 'vitest'
import { Dataset } from '../../../src/data/index.js'
import { Evaluator, evaluatePredictions } from '../../../src/evaluation/index.js'
import { accuracy, confusionMatrix, mse } from '../../../src/metrics/index.js'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

/** A model whose logits are its input: the class is the larger of two numbers. */
function identityModel(): tfl.Sequential {
  const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 2, inputShape: [2], activation: 'softmax' })] })
  tf.tidy(() => model.setWeights([tf.tensor2d([1, 0, 0, 1], [2, 2]), tf.zeros([2])]))
  return model
}

const test = Dataset.fromArrays({
  x: { data: new Float32Array([3, 1, 0, 2, 5, 4, 1, 2, 0, 9]), shape: [5, 2] },
  y: { data: new Int32Array([0, 1, 1, 1, 0]), shape: [5] },
})

it('measures a model over uneven batches, and leaks no tensor', async () => {
  const model = identityModel()
  const before = tf.memory().numTensors
  const report = await new Evaluator({ batchSize: 2, classes: ['cat', 'dog'] }).evaluate(model, test)
  expect(tf.memory().numTensors).toBe(before)
  expect(report.rows).toBe(5)
  expect(report.values.accuracy).toBeCloseTo(3 / 5, 12)
  expect(report.matrix).toEqual([
    [1, 1],
    [1, 2],
  ])
  expect(report.perClass[1]).toEqual({ class: 'dog', precision: 2 / 3, recall: 2 / 3, f1: 2 / 3, support: 3 })
})

it('says what is missing', async () => {
  const noTarget = Dataset.fromArrays({ x: { data: new Float32Array(4), shape: [2, 2] } })
  await expect(new Evaluator().evaluate(identityModel(), noTarget)).rejects.toThrow(/needs the column "y"/)
  const narrow = Dataset.fromArrays({
    x: { data: new Float32Array(3), shape: [1, 3] },
    y: { data: new Int32Array(1), shape: [1] },
  })
  await expect(new Evaluator().evaluate(identityModel(), narrow)).rejects.toThrow(/Expected \[2\]; received \[3\]/)
  expect(() => new Evaluator({ metrics: ['acuracy' as 'accuracy'] })).toThrow(
    /no metric named.*Did you mean 'accuracy'\?/,
  )
  expect(() => new Evaluator({ metrics: [accuracy(), accuracy()] })).toThrow(/Two metrics have the name 'accuracy'/)
  expect(() => evaluatePredictions({ truth: [1, 2], predicted: [1] }, [mse()])).toThrow(/Expected 2 rows/)
  expect(() => evaluatePredictions({ truth: [0.5], predicted: [1] }, [accuracy()])).toThrow(/holds no class number/)
})

it('takes metrics by name too', () => {
  const predictions = { truth: [0, 1, 1], predicted: [0, 1, 0] }
  const named = evaluatePredictions(predictions, ['accuracy', 'confusionMatrix'])
  expect(named.values).toEqual(evaluatePredictions(predictions, [accuracy(), confusionMatrix()]).values)
})

it('writes text, markdown, JSON and a page that stands alone', () => {
  const report = evaluatePredictions({ truth: [0, 1, 1], predicted: [0, 1, 0] }, [accuracy(), confusionMatrix()], {
    classes: ['<cat>', 'dog'],
  })
  expect(report.toText()).toContain('accuracy  0.6667')
  expect(report.toMarkdown()).toContain('| <cat> | 1 | 0 |')
  expect(JSON.parse(JSON.stringify(report))).toMatchObject({
    rows: 3,
    values: {
      confusionMatrix: [
        [1, 0],
        [1, 1],
      ],
    },
  })
  const history = { epochs: [0.9, 0.4, 0.2].map((loss, epoch) => ({ epoch, loss, val_loss: loss + 0.1, seconds: 1 })) }
  const page = report.toHTML({ title: 'Cats & dogs', history })
  expect(page).toContain('<title>Cats &#38; dogs</title>')
  expect(page).not.toContain('<cat>')
  // Two plots, each for light and for dark; nothing is loaded from elsewhere.
  expect(page.match(/<svg/g)).toHaveLength(4)
  expect(page).not.toMatch(/<script|<link|src=/)
})
