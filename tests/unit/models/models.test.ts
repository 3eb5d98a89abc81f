import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  decodeSafetensors,
  encodeSafetensors,
  forward,
  loadBundle,
  namedWeights,
  outputActivation,
  saveBundle,
} from '../../../src/models/index.js'
import { memory } from '../../../src/storage/index.js'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const makeModel = (activation: 'softmax' | 'sigmoid' | 'linear') =>
  tfl.sequential({
    layers: [tfl.layers.dense({ units: 4, inputShape: [2] }), tfl.layers.dense({ units: 3, activation })],
  })

describe('forward', () => {
  it.each([
    ['softmax', (logits: tf.Tensor) => tf.softmax(logits)],
    ['sigmoid', (logits: tf.Tensor) => tf.sigmoid(logits)],
  ] as const)('gives what went into a final %s, and leaves the model as it was', (activation, apply) => {
    const model = makeModel(activation)
    expect(outputActivation(model)).toBe(activation)
    const x = tf.tensor2d([1, 2, -3, 4], [2, 2])
    const logits = forward(model, x, { training: false, logits: true }) as tf.Tensor
    const [k1, b1, k2, b2] = model.getWeights() as [tf.Tensor2D, tf.Tensor, tf.Tensor2D, tf.Tensor]
    const byHand = tf.add(tf.matMul(tf.add(tf.matMul(x, k1), b1) as tf.Tensor2D, k2), b2)
    expect(logits.dataSync()).toEqual(byHand.dataSync())
    const whole = model.predict(x) as tf.Tensor
    expect(whole.dataSync()).toEqual(apply(logits).dataSync())
  })
})

describe('safetensors', () => {
  it('writes the bytes that the format asks for', () => {
    const file = encodeSafetensors({ a: { data: Float32Array.of(1, 2), shape: [2] } })
    const length = Number(new DataView(file.buffer).getBigUint64(0, true))
    expect(length % 8).toBe(0)
    const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)))
    expect(header.a).toEqual({ dtype: 'F32', shape: [2], data_offsets: [0, 8] })
    expect([...file.subarray(8 + length)]).toEqual([0, 0, 0x80, 0x3f, 0, 0, 0, 0x40])
  })

  it('reads back, and refuses a truncated file', () => {
    const file = encodeSafetensors({ i: { data: Int32Array.of(-1, 7), shape: [1, 2] } }, { made: 'here' })
    expect(decodeSafetensors(file)).toEqual({
      tensors: { i: { data: Int32Array.of(-1, 7), shape: [1, 2] } },
      metadata: { made: 'here' },
    })
    expect(() => decodeSafetensors(file.subarray(0, file.length - 1))).toThrow(/truncated or damaged/)
  })
})

it('names the weights of equal models alike, and each once', () => {
  const names = namedWeights(makeModel('softmax')).map(({ name }) => name)
  expect(new Set(names).size).toBe(4)
  expect(namedWeights(makeModel('softmax')).map(({ name }) => name)).toEqual(names)
})

it('saves and loads a model with its preprocessor', async () => {
  const model = makeModel('softmax')
  const store = memory()
  await saveBundle(store, { model, preprocessor: { steps: [] } })
  const bundle = await loadBundle(store)
  expect(bundle.preprocessor).toEqual({ steps: [] })
  const values = (m: tfl.LayersModel) => namedWeights(m).map(({ variable }) => variable.dataSync())
  expect(values(bundle.model)).toEqual(values(model))
})
